//! The doorbell's round trip, and the entry that is its second half; whether ring 3 runs at native speed.

use lockbench_workloads::ticks;

use super::guest::{self, Notes};
use super::machine;
use crate::Refusal;
use crate::environments::kvm::vcpu::{Observer, RunEnd};

const ROUND_TRIPS: usize = 300;
const WORKS: usize = 12;

/// Ticks of each round trip and of its parts.
#[derive(Default)]
pub(super) struct Exits {
    /// From a store in the guest to the instruction after it.
    pub(super) round_trip: Vec<u64>,
    /// From right before KVM_RUN to that instruction.
    pub(super) entry: Vec<u64>,
    /// Whether the guest's stamps lie between those that the host took before and after.
    pub(super) clocks_agree: bool,
}

struct Trips {
    notes: &'static Notes,
    entered: u64,
    returned: u64,
    exits: Exits,
}

impl Observer for Trips {
    fn entering(&mut self) {
        self.entered = ticks();
    }

    fn rang(&mut self) -> bool {
        // The guest noted the trip before this one: it left, the host returned and entered again, it came.
        let (left, came, now) = (self.notes.left(), self.notes.came(), ticks());
        if left != 0 {
            self.exits.round_trip.push(came.wrapping_sub(left));
            self.exits.entry.push(came.wrapping_sub(self.entered));
            self.exits.clocks_agree &= left < self.returned && self.entered < came && came < now;
        }
        self.returned = now;
        self.exits.round_trip.len() < ROUND_TRIPS
    }
}

/// Rings the doorbell without a request.
pub(super) fn measure() -> Result<Exits, Refusal> {
    let notes = Notes::new()?;
    let (vm, mut vcpus) = machine(notes, &[guest::ring])?;
    let exits = Exits { clocks_agree: true, ..Exits::default() };
    let mut trips = Trips { notes, entered: 0, returned: 0, exits };
    let ended = vcpus[0].run(&mut trips);
    drop(vm);
    match ended {
        RunEnd::Stopped => Ok(trips.exits),
        RunEnd::Fault(why) => Err(why.into()),
    }
}

struct Works {
    notes: &'static Notes,
    left: usize,
    native: u64,
    guest: u64,
}

impl Observer for Works {
    fn rang(&mut self) -> bool {
        // SAFETY: leaf code without arguments that touches caller-saved registers only.
        let native = unsafe { guest::timed_work() };
        // Both are measured alternately, and the fastest of each counts: a disturbance can only make one longer.
        self.native = self.native.min(native);
        self.guest = self.guest.min(self.notes.left());
        self.left -= 1;
        self.left > 0
    }
}

/// Speed of the same work in the guest's ring 3, as a fraction of its native speed.
pub(super) fn ring3_speed() -> Result<f64, Refusal> {
    let notes = Notes::new()?;
    let (vm, mut vcpus) = machine(notes, &[guest::work])?;
    let mut works = Works { notes, left: WORKS, native: u64::MAX, guest: u64::MAX };
    let ended = vcpus[0].run(&mut works);
    drop(vm);
    match ended {
        RunEnd::Stopped => Ok(works.native as f64 / works.guest as f64),
        RunEnd::Fault(why) => Err(why.into()),
    }
}
