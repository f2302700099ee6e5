//! kvm on other processors than x86-64: not available, with the reason.

use std::process::ExitCode;

use super::Environment;
use crate::Refusal;
use crate::protocol::Cell;

/// Never used: nothing is examined where nothing runs.
pub(crate) const VERB: &str = "__kvm";

/// Real vCPUs, elsewhere.
pub(super) struct Kvm;

impl Environment for Kvm {
    fn name(&self) -> &'static str {
        "kvm"
    }

    fn about(&self) -> &'static str {
        "a vCPU is a real one, in ring 3 on the same code (x86-64 only)"
    }

    fn check(&self) -> Result<(), Refusal> {
        Err(format!(
            "real vCPUs are only made on x86-64 so far, and this program was built for {}: use native and emulated",
            std::env::consts::ARCH
        ).into())
    }

    fn hypervisor(&self) -> bool {
        true
    }

    fn needs_leaf(&self) -> bool {
        true
    }

    fn start(&self, _: Cell) -> Result<(), Refusal> {
        self.check()
    }
}

/// See [`VERB`].
pub(crate) fn examining_process() -> ExitCode {
    ExitCode::from(2)
}
