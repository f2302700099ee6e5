//! Makes spans of a trace's events: times in which a vCPU waited, held the lock, slept or was off its pCPU.

mod spans;

use crate::record::Machine;

pub use spans::{Kick, Span, State, Timeline, timeline};

/// Why preemptions could not be counted in an environment (a count of 0 then means nothing); none where they could. The words
/// are those of the facility that counts them. Newer records say it themselves
/// ([`CellCauses::no_preemptions`](crate::record::CellCauses)).
pub fn uncounted<'a>(machine: &'a Machine, env: &str) -> Option<&'a str> {
    let counts = if env == "kvm" { "steal-time" } else { "preemption-counting" };
    let facility = machine.facilities.iter().find(|facility| facility.name == counts);
    facility.filter(|facility| !facility.available).map(|facility| facility.detail.as_str())
}
