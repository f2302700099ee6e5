//! Where vCPUs run: the same worker on threads and in real vCPUs.

mod doorbell;
mod emulated;
#[cfg(target_arch = "x86_64")]
mod kvm;
#[cfg(not(target_arch = "x86_64"))]
#[path = "kvm/elsewhere.rs"]
mod kvm;
mod native;
mod thread;

pub(crate) use kvm::{VERB as KVM_VERB, examining_process};
use lockbench_reports::record::Machine;

use crate::Refusal;
use crate::protocol::Cell;

/// An environment: what a vCPU is, and how it halts and is kicked.
///
/// Everything but `start` is asked of it in the parent; `start` runs in the cell's own process.
pub trait Environment: Sync {
    /// Name on the command line and in results.
    fn name(&self) -> &'static str;

    /// One line for `list`.
    fn about(&self) -> &'static str;

    /// Whether this machine can run it; if not, why, and what to do.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Finds out what it costs on this machine, between `pcpus`, and writes that into the machine's record. Asked once, when
    /// cells of it are planned and can run.
    fn examine(&self, _machine: &mut Machine, _pcpus: &[u32]) {}

    /// The facility without which preemptions are not counted here.
    fn counts_preemptions_by(&self) -> &'static str {
        "preemption-counting"
    }

    /// The facility by which a vCPU is told that another is preempted; none where nothing does.
    fn hints_by(&self) -> Option<&'static str> {
        None
    }

    /// Whether a hypervisor is there to halt and kick vCPUs. Without one, paravirtual locks run switched off, as the same
    /// kernel would on bare hardware.
    fn hypervisor(&self) -> bool;

    /// Whether there may be more vCPUs than pCPUs.
    fn overcommits(&self) -> bool {
        self.hypervisor()
    }

    /// Whether only locks that are leaf code can run in it.
    fn needs_leaf(&self) -> bool {
        false
    }

    /// Starts the cell's vCPUs: one host thread each, which counts itself in the gate's `ready`, waits at the gate and then
    /// enters the worker for ever. An error says why the cell cannot run here.
    fn start(&self, cell: Cell) -> Result<(), Refusal>;
}

/// Every environment, in the order in which reports show them.
pub static ENVIRONMENTS: &[&dyn Environment] = &[&native::Native, &emulated::Emulated, &kvm::Kvm];
