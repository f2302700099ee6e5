//! Native: a vCPU is a thread on a pCPU of its own on this machine, which may be a virtual machine itself.

use super::{Environment, thread};
use crate::Refusal;
use crate::protocol::Cell;

/// At most one thread per pCPU. Only locks that block in every environment halt and kick.
pub(super) struct Native;

impl Environment for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn about(&self) -> &'static str {
        "a vCPU is a thread on a pCPU of its own on this machine; paravirtual locks find no hypervisor"
    }

    fn hypervisor(&self) -> bool {
        false
    }

    fn start(&self, cell: Cell) -> Result<(), Refusal> {
        thread::start_workers(&cell, cell.blocks)
    }
}
