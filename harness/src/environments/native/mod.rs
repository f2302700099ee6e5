//! Native: a vCPU is a thread on a pCPU of its own, with no hypervisor to speak of.

use super::{Environment, thread};
use crate::Refusal;
use crate::cell::child::Cell;

/// At most one thread per pCPU; nobody halts or kicks.
pub(super) struct Native;

impl Environment for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn about(&self) -> &'static str {
        "a vCPU is a thread on a pCPU of its own; paravirtual locks find no hypervisor"
    }

    fn hypervisor(&self) -> bool {
        false
    }

    fn start(&self, cell: Cell) -> Result<(), Refusal> {
        thread::start_workers(&cell, None, None)
    }
}
