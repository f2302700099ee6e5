//! Emulated: a vCPU is a thread among more threads than pCPUs, which this kernel's scheduler preempts. Halting is a futex
//! wait on the vCPU's own doorbell, kicking a futex wake.

use super::{Environment, thread};
use crate::Refusal;
use crate::protocol::Cell;

/// vCPUs as threads that this kernel preempts.
pub(super) struct Emulated;

impl Environment for Emulated {
    fn name(&self) -> &'static str {
        "emulated"
    }

    fn about(&self) -> &'static str {
        "a vCPU is a thread among more threads than pCPUs, preempted by this kernel; halt is a futex wait, kick a futex wake"
    }

    fn hypervisor(&self) -> bool {
        true
    }

    fn start(&self, cell: Cell) -> Result<(), Refusal> {
        thread::start_workers(&cell, true)
    }
}
