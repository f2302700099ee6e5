//! What a lock is told when it is made.

/// Run-time parameters of a lock: data in the arena, never a compile-time axis. They do not change while the lock is in
/// use, and a lock reads them through [`Ctx::params`](crate::Ctx::params) rather than from beside its own word.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Params {
    /// Spin iterations before a paravirtual lock halts. The kernel's `SPIN_THRESHOLD` is [`Params::KERNEL_SPINS`].
    pub spin_threshold: u32,
    /// What makes a queued waiter halt before that; only locks with [`crate::RawLock::WAITS_EARLY`] read it.
    pub early_wait: EarlyWait,
    /// Whether a hypervisor is there to halt and kick. Without one the paravirtual code of a lock is carried but switched off.
    pub hypervisor: bool,
    /// Ticks of [`Platform::now`](crate::Platform::now) in a microsecond; 0 where nobody tells.
    pub ticks_per_us: u32,
    /// Number of vCPUs that will use the lock; their numbers run from 0.
    pub vcpus: u32,
}

impl Params {
    /// `SPIN_THRESHOLD` of Linux since 3.12 (`arch/x86/include/asm/spinlock.h`): 2^15 iterations.
    pub const KERNEL_SPINS: u32 = 1 << 15;
}

/// What makes a waiter that is queued behind another believe that its wait is long, and halt at once (`pv_wait_early` in
/// `kernel/locking/qspinlock_paravirt.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum EarlyWait {
    /// The waiter before it has halted (Linux 6.12).
    #[default]
    Halted,
    /// The waiter before it has halted, or the host says that it is preempted. This setting cost a factor of 7.7 at 3x (stable
    /// list, 9 September 2019).
    Hint,
    /// Every look: a waiter behind another never spins. A hint that is always wrong has this effect.
    Always,
}

impl EarlyWait {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Halted, Self::Hint, Self::Always];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The name on the command line and in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Halted => "halted",
            Self::Hint => "hint",
            Self::Always => "always",
        }
    }
}
