//! Each waiter polls a slot of its own.

use std::cell::Cell;

use lockbench_locks::{Anderson, Ctx, Params, RawLock, Ticket};

use super::common::params;
use super::common::script::{Actor, Record};
use super::overtaking::{off, until_off};

const PARAMS: Params = params(1, false, 3);

/// Two wait. The release of the holder calls the slot of the first and leaves that of the second alone; ticket holders have no
/// memory but the lock's word to poll.
#[test]
fn anderson_waiters_poll_slots_of_their_own() {
    assert_eq!(size_of::<<Ticket as RawLock>::PerVcpu>(), 0);
    let lock = Anderson::new::<Actor<'_>>(&PARAMS);
    let blocks: [<Anderson as RawLock>::PerVcpu; 3] = Default::default();
    let records: [Record; 3] = Default::default();
    let called = || -> Vec<usize> { (0..3).filter(|&slot| blocks[slot].is_called()).collect() };
    let holding = Ctx::<Anderson, _>::over(0, &blocks, &PARAMS, Actor::new(&records[0]));
    let looks = Cell::new(0);
    let waiting = |_: Actor<'_>| {
        looks.set(looks.get() + 1);
        let second = Actor::new(&records[2]).spinning(&|_| off());
        assert!(!until_off(|| lock.acquire(&Ctx::over(2, &blocks, &PARAMS, second))), "the lock is held");
        assert_eq!(called(), []);
        lock.release(&holding);
        assert_eq!(called(), [1]);
    };
    lock.acquire(&holding);
    let first = Ctx::<Anderson, _>::over(1, &blocks, &PARAMS, Actor::new(&records[1]).spinning(&waiting));
    lock.acquire(&first);
    assert_eq!((looks.get(), called()), (1, vec![]));
    lock.release(&first);
    assert_eq!(called(), [2]);
}

/// Three slots, and many more numbers.
#[test]
fn anderson_slots_are_used_again() {
    let lock = Anderson::new::<Actor<'_>>(&PARAMS);
    let blocks: [<Anderson as RawLock>::PerVcpu; 3] = Default::default();
    let record = Record::default();
    for pass in 0..20 {
        let ctx = Ctx::<Anderson, _>::over(pass % 2, &blocks, &PARAMS, Actor::new(&record));
        if pass % 5 == 0 {
            assert!(lock.try_acquire(&ctx));
        } else {
            lock.acquire(&ctx);
        }
        let other = Ctx::<Anderson, _>::over(2, &blocks, &PARAMS, Actor::new(&record));
        assert!(!lock.try_acquire(&other));
        lock.release(&ctx);
    }
}
