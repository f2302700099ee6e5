//! The state in which a vCPU enters the guest: 64-bit mode, ring 3, at a function's first instruction.

use std::os::fd::AsRawFd;

use kvm_bindings::{
    CpuId, KVM_MAX_CPUID_ENTRIES, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, kvm_device_attr, kvm_dtable,
    kvm_fpu, kvm_regs, kvm_segment, kvm_sregs, kvm_xcr, kvm_xcrs,
};
use kvm_ioctls::{Kvm, VcpuFd};

use super::faults::{KERNEL_CODE, Ring0, TASK, Table, USER_CODE, USER_DATA};
use crate::Refusal;

/// The function at which the guest is entered, with two arguments. It never returns: the word above its stack is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct GuestEntry {
    pub(super) function: usize,
    pub(super) arguments: [u64; 2],
    /// One past the stack's last byte, which is a multiple of 16.
    pub(super) stack_top: usize,
}

/// All CPUID leaves that this host's KVM supports, the paravirtual ones included.
pub(super) fn cpuid(kvm: &Kvm) -> Result<CpuId, Refusal> {
    kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
        .map_err(|e| Refusal::of("KVM does not say what it supports", e))
}

/// Brings a new vCPU to the point of entry.
pub(super) fn prepare(
    vcpu: &VcpuFd,
    cpu: usize,
    cpuid: &CpuId,
    page_tables: u64,
    ring0: &Ring0,
    entry: GuestEntry,
) -> Result<(), Refusal> {
    let step = |what: &str, e: kvm_ioctls::Error| Refusal::of(format!("KVM refused {what} of vCPU {cpu}"), e);
    // In this order: CPUID says that there is XSAVE, CR4 switches it on, XCR0 says for which registers.
    vcpu.set_cpuid2(cpuid).map_err(|e| step("the CPUID", e))?;
    let xcr0 = xcr0(cpuid);
    let mut sregs = vcpu.get_sregs().map_err(|e| step("to show the system registers", e))?;
    ring3(&mut sregs, page_tables, xcr0.is_some(), ring0, cpu);
    vcpu.set_sregs(&sregs).map_err(|e| step("the system registers", e))?;
    if let Some(value) = xcr0 {
        let mut xcrs = kvm_xcrs { nr_xcrs: 1, ..Default::default() };
        xcrs.xcrs[0] = kvm_xcr { xcr: 0, value, ..Default::default() };
        vcpu.set_xcrs(&xcrs).map_err(|e| step("XCR0", e))?;
    }
    // All floating-point exceptions masked, as a process starts.
    let fpu = kvm_fpu { fcw: 0x37f, mxcsr: 0x1f80, ..Default::default() };
    vcpu.set_fpu(&fpu).map_err(|e| step("the floating-point state", e))?;
    let regs = kvm_regs {
        rip: entry.function as u64,
        rdi: entry.arguments[0],
        rsi: entry.arguments[1],
        // As a call leaves it: the return address, which is 0, at the bottom.
        rsp: entry.stack_top as u64 - 8,
        rflags: 2,
        ..Default::default()
    };
    vcpu.set_regs(&regs).map_err(|e| step("the registers", e))?;
    align_clock(vcpu);
    Ok(())
}

/// KVM_SET_DEVICE_ATTR, `_IOW(0xae, 0xe1, struct kvm_device_attr)`, which kvm-ioctls gives vCPUs on aarch64 only.
const SET_DEVICE_ATTR: libc::Ioctl = 0x4018_aee1;

/// PE, MP, ET, NE, WP, AM, PG; the caches are on.
const CR0: u64 = 0x8005_0033;
/// PAE, OSFXSR, OSXMMEXCPT. Without the latter two an SSE instruction is an invalid opcode.
const CR4: u64 = 1 << 5 | 1 << 9 | 1 << 10;
const CR4_OSXSAVE: u64 = 1 << 18;
/// LME, LMA, NXE; no `syscall`.
const EFER: u64 = 1 << 8 | 1 << 10 | 1 << 11;

fn ring3(sregs: &mut kvm_sregs, page_tables: u64, xsave: bool, ring0: &Ring0, cpu: usize) {
    sregs.cr0 = CR0;
    sregs.cr3 = page_tables;
    sregs.cr4 = CR4 | if xsave { CR4_OSXSAVE } else { 0 };
    sregs.efer = EFER;
    let flat = kvm_segment { limit: u32::MAX, present: 1, s: 1, g: 1, ..Default::default() };
    sregs.cs = kvm_segment { selector: USER_CODE, type_: 11, dpl: 3, l: 1, ..flat };
    let data = kvm_segment { selector: USER_DATA, type_: 3, dpl: 3, db: 1, ..flat };
    (sregs.ss, sregs.ds, sregs.es, sregs.fs, sregs.gs) = (data, data, data, data, data);
    let task = ring0.task(cpu);
    sregs.tr = kvm_segment {
        base: task.base,
        limit: task.limit.into(),
        selector: TASK,
        type_: 11,
        present: 1,
        ..Default::default()
    };
    sregs.ldt = kvm_segment { unusable: 1, ..Default::default() };
    let register = |table: Table| kvm_dtable { base: table.base, limit: table.limit, ..Default::default() };
    (sregs.gdt, sregs.idt) = (register(ring0.gdt()), register(ring0.idt()));
    debug_assert_eq!(KERNEL_CODE, 8);
}

/// Registers beyond SSE that compiled code may use: x87, SSE, AVX, and AVX-512 where all three of its parts are there.
/// None without XSAVE.
pub(super) fn xcr0(cpuid: &CpuId) -> Option<u64> {
    const AVX_512: u64 = 0xe0;
    let leaf = |function, index| cpuid.as_slice().iter().find(|e| e.function == function && e.index == index);
    let xsave = leaf(1, 0).is_some_and(|features| features.ecx & 1 << 26 != 0);
    let states = leaf(0xd, 0).filter(|_| xsave)?;
    let mut wanted = (u64::from(states.edx) << 32 | u64::from(states.eax)) & (AVX_512 | 7);
    if wanted & AVX_512 != AVX_512 || wanted & 4 == 0 {
        wanted &= !AVX_512;
    }
    Some(wanted | 1)
}

/// Makes the guest's time-stamp counter the host's, since KVM starts a guest's at 0 unless told otherwise: both sides
/// take times in the arena. A KVM before 5.16 cannot; whether the two agree is measured ([`costs`](super::costs)).
fn align_clock(vcpu: &VcpuFd) {
    let offset: u64 = 0;
    let attribute = kvm_device_attr {
        group: KVM_VCPU_TSC_CTRL,
        attr: KVM_VCPU_TSC_OFFSET.into(),
        addr: (&raw const offset) as u64,
        flags: 0,
    };
    // SAFETY: the descriptor is a vCPU's; the attribute, and the offset that it points to, live on this stack until the
    // call is over.
    let _ = unsafe { libc::ioctl(vcpu.as_raw_fd(), SET_DEVICE_ATTR, &raw const attribute) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use kvm_bindings::kvm_cpuid_entry2;

    fn with(ecx: u32, eax: u32) -> Option<u64> {
        let features = kvm_cpuid_entry2 { function: 1, ecx, ..Default::default() };
        let states = kvm_cpuid_entry2 { function: 0xd, eax, ..Default::default() };
        xcr0(&CpuId::from_entries(&[features, states]).unwrap())
    }

    #[test]
    fn extended_state_is_what_the_processor_has_and_code_may_use() {
        assert_eq!(with(0, 0xe7), None, "no XSAVE");
        assert_eq!(with(1 << 26, 0x3), Some(0x3));
        assert_eq!(with(1 << 26, 0x2e7), Some(0xe7), "no protection keys");
        assert_eq!(with(1 << 26, 0x67), Some(0x7), "AVX-512 is all or nothing");
    }
}
