//! Where vCPUs run: the same worker on threads and in real vCPUs.

mod doorbell;
mod emulated;
#[cfg(target_arch = "x86_64")]
mod kvm;
#[cfg(not(target_arch = "x86_64"))]
#[path = "kvm/elsewhere.rs"]
mod kvm;
mod native;
mod price;
mod scheduled;
mod thread;

pub(crate) use kvm::{VERB as KVM_VERB, examining_process};
use lockbench_reports::record::Machine;

use crate::Refusal;
use crate::protocol::Cell;

/// An environment: what a vCPU is, and how it halts and is kicked.
///
/// The parent calls everything except `start`, which runs in the cell's own process.
pub trait Environment: Sync {
    /// Name on the command line and in results.
    fn name(&self) -> &'static str;

    /// One line for `list`.
    fn about(&self) -> &'static str;

    /// Whether this machine can run the environment; the error says why not, and what to do.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Measures the environment's costs on this machine, between `pcpus`, and writes them into the machine's record. Called
    /// once, when cells of the environment are planned and can run.
    fn examine(&self, _machine: &mut Machine, _pcpus: &[u32]) {}

    /// The facility that counting preemptions needs in this environment.
    fn counts_preemptions_by(&self) -> &'static str {
        "preemption-counting"
    }

    /// The facility by which a vCPU is told that another is preempted; none if there is none.
    fn hints_by(&self) -> Option<&'static str> {
        None
    }

    /// Whether the locks find a hypervisor that halts and kicks vCPUs. Where they find none, paravirtual locks run switched
    /// off, as in a kernel that finds no hypervisor at boot.
    fn hypervisor(&self) -> bool;

    /// Whether there may be more vCPUs than pCPUs.
    fn overcommits(&self) -> bool {
        self.hypervisor()
    }

    /// Whether only locks that are leaf code can run in the environment.
    fn needs_leaf(&self) -> bool {
        false
    }

    /// Starts the cell's vCPUs: one host thread each, which counts itself in the gate's `ready`, waits at the gate and then
    /// enters the worker for ever. An error says why the cell cannot run here.
    fn start(&self, cell: Cell) -> Result<(), Refusal>;
}

/// Every environment, in the order in which reports show them.
pub static ENVIRONMENTS: &[&dyn Environment] = &[&native::Native, &emulated::Emulated, &kvm::Kvm];
