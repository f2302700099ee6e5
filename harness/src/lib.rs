//! lockbench: what do preempted vCPUs do to a lock?
//!
//! The library behind the `lockbench` program: topology and placement, the plan, environments, cells, and the command
//! line. A user measures a lock of their own with a `main` of one line:
//!
//! ```no_run
//! use std::process::ExitCode;
//! fn main() -> ExitCode {
//!     lockbench::main_with(lockbench::locks![])
//! }
//! ```

pub mod arena;
pub mod axes;
mod bandwidth;
pub mod cell;
mod cli;
mod doctor;
mod duel;
pub mod environments;
mod error;
mod history;
mod hypervisor;
mod inherited;
mod input;
pub mod interrupt;
pub mod measure;
mod out_of_memory;
mod output;
mod peers;
mod plan;
pub mod protocol;
pub mod raw_mutex;
mod refusal;
mod registry;
mod scheduling;
mod shared_object;
mod subprocess;
mod suite;
mod system;
pub mod topology;

use std::process::ExitCode;

pub use cell::Placer;
pub use error::Error;
pub use lockbench_workloads::{Family, locks as api};
pub use out_of_memory::OrSaySo;
pub use refusal::Refusal;
pub use registry::Registry;
pub use system::quota::Quotas;

/// The descriptors of a user's own locks, for [`main_with`]. Takes types that implement
/// [`api::RawLock`](lockbench_workloads::locks::RawLock).
#[macro_export]
macro_rules! locks {
    ($($lock:ty),* $(,)?) => {{
        static LOCKS: &[$crate::Family] =
            &[$($crate::Family::of::<$lock>().compiled_with_checks(cfg!(debug_assertions))),*];
        LOCKS
    }};
}

/// The whole program, with the user's own locks beside the built-in ones.
pub fn main_with(own: &'static [Family]) -> ExitCode {
    inherited::put_right();
    let registry = Registry::new(own);
    match std::env::args_os().nth(1) {
        Some(verb) if verb == cell::VERB => cell::child::main(&registry),
        Some(verb) if verb == bandwidth::VERB => bandwidth::keeper_process(),
        Some(verb) if verb == shared_object::VERB => shared_object::inspecting_process(),
        Some(verb) if verb == environments::KVM_VERB => environments::examining_process(),
        _ => cli::main(&registry),
    }
}
