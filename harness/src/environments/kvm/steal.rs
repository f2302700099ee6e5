//! Steal time: the time that the host's scheduler took from a vCPU, as KVM reports it to the guest.
//!
//! The record counts the time that the vCPU was runnable and not running; a wake-up from a halt adds to it, a sleep does
//! not. KVM updates it on the first entry after each preemption, so that a worker that sees it change has lost its pCPU.

use std::sync::atomic::Ordering::Relaxed;

use kvm_bindings::{Msrs, kvm_msr_entry};
use lockbench_workloads::arena::{Block, Steal};

use super::vcpu::Vcpu;
use super::vm::Vm;
use crate::Refusal;

/// MSR_KVM_STEAL_TIME. Bit 0 enables.
const MSR: u32 = 0x4b56_4d03;

/// Has KVM keep a vCPU's steal time in `record`, which the guest must see.
pub(super) fn register(vm: &Vm, vcpu: &Vcpu, record: &Steal) -> Result<(), Refusal> {
    let refused = || Refusal::from("KVM keeps no steal time here: its kernel needs CONFIG_SCHED_INFO");
    let phys = vm.phys(std::ptr::from_ref(record) as usize).ok_or_else(refused)?;
    let entry = kvm_msr_entry { index: MSR, data: phys | 1, ..Default::default() };
    let msrs = Msrs::from_entries(&[entry]).map_err(|_| refused())?;
    match vcpu.fd.set_msrs(&msrs) {
        Ok(1) => Ok(()),
        _ => Err(refused()),
    }
}

/// Makes a vCPU's steal time the probe of its worker, which takes any change as a preemption.
pub(super) fn watch(block: &Block) {
    block.env.expected.store(block.steal.steal_ns.load(Relaxed), Relaxed);
    block.env.rearm.store(0, Relaxed);
    block.env.probe.store(block.steal.steal_ns.as_ptr(), Relaxed);
}

/// Points the hint about this vCPU at the byte that is not 0 while it is off its pCPU. Hosts that do not keep the byte
/// leave it 0, which means: no hint. KVM sets the byte whenever the vCPU's thread leaves KVM_RUN, so at every exit to user
/// space too: a vCPU that halted, or whose kick is being served, counts as off its pCPU (read in KVM's source; not verified on
/// hardware).
pub(super) fn hint(block: &Block) {
    block.env.preempted.store(block.steal.preempted.as_ptr().cast(), Relaxed);
}
