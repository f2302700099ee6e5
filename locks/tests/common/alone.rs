//! A vCPU with nothing to it, so that what is measured or disassembled is the lock's own code.

use lockbench_locks::{Code, Event, Platform};

/// A vCPU that runs [`Code::Paravirt`], [`Code::Patched`] or [`Code::Bare`]. Nobody else is there to wait for.
pub(crate) struct Alone<const PARAVIRT: bool, const PATCHED: bool>;

impl<const PARAVIRT: bool, const PATCHED: bool> Platform for Alone<PARAVIRT, PATCHED> {
    const CODE: Code = match (PARAVIRT, PATCHED) {
        (true, _) => Code::Paravirt,
        (false, true) => Code::Patched,
        (false, false) => Code::Bare,
    };

    fn relax(&self) {
        std::hint::spin_loop();
    }
    fn halt(&self) {}
    fn kick(&self, _: usize) {}
    fn is_preempted(&self, _: usize) -> bool {
        false
    }
    fn now(&self) -> u64 {
        0
    }
    fn node_of(&self, _: usize) -> usize {
        0
    }
    fn add(&self, _: Event, _: u64) {}
}
