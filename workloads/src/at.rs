//! The lock that a worker is at, of one or several.

use core::sync::atomic::Ordering::Relaxed;

use lockbench_locks::{Ctx, RawLock};

use crate::arena::{Data, Header, OwnBlock, PICKS, Plan};
use crate::counter::bump;
use crate::probe::Probe;
use crate::vcpu::{Mode, Vcpu};

/// Number of the lock that all requests take where locks are nested, some of them inside the other one.
pub(crate) const INNER: usize = 0;
/// Number of the lock that some requests take first.
pub(crate) const OUTER: usize = 1;

/// A lock, and what it protects.
pub(crate) struct At<'a, L> {
    pub(crate) which: usize,
    pub(crate) lock: &'a L,
    pub(crate) data: &'a Data,
}

impl<'a, L: RawLock> At<'a, L> {
    /// The lock of that number, with which `ctx` is to be called from now on.
    ///
    /// # Safety
    ///
    /// `arena` must head a mapped arena that was initialised for `L` and lives for `'a`, `ctx` must be over its blocks, and `which`
    /// must be one of its locks.
    #[inline(always)]
    pub(crate) unsafe fn turn<M: Mode, Pr: Probe>(
        arena: *const Header,
        which: usize,
        ctx: &mut Ctx<'a, L, Vcpu<M, Pr>>,
    ) -> Self {
        // SAFETY: `init` of the same lock put an `L` and its parts there, aligned by `Layout::new`; they are shared from then on.
        unsafe {
            let layout = &(*arena).plan.layout;
            ctx.turn_to(layout.first_part::<u8>(arena, which));
            Self { which, lock: &*layout.lock(arena, which), data: (*arena).data_of(which) }
        }
    }

    /// Counts that vCPU `me` has taken this lock, where there are several.
    #[inline(always)]
    pub(crate) fn tally(&self, arena: *const Header, plan: &Plan, me: u32) {
        // SAFETY: the plan is that of the arena, which lives for `'a`, and `me` is one of its vCPUs.
        let tallies = unsafe { plan.layout.tallies(arena, me as usize, plan.locks as usize) };
        if let Some(tally) = tallies.get(self.which) {
            bump(tally);
        }
    }

    /// Books a violation if another vCPU was inside since this one entered.
    #[inline(always)]
    pub(crate) fn still_mine(&self, own: &OwnBlock, me: u32) {
        if self.data.owner.load(Relaxed) != me {
            bump(&own.violations);
        }
    }
}

/// The lock that a request begins with.
#[inline(always)]
pub(crate) fn pick(plan: &Plan, random: u64) -> usize {
    usize::from(plan.picks[(random >> 32) as usize % PICKS])
}
