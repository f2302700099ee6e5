//! What a lock is told when it is made.

/// Run-time parameters of a lock: data in the arena, never a compile-time axis.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Params {
    /// Spin iterations before a paravirtual lock halts. The kernel's `SPIN_THRESHOLD` is [`Params::KERNEL_SPINS`].
    pub spin_threshold: u32,
    /// Whether a hypervisor is there to halt and kick. Down, a paravirtual lock is "carried but off".
    pub hypervisor: bool,
    /// Number of vCPUs that will use the lock; their numbers run from 0.
    pub vcpus: u32,
}

impl Params {
    /// `SPIN_THRESHOLD` of Linux since 3.12 (`arch/x86/include/asm/spinlock.h`): 2^15 iterations.
    pub const KERNEL_SPINS: u32 = 1 << 15;
}
