//! The guest's functions while costs are measured. They are naked, so that a debug build measures the same.
//!
//! Each function takes the address of [`Notes`] and never ends; times are stamps of the time-stamp counter.

use std::arch::naked_asm;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use lockbench_workloads::arena::Steal;

use crate::Refusal;
use crate::environments::kvm::doorbell::{HALT_VIRT, KICK_VIRT, RING_VIRT};
use crate::environments::kvm::pages::{PAGE, pages};

/// Time stamps that the guest and KVM write for the host.
#[repr(C)]
pub(super) struct Notes {
    left: AtomicU64,
    came: AtomicU64,
    /// Steal time of the first two vCPUs.
    pub(super) steal: [Steal; 2],
}

impl Notes {
    /// On a page of their own.
    pub(super) fn new() -> Result<&'static Self, Refusal> {
        let page = pages(1).map_err(|e| Refusal::of("a page for notes could not be made", e))?;
        // SAFETY: a page is large and aligned enough, zeroed, and never freed; from here on it is reached as atomics only.
        Ok(unsafe { &*page.as_ptr().cast() })
    }

    /// When the guest last left, or began.
    pub(super) fn left(&self) -> u64 {
        self.left.load(SeqCst)
    }

    /// When it ran again.
    pub(super) fn came(&self) -> u64 {
        self.came.load(SeqCst)
    }

    /// The page they are on.
    pub(super) fn page(&self) -> Range<usize> {
        let start = std::ptr::from_ref(self) as usize;
        start..start + PAGE
    }
}

/// Exits without a request; notes when it left and when it came back.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn ring() {
    naked_asm!(
        "movabs rcx, {ring}",
        "2:",
        "lfence",
        "rdtsc",
        "shl rdx, 32",
        "lea r8, [rdx + rax]",
        "mov dword ptr [rcx], eax",
        "lfence",
        "rdtsc",
        "shl rdx, 32",
        "or rax, rdx",
        "mov [rdi], r8",
        "mov [rdi + 8], rax",
        "jmp 2b",
        ring = const RING_VIRT,
    )
}

/// Exits without a request, so that the host can wait until vCPU 1 sleeps; notes the time and kicks vCPU 1.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn kick() {
    naked_asm!(
        "movabs rcx, {ring}",
        "movabs r9, {kick}",
        "2:",
        "mov dword ptr [rcx], eax",
        "lfence",
        "rdtsc",
        "shl rdx, 32",
        "or rax, rdx",
        "mov [rdi], rax",
        "mov dword ptr [r9], eax",
        "jmp 2b",
        ring = const RING_VIRT,
        kick = const KICK_VIRT + 8,
    )
}

/// Halts, and notes when it runs again.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn halt() {
    naked_asm!(
        "movabs rcx, {halt}",
        "2:",
        "mov dword ptr [rcx], eax",
        "lfence",
        "rdtsc",
        "shl rdx, 32",
        "or rax, rdx",
        "mov [rdi + 8], rax",
        "jmp 2b",
        halt = const HALT_VIRT,
    )
}

/// Works, notes how long that took, and exits without a request.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn work() {
    naked_asm!(
        "movabs r9, {ring}",
        "2:",
        "call {timed}",
        "mov [rdi], rax",
        "mov dword ptr [r9], eax",
        "jmp 2b",
        ring = const RING_VIRT,
        timed = sym timed_work,
    )
}

/// A chain of multiplications; returns the ticks that it took. Run natively too. Touches neither `rdi` nor `r9`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn timed_work() -> u64 {
    naked_asm!(
        "lfence",
        "rdtsc",
        "shl rdx, 32",
        "lea r8, [rdx + rax]",
        "mov ecx, 50000",
        "2:",
        "imul rax, rax",
        "dec ecx",
        "jnz 2b",
        "lfence",
        "rdtsc",
        "shl rdx, 32",
        "or rax, rdx",
        "sub rax, r8",
        "ret",
    )
}

/// Spins.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn spin() {
    naked_asm!("2:", "pause", "jmp 2b")
}
