//! One table of everything that can be measured. Type erasure happens here and nowhere else.

use core::alloc::Layout;

use lockbench_locks::{self as locks, Order, Paravirt as Carried, RawLock, Variant};

use crate::arena::Header;
use crate::probe::{Count, CountCopy, Off, ProbeKind, Trace};
use crate::vcpu::{Bare, Paravirt, Patched};
use crate::worker::{WorkerFn, init, worker};

const PROBES: usize = ProbeKind::ALL.len();

/// A lock instantiated for one mode and one probe.
#[derive(Clone, Copy, Debug)]
pub struct WorkerEntry {
    /// Puts a free lock into an arena. See the safety section of the worker's module.
    pub init: unsafe fn(arena: *mut Header),
    /// The worker that uses it.
    pub run: WorkerFn,
}

impl WorkerEntry {
    const fn of<L: RawLock, M: crate::Mode, Pr: crate::Probe>() -> Self {
        Self { init: init::<L, M, Pr>, run: worker::<L, M, Pr> }
    }

    /// The workers of one mode, one for each probe, in the order of [`ProbeKind`].
    const fn each<L: RawLock, M: crate::Mode>() -> [Self; PROBES] {
        [
            Self::of::<L, M, Off>(),
            Self::of::<L, M, Count>(),
            Self::of::<L, M, CountCopy>(),
            Self::of::<L, M, Trace>(),
        ]
    }

    /// Workers without paravirtual code; a lock that blocks always needs halt and kick, so even its bare workers carry them.
    const fn plain<L: RawLock>() -> [Self; PROBES] {
        if L::BLOCKS { Self::each::<L, Paravirt>() } else { Self::each::<L, Bare>() }
    }
}

/// Which workers the variants of a lock ask for beside the bare ones. Workers that nobody can ask for would only cost compile time.
struct Asked {
    /// Those of the code that boot-time patching leaves.
    patched: bool,
    /// Those that carry paravirtual code.
    paravirt: bool,
}

impl Asked {
    const fn by(variants: &[Variant]) -> Self {
        let mut asked = Self { patched: false, paravirt: false };
        let mut nth = 0;
        while nth < variants.len() {
            match variants[nth].paravirt {
                Carried::CompiledOut => {}
                Carried::Patched => asked.patched = true,
                Carried::CarriedOff | Carried::On => asked.paravirt = true,
            }
            nth += 1;
        }
        asked
    }
}

/// A lock's source: its names, properties, sizes and workers.
#[derive(Debug)]
pub struct Family {
    /// Name of the algorithm.
    pub name: &'static str,
    /// The names under which it is measured.
    pub variants: &'static [Variant],
    /// Order of admission.
    pub order: Order,
    /// Paper or kernel commit.
    pub source: &'static str,
    /// See [`RawLock::REVISION`].
    pub revision: u32,
    /// Whether it may run in a bare virtual machine (the `kvm` environment).
    pub leaf: bool,
    /// Whether its workers are compiled with checks, as in a build without optimisation: such code calls libc and panics, so that
    /// no lock of it is leaf code.
    pub checked: bool,
    /// Whether its waiters may sleep, and so need halt and kick in every environment.
    pub blocks: bool,
    /// Whether its waiters spin through [`Platform::relax`](locks::Platform::relax).
    pub relaxes: bool,
    /// Whether it obeys [`Params::early_wait`](locks::Params::early_wait).
    pub waits_early: bool,
    /// Whether it prefers waiters by their NUMA node.
    pub by_node: bool,
    /// See [`RawLock::SHARES_BLOCKS`].
    pub shares_blocks: bool,
    /// Size and alignment of the lock.
    pub lock: Layout,
    /// What the lock needs more for each vCPU, behind itself, in bytes.
    pub more_per_vcpu: usize,
    /// Size and alignment of the lock's part per vCPU.
    pub per_vcpu: Layout,
    bare: [WorkerEntry; PROBES],
    /// As `bare` where no variant has boot-time patching.
    patched: [WorkerEntry; PROBES],
    /// As `bare` where no variant carries paravirtual code.
    paravirt: [WorkerEntry; PROBES],
}

impl Family {
    /// The descriptor of a lock.
    pub const fn of<L: RawLock>() -> Self {
        let asked = Asked::by(L::VARIANTS);
        Self {
            name: L::NAME,
            variants: L::VARIANTS,
            order: L::ORDER,
            source: L::SOURCE,
            revision: L::REVISION,
            leaf: L::LEAF,
            checked: false,
            blocks: L::BLOCKS,
            relaxes: L::RELAXES,
            waits_early: L::WAITS_EARLY,
            by_node: L::BY_NODE,
            shares_blocks: L::SHARES_BLOCKS,
            lock: Layout::new::<L>(),
            more_per_vcpu: 0,
            per_vcpu: Layout::new::<L::PerVcpu>(),
            bare: WorkerEntry::plain::<L>(),
            patched: if asked.patched {
                WorkerEntry::each::<L, Patched>()
            } else {
                WorkerEntry::plain::<L>()
            },
            paravirt: if asked.paravirt {
                WorkerEntry::each::<L, Paravirt>()
            } else {
                WorkerEntry::plain::<L>()
            },
        }
    }

    /// Says whether the crate that instantiates the workers is compiled with checks: `cfg!(debug_assertions)` there.
    pub const fn compiled_with_checks(self, checked: bool) -> Self {
        Self { checked, ..self }
    }

    /// Size and alignment of the lock for so many vCPUs; none if there can be no such memory.
    pub fn lock_for(&self, vcpus: usize) -> Option<Layout> {
        let size = self.lock.size().checked_add(self.more_per_vcpu.checked_mul(vcpus)?)?;
        Layout::from_size_align(size, self.lock.align()).ok()
    }

    /// Whether a waiter may sleep in the kernel without calling the platform's `halt`. Nothing tells such a sleep from a
    /// preemption.
    pub const fn sleeps_unseen(&self) -> bool {
        self.blocks && !self.leaf
    }

    /// The compiled form of one of the lock's variants.
    pub const fn entry(&self, paravirt: Carried, probe: ProbeKind) -> WorkerEntry {
        match paravirt {
            Carried::CompiledOut => self.bare[probe as usize],
            Carried::Patched => self.patched[probe as usize],
            Carried::CarriedOff | Carried::On => self.paravirt[probe as usize],
        }
    }
}

macro_rules! families {
    ($($lock:ty),+) => {
        /// Every lock of the catalogue, in its order.
        pub static CATALOGUE: &[Family] =
            &[$(Family::of::<$lock>().compiled_with_checks(cfg!(debug_assertions))),+];
    };
}
locks::for_each_lock!(families);
