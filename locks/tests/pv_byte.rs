//! The races of Xen's byte lock, by name.
#![cfg(not(locks_loom))]

mod common;

use std::cell::Cell;

use common::params;
use common::script::{Actor, Record};
use lockbench_locks::{Ctx, Params, PvByte, RawLock};

const ON: Params = params(1, true, 2);

/// A kick forgotten too early would let the next halt return at once, one forgotten too late would be lost: the release
/// that comes just then finds the sleeper's slot and count, and is seen by the attempt that follows.
#[test]
fn a_kick_is_forgotten_between_the_slot_and_the_last_attempt() {
    let lock = PvByte::new::<Actor<'_>>(&ON);
    let blocks: [<PvByte as RawLock>::PerVcpu; 2] = Default::default();
    let [holder, waiter] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &ON, Actor::new(&holder));
    let forgotten = Cell::new(0);
    let forgetting = |_: Actor<'_>| {
        forgotten.set(forgotten.get() + 1);
        lock.release(&holding);
    };
    let actor = Actor::new(&waiter).spinning(&|_| {}).forgetting(&forgetting);
    let waiting = Ctx::over(1, &blocks, &ON, actor);
    lock.acquire(&holding);
    lock.acquire(&waiting);
    assert_eq!((forgotten.get(), holder.kicked()), (1, vec![1]), "published before it forgot");
    lock.release(&waiting);
    assert_eq!(waiter.kicked(), [], "nobody sleeps any more");
}

/// An interrupt handler sleeps for a lock of its own on a vCPU that sleeps already: the outer wait is entered again, and
/// the kick that the handler forgot or took is made up for.
#[test]
fn a_handler_leaves_the_outer_wait_as_it_was() {
    let locks: [_; 2] = std::array::from_fn(|_| PvByte::new::<Actor<'_>>(&ON));
    let blocks: [<PvByte as RawLock>::PerVcpu; 2] = Default::default();
    let [holder, nested] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &ON, Actor::new(&holder));
    let halts = Cell::new(0);
    let halted = |actor: Actor<'_>| {
        halts.set(halts.get() + 1);
        if halts.get() == 1 {
            let handler = Ctx::over(1, &blocks, &ON, actor);
            locks[1].acquire(&handler);
            locks[1].release(&handler);
            assert_eq!(nested.kicked(), [1], "its own kick, for the outer wait");
            locks[0].release(&holding);
        } else {
            locks[1].release(&holding);
        }
    };
    let waiting = Ctx::over(1, &blocks, &ON, Actor::new(&nested).spinning(&|_| {}).halted(&halted));
    locks.iter().for_each(|lock| lock.acquire(&holding));
    locks[0].acquire(&waiting);
    assert_eq!((halts.get(), holder.kicked()), (2, vec![1, 1]), "the outer sleeper was found again");
}
