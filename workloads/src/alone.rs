//! A vCPU that is alone and has nothing to do in its sections: it acquires and releases, and does next to nothing else.

use core::sync::atomic::Ordering::Relaxed;

use lockbench_locks::{Ctx, RawLock};

use crate::arena::{Data, OwnBlock};
use crate::counter::add;
use crate::probe::{Phase, Probe};
use crate::vcpu::{Mode, Vcpu};

/// So many turns are counted together.
pub const TOGETHER: u64 = 16;

/// Takes and frees the lock for ever. Nobody else can be in the section, so nothing is checked there. Both counts are raised once for
/// [`TOGETHER`] turns: a locked instruction waits until the stores before it are done, and that would pass for the lock's cost. The
/// probe is looked at as seldom, and a preemption counts as one of a vCPU that thinks, for nobody waits for this one, whatever it did.
#[inline(always)]
pub(crate) fn alone<L: RawLock, M: Mode, Pr: Probe>(
    ctx: &Ctx<'_, L, Vcpu<M, Pr>>,
    lock: &L,
    data: &Data,
    own: &OwnBlock,
    me: u32,
) -> ! {
    data.owner.store(me, Relaxed);
    loop {
        let mut acquired = 0;
        for _ in 0..TOGETHER {
            if lock.acquire_or_fail(ctx) {
                lock.release(ctx);
                acquired += 1;
            }
        }
        add(&data.counter, acquired);
        add(&own.operations, acquired);
        add(&own.failures, TOGETHER - acquired);
        ctx.platform().look(Phase::Thinking);
    }
}
