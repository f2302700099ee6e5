//! What a lock is.

mod ctx;

pub use ctx::Ctx;

use crate::{Params, Platform};

/// The order in which a lock admits its waiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Strictly first come, first served.
    Fifo,
    /// First come, first served but for a bounded or exceptional overtaking (stealing before queueing).
    Hybrid,
    /// Whoever gets there first.
    Unfair,
}

impl Order {
    /// The name in `list` and in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Hybrid => "hybrid",
            Self::Unfair => "unfair",
        }
    }
}

/// How a variant of a lock carries its paravirtual code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paravirt {
    /// No paravirtual code in the machine code (or the algorithm has none).
    CompiledOut,
    /// Compiled in and patched out of the code at boot: what a native machine ran with a distribution's kernel.
    Patched,
    /// Compiled in and switched off at run time, by a load and a branch: what a program without patching has.
    CarriedOff,
    /// Compiled in and used wherever the environment is a hypervisor.
    On,
}

impl Paravirt {
    /// The name in `list` and in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CompiledOut => "out",
            Self::Patched => "patched",
            Self::CarriedOff => "off",
            Self::On => "on",
        }
    }
}

/// One name under which a lock's source is measured.
///
/// Built from its name and one line about it, then told apart from the others:
/// `Variant::new("pv-ticket", "ticket lock whose waiters halt").against("ticket").carrying(Paravirt::On)`.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Name on the command line and in results.
    pub name: &'static str,
    /// One line for `list` and the docs.
    pub about: &'static str,
    /// How it carries its paravirtual code.
    pub paravirt: Paravirt,
    /// The lock that a reader compares it with (may be itself); cells of one baseline are measured back to back.
    pub baseline: Option<&'static str>,
    /// Another lock that a reader compares it with.
    pub second_baseline: Option<&'static str>,
    /// Whether it belongs to the core locks, which answer the three questions in every profile.
    pub core: bool,
    /// What the variant carries natively beyond its baseline, in words: the native cost then sets the two side by side.
    pub carries: Option<&'static str>,
    /// The kernel builds whose spinlock it was.
    pub kernel: Option<Kernel>,
    /// Whose lock it is, in words that follow "the lock of": the kernel, and the guest or native machine.
    pub lock_of: Option<&'static str>,
}

impl Variant {
    /// A variant without paravirtual code that is compared with no other.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            paravirt: Paravirt::CompiledOut,
            baseline: None,
            second_baseline: None,
            core: false,
            carries: None,
            kernel: None,
            lock_of: None,
        }
    }

    /// Compares it with the lock of that name.
    pub const fn against(self, baseline: &'static str) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    /// Compares it with the lock of that name as well.
    pub const fn and_against(self, baseline: &'static str) -> Self {
        Self { second_baseline: Some(baseline), ..self }
    }

    /// Says how it carries its paravirtual code.
    pub const fn carrying(self, paravirt: Paravirt) -> Self {
        Self { paravirt, ..self }
    }

    /// Puts it among the core locks.
    pub const fn core(self) -> Self {
        Self { core: true, ..self }
    }

    /// Says what it carries natively beyond its baseline.
    pub const fn natively(self, carries: &'static str) -> Self {
        Self { carries: Some(carries), ..self }
    }

    /// Says whose spinlock it was.
    pub const fn of_kernel(self, kernel: Kernel) -> Self {
        Self { kernel: Some(kernel), ..self }
    }

    /// Says whose lock it is, in words.
    pub const fn lock_of(self, whose: &'static str) -> Self {
        Self { lock_of: Some(whose), ..self }
    }
}

/// Kernel builds around the series that brought the paravirtual ticket lock (Linux 3.12), as the 2012 question sorts
/// them: with the series or without, with paravirtual spinlocks compiled in or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Whether the series is in it.
    pub series: bool,
    /// Whether paravirtual spinlocks are compiled in.
    pub paravirt: bool,
    /// Whether the lock is what such a kernel ran natively.
    pub native: bool,
    /// Whether the lock is what such a kernel ran in a guest.
    pub guest: bool,
}

/// A mutual-exclusion lock for vCPUs numbered from 0.
///
/// `acquire` and `release` are generic over the platform so that the same source compiles bare and paravirtual.
/// A vCPU holds the lock from the return of `acquire` (or of `try_acquire` with `true`) until it calls `release`.
pub trait RawLock: Sized + Sync {
    /// Name of the algorithm.
    const NAME: &'static str;
    /// The names under which it is measured; more than one where paravirtual code can be out, off or on.
    const VARIANTS: &'static [Variant];
    /// Order of admission.
    const ORDER: Order;
    /// Where the algorithm comes from: a paper or a kernel commit.
    const SOURCE: &'static str;
    /// Raised whenever the machine code of acquire or release changes on purpose: figures of two revisions are not
    /// those of one lock, so `compare` takes no ratio across them and a history begins a new segment.
    const REVISION: u32 = 1;
    /// Whether acquire and release are leaf code (no call into libc, no thread-local storage, no panic), without
    /// which a lock cannot run inside a bare vCPU. A user's lock says so itself.
    const LEAF: bool = false;
    /// Whether its waiters may sleep as part of the algorithm, rather than as paravirtual code: in the kernel, or by
    /// [`Platform::halt`], which such a lock has in every environment and in every variant.
    const BLOCKS: bool = false;
    /// Whether its waiters spin through [`Platform::relax`], which a cell may have yield. A lock with spin loops of its own, or one
    /// that waits in a library, says that it does not.
    const RELAXES: bool = true;
    /// Whether its waiters may halt early, for the reason that [`Params::early_wait`] names.
    const WAITS_EARLY: bool = false;

    /// Whether it prefers waiters by the NUMA node of their vCPUs ([`Platform::node_of`]).
    const BY_NODE: bool = false;

    /// Whether one set of [`PerVcpu`](Self::PerVcpu) blocks may serve many locks at once, as the kernel's per-CPU queue nodes do,
    /// also while a vCPU that holds one of the locks takes another. If not, each lock is given blocks of its own.
    const SHARES_BLOCKS: bool = false;

    /// What the lock needs once per vCPU: queue nodes, hash slots.
    type PerVcpu: Default + Sync;

    /// A free lock. `P` is the platform that will use it, for locks that keep a table of functions.
    fn new<P: Platform>(params: &Params) -> Self;

    /// Waits until the lock is taken by vCPU `ctx.me()`.
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>);

    /// Waits until the lock is taken, or gives up: `false`. Only a lock that may give up, after a time or at a deadlock, brings
    /// this; a vCPU that got `false` holds nothing.
    #[inline(always)]
    fn acquire_or_fail<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        self.acquire(ctx);
        true
    }

    /// Takes the lock if that is possible without waiting.
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool;

    /// Frees the lock. Only called by the vCPU that holds it; must not touch the lock after the store that frees it.
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>);
}
