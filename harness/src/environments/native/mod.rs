//! Native: a vCPU is a thread on a pCPU of its own, and no hypervisor of ours is there.

use super::{Environment, thread};
use crate::Refusal;
use crate::protocol::Cell;

/// At most one thread per pCPU. Nobody halts or kicks but a lock that blocks wherever it runs.
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
        thread::start_workers(&cell, cell.blocks)
    }
}
