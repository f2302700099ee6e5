//! How a waiter that has a word of its own spins for a while and then halts.

use crate::sync::{AtomicU8, AtomicU32, Ordering};
use crate::{Event, Platform};

/// Iterations before a waiter halts, unless the spin threshold is below it: the default of LiTL.
const SPINS: u32 = 2700;

const WAITING: u8 = 0;
const HALTED: u8 = 1;
const GRANTED: u8 = 2;

/// A waiter's word, and whom to kick.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    state: AtomicU8,
    cpu: AtomicU32,
}

impl Parking {
    /// Makes the word ready for a wait. What publishes the waiter publishes this too.
    #[inline(always)]
    pub(crate) fn prepare(&self, cpu: usize) {
        self.state.store(WAITING, Ordering::Relaxed);
        self.cpu.store(cpu as u32, Ordering::Relaxed);
    }

    /// Waits for the grant: spins as often as the threshold says, but no more than [`SPINS`] times, then halts.
    #[inline(always)]
    pub(crate) fn wait(&self, spin_threshold: u32, platform: &impl Platform) {
        for _ in 0..spin_threshold.min(SPINS) {
            // Acquire, here and below: what the granter did before is seen after the wait.
            if self.state.load(Ordering::Acquire) == GRANTED {
                return;
            }
            platform.relax();
        }
        // An exchange, so that a grant at the same moment either sees that there is somebody to kick, or is seen here.
        if self.state.compare_exchange(WAITING, HALTED, Ordering::Acquire, Ordering::Acquire).is_err() {
            return;
        }
        platform.count(Event::LockSlowpath);
        // A kick sticks, and a halt may end early.
        while self.state.load(Ordering::Acquire) != GRANTED {
            platform.halt();
        }
    }

    /// Ends the wait, from another vCPU. Nothing of the waiter's is touched after the exchange: it may have gone on.
    #[inline(always)]
    pub(crate) fn grant(&self, platform: &impl Platform) {
        let cpu = self.cpu.load(Ordering::Relaxed);
        if self.state.swap(GRANTED, Ordering::AcqRel) == HALTED {
            platform.count(Event::PvKickUnlock);
            platform.kick(cpu as usize);
        }
    }
}
