//! The only way out of the guest: a store to a page with no memory behind it, which exits to the vCPU's host thread.
//!
//! Kernel guests halt with HLT and kick with a hypercall (KVM_HC_KICK_CPU) that KVM serves itself. Ring 3 can reach
//! neither, so that our halt and kick cost one exit to user space more.

use std::mem::offset_of;

use lockbench_workloads::arena::Header;

use super::pages::PAGE;

/// Where the guest sees the doorbell. Far from all addresses that Linux gives out: programs and mmap lie above
/// 0x5500_0000_0000, programs at fixed addresses and their heaps near 0.
pub(super) const VIRT: usize = 0x2000_0000_0000;
/// Its guest-physical address: below all memory and all that KVM reserves.
pub(super) const PHYS: u64 = 0xd000_0000;

const HALT: usize = 0;
const FAULT: usize = 8;
const RING: usize = 16;
const YIELD: usize = 24;
/// vCPU n is kicked by a store to `KICK + 8 * n`.
const KICK: usize = PAGE;

/// Where the guest stores to halt.
pub(super) const HALT_VIRT: usize = VIRT + HALT;
/// Where the guest stores to yield.
pub(super) const YIELD_VIRT: usize = VIRT + YIELD;
/// Where a fault's stub stores.
pub(super) const FAULT_VIRT: usize = VIRT + FAULT;
/// Where the guest stores to exit without a request.
pub(super) const RING_VIRT: usize = VIRT + RING;
/// Where the guest stores to kick vCPU 0; the others follow, 8 bytes apart.
pub(super) const KICK_VIRT: usize = VIRT + KICK;

/// Bytes of the doorbell's pages for so many vCPUs.
pub(super) fn len(vcpus: usize) -> usize {
    KICK + (8 * vcpus).next_multiple_of(PAGE)
}

/// Guest-physical address that a kick of `cpu` stores to.
pub(super) fn kick_phys(cpu: usize) -> u64 {
    PHYS + (KICK + 8 * cpu) as u64
}

/// Why the doorbell rang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ring {
    /// The vCPU halts.
    Halt,
    /// It yields its pCPU.
    Yield,
    /// It kicks another.
    Kick(usize),
    /// It ended in a fault.
    Fault,
    /// It exited without a request, because a cost is being measured.
    Nothing,
}

/// What a store to guest-physical `address` means; none if that is no doorbell.
pub(super) fn ring(address: u64, vcpus: usize) -> Option<Ring> {
    let offset = usize::try_from(address.checked_sub(PHYS)?).ok()?;
    match offset {
        HALT => Some(Ring::Halt),
        FAULT => Some(Ring::Fault),
        RING => Some(Ring::Nothing),
        YIELD => Some(Ring::Yield),
        KICK.. if offset.is_multiple_of(8) && (offset - KICK) / 8 < vcpus => {
            Some(Ring::Kick((offset - KICK) / 8))
        }
        _ => None,
    }
}

/// Halts the vCPU that runs it, inside the guest. Naked, so that it is leaf code in a debug build too.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn halt(_: *const Header, _: u32) {
    std::arch::naked_asm!("movabs rax, {halt}", "mov dword ptr [rax], esi", "ret", halt = const HALT_VIRT)
}

/// Yields the pCPU of the vCPU that runs it, inside the guest: what a yield hypercall does in a kernel's guest.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn give_way(_: *const Header, _: u32) {
    std::arch::naked_asm!("movabs rax, {give_way}", "mov dword ptr [rax], esi", "ret", give_way = const YIELD_VIRT)
}

/// Kicks vCPU `cpu`, inside the guest. A number that no vCPU has is ignored.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn kick(_: *const Header, _: u32) {
    std::arch::naked_asm!(
        "mov eax, esi",
        "cmp eax, dword ptr [rdi + {vcpus}]",
        "jae 2f",
        "movabs rcx, {kick}",
        "mov dword ptr [rcx + 8 * rax], eax",
        "2: ret",
        vcpus = const offset_of!(Header, plan.params.vcpus),
        kick = const KICK_VIRT,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_store_is_understood_or_refused() {
        assert_eq!(ring(PHYS, 2), Some(Ring::Halt));
        assert_eq!(ring(PHYS + 8, 2), Some(Ring::Fault));
        assert_eq!(ring(PHYS + 24, 2), Some(Ring::Yield));
        assert_eq!(ring(kick_phys(1), 2), Some(Ring::Kick(1)));
        assert_eq!(ring(kick_phys(2), 2), None, "there is no vCPU 2");
        assert_eq!(ring(kick_phys(1) + 4, 2), None);
        assert_eq!(ring(PHYS - 1, 2), None);
        assert_eq!(len(1), 2 * PAGE);
        assert_eq!(len(513), 3 * PAGE);
    }
}
