//! What the tests and the models share: the broken locks, and (off loom) a machine of threads.
#![allow(dead_code, reason = "each test target uses a part of it")]

pub(crate) mod broken;
#[cfg(not(locks_loom))]
pub(crate) mod machine;
#[cfg(not(locks_loom))]
pub(crate) mod script;
#[cfg(not(locks_loom))]
pub(crate) mod stage;

use lockbench_locks::{Code, EarlyWait, Params};

/// [`Code`] as a number, which a type can take.
pub(crate) const BARE: u8 = 0;
pub(crate) const PATCHED: u8 = 1;
pub(crate) const PARAVIRT: u8 = 2;

/// The code of such a number.
pub(crate) const fn code(number: u8) -> Code {
    match number {
        BARE => Code::Bare,
        PATCHED => Code::Patched,
        _ => Code::Paravirt,
    }
}

/// Few spins, so that the paravirtual slow paths are run and not only carried.
pub(crate) const fn params(spin_threshold: u32, hypervisor: bool, vcpus: usize) -> Params {
    Params { spin_threshold, hypervisor, vcpus: vcpus as u32, early_wait: EarlyWait::Halted, ticks_per_us: 1 }
}
