//! The lock that a worker is at, of one or several.

use core::marker::PhantomData;
use core::mem::offset_of;

use lockbench_locks::{Ctx, RawLock};

use crate::arena::{Data, Header, Layout, PICKS, Plan};
use crate::counter::bump;
use crate::probe::Probe;
use crate::vcpu::{Mode, Vcpu};

/// Number of the lock that all requests take where locks are nested, some of them inside the other one.
pub(crate) const INNER: usize = 0;
/// Number of the lock that some requests take first.
pub(crate) const OUTER: usize = 1;

/// A lock, and what it protects: one address leads to both, for a worker with a single lock has registers for no more.
pub(crate) struct At<'a, L> {
    pub(crate) which: usize,
    base: *const Header,
    lives: PhantomData<&'a L>,
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
        // SAFETY: `init` of the same lock made its parts there, aligned by `Layout::new`; they are shared from then on.
        unsafe {
            let layout = &(*arena).plan.layout;
            ctx.turn_to(layout.first_part::<u8>(arena, which));
            Self { which, base: arena.byte_add(which * layout.lock_step), lives: PhantomData }
        }
    }

    /// The lock.
    #[inline(always)]
    pub(crate) fn lock(&self) -> &'a L {
        // SAFETY: `init` put an `L` there, as `turn`'s caller vouched; it is shared from then on.
        unsafe { &*self.base.byte_add(Layout::LOCK).cast() }
    }

    /// What the lock protects.
    #[inline(always)]
    pub(crate) fn data(&self) -> &'a Data {
        // SAFETY: it lies as far from its lock as that of the first lock does, by `Layout::new`, and consists of atomics.
        unsafe { &*self.base.byte_add(offset_of!(Header, data)).cast() }
    }
}

/// The lock that a request begins with.
#[inline(always)]
pub(crate) fn pick(plan: &Plan, random: u64) -> usize {
    usize::from(plan.picks[(random >> 32) as usize % PICKS])
}

/// Counts that vCPU `me` has taken lock number `which` of several.
///
/// # Safety
///
/// `arena` must head a mapped arena with its plan, and `me` must be one of its vCPUs.
#[inline(never)]
pub(crate) unsafe fn tally(arena: *const Header, me: u32, which: usize) {
    // SAFETY: as the caller vouches.
    let tallies = unsafe {
        let plan = &(*arena).plan;
        plan.layout.tallies(arena, me as usize, plan.locks as usize)
    };
    if let Some(tally) = tallies.get(which) {
        bump(tally);
    }
}
