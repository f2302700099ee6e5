//! What a lock reports about itself, counted per vCPU.

/// An event inside a lock, by its kernel name (`kernel/locking/lock_events_list.h`, Linux 6.12) where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Event {
    /// Calls of halt: the vCPU gave up its pCPU.
    Halt,
    /// Calls of kick: a halted vCPU was made runnable.
    Kick,
    /// Steps of a wait in which the vCPU yielded its pCPU.
    Yield,
    /// Sum of the hash entries looked at, to be divided by the number of hashings (`pv_wait_head` + `pv_kick_wake`…).
    PvHashHops,
    /// Kicks sent by an unlock.
    PvKickUnlock,
    /// Waits that ended in a kick rather than in a return without halting.
    PvKickWake,
    /// Locks taken by a vCPU that jumped the queue; in `malthusian`, by one that was passive.
    PvLockStealing,
    /// Halts that ended without what was waited for.
    PvSpuriousWakeup,
    /// Queue heads that halted again after a kick because a stealer was faster.
    PvWaitAgain,
    /// Waiters that stopped spinning early because their predecessor was not running; in `i-spinlock`, vCPUs that did not queue
    /// before their next timeslice.
    PvWaitEarly,
    /// Halts of a queue head.
    PvWaitHead,
    /// Halts of a queue node behind the head.
    PvWaitNode,
    /// Locks taken through the pending bit.
    LockPending,
    /// Locks taken through the queue or the slow path.
    LockSlowpath,
    /// Queue nodes exhausted by nesting; the vCPU spun on trylock.
    LockNoNode,
    /// Acquisitions that were given up because they took too long.
    LockTimeout,
    /// Acquisitions that were given up because of a deadlock, or because the head of their queue gave up.
    LockDeadlock,
    /// Releases up to which the kernel had extended the vCPU's timeslice.
    SliceExtended,
}

impl Event {
    /// Number of events, the length of a counter array indexed by `event as usize`.
    pub const COUNT: usize = Self::ALL.len();

    /// Every event, in the order of its discriminant.
    pub const ALL: [Self; 18] = [
        Self::Halt,
        Self::Kick,
        Self::Yield,
        Self::PvHashHops,
        Self::PvKickUnlock,
        Self::PvKickWake,
        Self::PvLockStealing,
        Self::PvSpuriousWakeup,
        Self::PvWaitAgain,
        Self::PvWaitEarly,
        Self::PvWaitHead,
        Self::PvWaitNode,
        Self::LockPending,
        Self::LockSlowpath,
        Self::LockNoNode,
        Self::LockTimeout,
        Self::LockDeadlock,
        Self::SliceExtended,
    ];

    /// The name in results: the kernel's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Kick => "kick",
            Self::Yield => "yield",
            Self::PvHashHops => "pv_hash_hops",
            Self::PvKickUnlock => "pv_kick_unlock",
            Self::PvKickWake => "pv_kick_wake",
            Self::PvLockStealing => "pv_lock_stealing",
            Self::PvSpuriousWakeup => "pv_spurious_wakeup",
            Self::PvWaitAgain => "pv_wait_again",
            Self::PvWaitEarly => "pv_wait_early",
            Self::PvWaitHead => "pv_wait_head",
            Self::PvWaitNode => "pv_wait_node",
            Self::LockPending => "lock_pending",
            Self::LockSlowpath => "lock_slowpath",
            Self::LockNoNode => "lock_no_node",
            Self::LockTimeout => "rqspinlock_lock_timeout",
            Self::LockDeadlock => "rqspinlock_deadlock",
            Self::SliceExtended => "slice_extended",
        }
    }
}
