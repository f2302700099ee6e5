//! What a trace's events mean: stretches in which a vCPU waited, held the lock, slept or was off its pCPU.

mod spans;

use crate::record::Machine;

pub use spans::{Kick, Span, State, Timeline, timeline};

/// Why preemptions could not be counted in an environment, in the words of the facility that counts them there; none
/// where they could. A count of 0 then means nothing. Records say so themselves by now
/// ([`CellCauses::no_preemptions`](crate::record::CellCauses)); older ones do not.
pub fn uncounted<'a>(machine: &'a Machine, env: &str) -> Option<&'a str> {
    let counts = if env == "kvm" { "steal-time" } else { "preemption-counting" };
    let facility = machine.facilities.iter().find(|facility| facility.name == counts);
    facility.filter(|facility| !facility.available).map(|facility| facility.detail.as_str())
}
