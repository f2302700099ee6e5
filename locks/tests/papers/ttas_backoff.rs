//! Test-and-set with backoff looks seldom.

use std::cell::Cell;

use lockbench_locks::{Ctx, Params, RawLock, Tas, TtasBackoff};

use super::common::params;
use super::common::script::{Actor, Record};

const PARAMS: Params = params(1, false, 2);

/// How many iterations a waiter spins until it has the lock, if it is released during the `nth`.
fn spins_until_taken<L: RawLock>(nth: u32) -> u32 {
    let lock = L::new::<Actor<'_>>(&PARAMS);
    let blocks: [L::PerVcpu; 2] = Default::default();
    let [holder, waiter] = [(); 2].map(|()| Record::default());
    let holding = Ctx::<L, _>::over(0, &blocks, &PARAMS, Actor::new(&holder));
    let spins = Cell::new(0);
    let spinning = |_: Actor<'_>| {
        spins.set(spins.get() + 1);
        if spins.get() == nth {
            lock.release(&holding);
        }
    };
    lock.acquire(&holding);
    lock.acquire(&Ctx::over(1, &blocks, &PARAMS, Actor::new(&waiter).spinning(&spinning)));
    spins.get()
}

/// The iterations after which a waiter looks at the lock, among the first 8192.
fn looks<L: RawLock>() -> Vec<u32> {
    let mut looks: Vec<u32> = (1..8192).map(spins_until_taken::<L>).collect();
    looks.dedup();
    looks
}

/// Test-and-set looks in every iteration. With backoff the pauses between looks grow, and then stay within their bound.
#[test]
fn ttas_backoff_looks_ever_more_seldom() {
    assert_eq!(looks::<Tas>().len(), 8191);
    let looks = looks::<TtasBackoff>();
    // Doubling from 4 to 1024 takes 8 looks; after that a pause lasts 512 iterations on average.
    assert!((12..=50).contains(&looks.len()), "{looks:?}");
    let pauses: Vec<u32> = looks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.iter().all(|pause| *pause <= 1024), "{pauses:?}");
    assert!(looks[0] <= 4 && pauses.iter().any(|pause| *pause > 256), "{looks:?}");
}
