//! The seam between a lock and the vCPU it runs on.

use crate::Event;

/// What a lock may ask of the vCPU it runs on. Implementations are leaf code too.
pub trait Platform {
    /// Whether halting and kicking are compiled in at all (`CONFIG_PARAVIRT_SPINLOCKS`; a lock that
    /// [blocks](crate::RawLock::BLOCKS) always has them). Whether paravirtual code is *used* is
    /// [`Params::hypervisor`](crate::Params::hypervisor), at run time.
    const PARAVIRT: bool;

    /// One iteration of a spin loop. A lock spins only through this, so that models can yield and probes can look.
    fn relax(&self);

    /// Gives up the pCPU until this vCPU is kicked. A kick that comes before the halt sticks: the halt returns at
    /// once. May return spuriously. Only called where `PARAVIRT` holds and either a hypervisor is there or the lock blocks.
    fn halt(&self);

    /// Wakes vCPU `cpu` from its present or next halt.
    fn kick(&self, cpu: usize);

    /// A hint that vCPU `cpu` is off its pCPU; `false` where the host gives none.
    fn is_preempted(&self, cpu: usize) -> bool;

    /// Time in ticks of the processor's constant-rate counter.
    fn now(&self) -> u64;

    /// NUMA node that vCPU `cpu` is placed on.
    fn node_of(&self, cpu: usize) -> usize;

    /// Adds `n` to this vCPU's counter of `event`.
    fn add(&self, event: Event, n: u64);

    /// Adds one to this vCPU's counter of `event`.
    fn count(&self, event: Event) {
        self.add(event, 1);
    }
}
