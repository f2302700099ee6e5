//! What a vCPU does: critical sections, think time and the one worker loop, in an arena that two processes and a
//! bare virtual machine share.
//!
//! A worker is leaf code. It makes no system call, touches no thread-local storage, allocates nothing and cannot
//! panic; it is handed a pointer to an [`arena::Header`] and its vCPU number, and the same function pointer runs on a
//! thread and inside a KVM vCPU. One worker is compiled for each lock x {[`Bare`], [`Patched`], [`Paravirt`]} x [`Probe`];
//! everything else is data in the arena.
#![no_std]
#[cfg(test)]
extern crate std;

pub mod alone;
mod arch;
pub mod arena;
mod at;
mod counter;
mod descriptor;
pub mod extension;
pub mod histogram;
pub mod lock_time;
mod probe;
pub mod ring;
pub mod shared_object;
pub mod traced;
mod tracer;
mod vcpu;
pub mod work;
mod worker;
pub mod workload;

pub use arch::ticks;
pub use descriptor::{CATALOGUE, Family, WorkerEntry};
pub use lockbench_locks as locks;
pub use probe::{Count, CountCopy, Off, Phase, Probe, ProbeKind, Trace, Twin};
pub use vcpu::{Bare, Mode, Paravirt, Patched, Vcpu};
pub use worker::{WorkerFn, worker};
