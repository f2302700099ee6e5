//! Emulated: a vCPU is a thread among more threads than pCPUs, preempted by the kernel's scheduler as a hypervisor's
//! scheduler preempts vCPUs. Halting is a futex wait on the vCPU's own doorbell, kicking a futex wake.

use super::{Environment, thread};
use crate::Refusal;
use crate::protocol::Cell;

/// Threads that are preempted.
pub(super) struct Emulated;

impl Environment for Emulated {
    fn name(&self) -> &'static str {
        "emulated"
    }

    fn about(&self) -> &'static str {
        "a vCPU is a thread among more threads than pCPUs; halt is a futex wait, kick a futex wake"
    }

    fn hypervisor(&self) -> bool {
        true
    }

    fn start(&self, cell: Cell) -> Result<(), Refusal> {
        thread::start_workers(&cell, true)
    }
}
