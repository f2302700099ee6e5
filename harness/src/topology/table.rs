//! Where each placement puts vCPUs.

use super::{Machine, Placement};

/// A table of where each placement puts the first `vcpus` vCPUs.
pub fn placements(machine: &Machine, vcpus: usize) -> String {
    let mut out = String::new();
    for placement in Placement::ALL {
        out += &format!(
            "{placement} {:?}\n",
            placement.order(machine).map(|order| super::assign(vcpus, &order))
        );
    }
    out
}
