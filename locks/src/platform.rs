//! The seam between a lock and the vCPU it runs on.

use crate::Event;

/// What of a lock's paravirtual code stands in its machine code: the compile-time axis of locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// None: compiled without `CONFIG_PARAVIRT_SPINLOCKS`.
    Bare,
    /// What boot-time patching left of it on a native machine: direct calls, NOPs, an inline store. Nothing is rewritten
    /// at run time here; these are the bytes that a kernel had after it had rewritten its own.
    Patched,
    /// All of it. Whether it is *used* is [`Params::hypervisor`](crate::Params::hypervisor), at run time.
    Paravirt,
}

/// What a lock may ask of the vCPU it runs on. Implementations are leaf code too.
pub trait Platform {
    /// What of the paravirtual code is compiled in.
    const CODE: Code;

    /// Whether halting and kicking are compiled in at all (a lock that [blocks](crate::RawLock::BLOCKS) always has them).
    const PARAVIRT: bool = matches!(Self::CODE, Code::Paravirt);

    /// One iteration of a spin loop. A lock spins only through this, so that models can yield and probes can look.
    fn relax(&self);

    /// Gives up the pCPU until this vCPU is kicked. A kick that comes before the halt sticks: the halt returns at
    /// once. May return spuriously. Only called where `PARAVIRT` holds and either a hypervisor is there or the lock blocks.
    fn halt(&self);

    /// Wakes vCPU `cpu` from its present or next halt.
    fn kick(&self, cpu: usize);

    /// Forgets a kick that came before and has ended no halt. A kick that is sent after this sticks again. An
    /// environment where forgetting costs more than a halt that returns at once may do nothing.
    fn forget_kick(&self) {}

    /// A hint that vCPU `cpu` is off its pCPU; `false` where the host gives none.
    fn is_preempted(&self, cpu: usize) -> bool;

    /// Time in ticks of the processor's constant-rate counter.
    fn now(&self) -> u64;

    /// When the present timeslice of this vCPU ends, on the clock of [`now`](Self::now): before that its hypervisor takes the pCPU
    /// away only for another reason than the time. None where no scheduler tells.
    fn slice_end(&self) -> Option<u64> {
        None
    }

    /// NUMA node that vCPU `cpu` is placed on.
    fn node_of(&self, cpu: usize) -> usize;

    /// Adds `n` to this vCPU's counter of `event`.
    fn add(&self, event: Event, n: u64);

    /// Adds one to this vCPU's counter of `event`.
    fn count(&self, event: Event) {
        self.add(event, 1);
    }
}
