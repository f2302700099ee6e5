//! Whether a vCPU gets a lock past one that was before it and is off its pCPU.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use lockbench_locks::{Ctx, Params, RawLock};

use super::common::params;
use super::common::script::{Actor, Record};

const PARAMS: Params = params(1, false, 3);

/// More than any of these locks makes a waiter spin before it passes another.
const LIMIT: u32 = 2000;

/// Runs what a vCPU does until it is [`off`] for good. Tells whether it came to an end before that.
pub(crate) fn until_off(run: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

/// The vCPU that calls this does nothing more.
pub(crate) fn off() -> ! {
    resume_unwind(Box::new("off"))
}

/// When the one that is to pass comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    /// While the lock is held; it is released in its tenth iteration.
    BeforeRelease,
    /// When the lock was released and not taken again.
    AfterRelease,
}

/// vCPU 0 holds the lock, vCPU 1 waits and is off, vCPU 2 comes. The lock is released, and vCPU 2 spins on, with so many ticks to
/// an iteration. Returns the number of iterations after which it has the lock; none where it has to wait for vCPU 1.
pub(crate) fn spins_to_pass<L: RawLock>(comes: Comes, ticks: u64) -> Option<u32> {
    let lock = L::new::<Actor<'_>>(&PARAMS);
    let blocks: [L::PerVcpu; 3] = Default::default();
    let records: [Record; 3] = Default::default();
    let clock = Cell::new(1 << 40);
    let actor = |cpu: usize| Actor::new(&records[cpu]).reading(&clock);
    let holding = Ctx::<L, _>::over(0, &blocks, &PARAMS, actor(0));
    let (passed, gone) = (Cell::new(None), Cell::new(false));
    let spins = Cell::new(0);
    let passing = |_: Actor<'_>| {
        clock.set(clock.get() + ticks);
        spins.set(spins.get() + 1);
        if !gone.get() && spins.get() == 10 {
            lock.release(&holding);
            spins.set(0);
            gone.set(true);
        }
        if gone.get() && spins.get() > LIMIT {
            off();
        }
    };
    let third = Ctx::<L, _>::over(2, &blocks, &PARAMS, actor(2).spinning(&passing));
    let looked = Cell::new(false);
    let away = |_: Actor<'_>| {
        if looked.replace(true) {
            return;
        }
        if comes == Comes::AfterRelease {
            lock.release(&holding);
            gone.set(true);
        }
        if until_off(|| lock.acquire(&third)) {
            passed.set(Some(spins.get()));
            lock.release(&third);
        }
    };
    lock.acquire(&holding);
    lock.acquire(&Ctx::over(1, &blocks, &PARAMS, actor(1).spinning(&away)));
    assert!(looked.get(), "vCPU 1 had to wait");
    passed.get()
}
