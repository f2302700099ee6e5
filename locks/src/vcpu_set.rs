//! A set of vCPUs, of which only the members are looked at by whoever walks it.

use crate::sync::{AtomicU64, Ordering};
use crate::{Ctx, Platform, RawLock};

/// Members of a set among 64 vCPUs, on a cache line of its own. It lies in the block of the first of the 64: a set belongs
/// to no lock, and outlives all.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Members(AtomicU64);

const EACH: usize = u64::BITS as usize;

/// A lock whose vCPUs form a set.
pub(crate) trait InSet: RawLock {
    fn members(block: &Self::PerVcpu) -> &Members;
}

#[inline(always)]
fn mine<'a, L: InSet, P: Platform>(ctx: &Ctx<'a, L, P>) -> (&'a AtomicU64, u64) {
    let me = ctx.me();
    (&L::members(ctx.of(me - me % EACH)).0, 1 << (me % EACH))
}

/// The calling vCPU joins.
#[inline(always)]
pub(crate) fn join<L: InSet, P: Platform>(ctx: &Ctx<'_, L, P>) {
    let (members, bit) = mine(ctx);
    // Release: who finds the member must find what it published about itself.
    members.fetch_or(bit, Ordering::Release);
}

/// The calling vCPU leaves.
#[inline(always)]
pub(crate) fn leave<L: InSet, P: Platform>(ctx: &Ctx<'_, L, P>) {
    let (members, bit) = mine(ctx);
    // Relaxed: whoever still finds a member that left looks at it in vain.
    members.fetch_and(!bit, Ordering::Relaxed);
}

/// Calls `is_it` with each member's number until it says yes; that member.
#[inline(always)]
pub(crate) fn find<L: InSet, P: Platform>(
    ctx: &Ctx<'_, L, P>,
    mut is_it: impl FnMut(usize) -> bool,
) -> Option<usize> {
    let mut first = 0;
    while first < ctx.vcpus() {
        let mut members = L::members(ctx.of(first)).0.load(Ordering::Acquire);
        while members != 0 {
            let cpu = first + members.trailing_zeros() as usize;
            if is_it(cpu) {
                return Some(cpu);
            }
            members &= members - 1;
        }
        first += EACH;
    }
    None
}
