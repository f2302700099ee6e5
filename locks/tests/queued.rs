//! The races of the queued locks, by name.
#![cfg(not(locks_loom))]

mod common;

use std::cell::Cell;

use common::machine::{Machine, stress};
use common::params;
use common::script::{Actor, Record};
use lockbench_locks::sync::{Ordering, QueueWord};
use lockbench_locks::{Ctx, EarlyWait, Event, Params, PvQueued, RawLock};

const ON: Params = params(1, true, 3);
const OFF: Params = params(1, false, 3);
const TWO_SPINS: Params = params(2, true, 2);
const PATIENT: Params = params(1000, true, 2);
const ALONE: Params = params(1, true, 1);

fn new(params: &Params) -> PvQueued {
    PvQueued::new::<Actor<'_>>(params)
}

fn fresh(vcpus: usize) -> Vec<<PvQueued as RawLock>::PerVcpu> {
    (0..vcpus).map(|_| Default::default()).collect()
}

fn hashed(blocks: &[<PvQueued as RawLock>::PerVcpu]) -> usize {
    blocks.iter().map(|block| block.hashed()).sum()
}

#[test]
fn parts_of_the_word_leave_the_others_alone() {
    const TAIL: u32 = 0xabcd_0000;
    let word = QueueWord::default();
    let value = || word.load(Ordering::Relaxed);
    assert_eq!(word.try_lock(), Ok(()));
    assert_eq!(word.try_lock(), Err(QueueWord::LOCKED));
    assert_eq!(word.swap_tail(TAIL), 0);
    assert_eq!(value(), TAIL | QueueWord::LOCKED);
    assert_eq!(word.set_pending(), TAIL | QueueWord::LOCKED);
    assert!(!word.try_pending_to_locked());
    word.unlock();
    assert_eq!(value(), TAIL | QueueWord::PENDING);
    word.pending_to_locked();
    assert_eq!(value(), TAIL | QueueWord::LOCKED);
    assert_eq!(word.swap_slow(), QueueWord::LOCKED);
    assert!(!word.try_unlock());
    word.set_locked();
    assert!(!word.try_steal());
    assert!(word.try_unlock());
    assert_eq!(value(), TAIL);
    assert_eq!(word.swap_slow(), 0);
    word.unlock();
    word.forbid_stealing();
    assert_eq!(word.set_pending(), TAIL | QueueWord::PENDING);
    assert!(word.try_pending_to_locked());
    word.set_slow();
    assert_eq!(value(), TAIL | QueueWord::SLOW);
    word.unlock();
    assert_eq!(word.set_pending(), TAIL);
    word.clear_pending();
    assert_eq!(value(), TAIL);
    assert!(word.try_steal());
    assert!(word.try_lock_last(TAIL | QueueWord::LOCKED));
    assert_eq!(value(), QueueWord::LOCKED);
    assert_eq!(word.swap_tail(TAIL), 0);
    assert_eq!(word.swap_tail(0), TAIL);
}

/// An unlock that stored 0 and nothing else would leave entries behind; so would a head that hashed twice.
#[test]
fn the_table_of_sleepers_is_empty_once_all_is_quiet() {
    for machine in [Machine::new(ON), Machine::new(ON).dawdling(5), Machine::new(ON).spurious()] {
        let blocks = fresh(3);
        machine.until(Event::PvWaitHead, || {
            assert_eq!(stress::<_, true>(&new(&ON), &machine, &blocks, 500), 0);
        });
        assert_eq!(hashed(&blocks), 0);
    }
}

#[test]
fn switched_off_it_neither_halts_nor_steals() {
    let machine = Machine::new(OFF);
    let blocks = fresh(3);
    assert_eq!(stress::<_, true>(&new(&OFF), &machine, &blocks, 200), 0);
    for event in Event::ALL {
        let native = matches!(event, Event::LockPending | Event::LockSlowpath);
        assert!(native || machine.counted(event) == 0, "{event:?}");
    }
}

/// With a threshold that nobody reaches only a reason to halt early makes anyone halt.
#[test]
fn waiters_halt_early_for_the_reason_they_are_given() {
    for early_wait in EarlyWait::ALL {
        let params = Params { early_wait, ..params(u32::MAX, true, 3) };
        let (machine, blocks) = (Machine::new(params), fresh(3));
        let round = || assert_eq!(stress::<_, true>(&new(&params), &machine, &blocks, 200), 0);
        if early_wait == EarlyWait::Always {
            machine.until(Event::PvWaitEarly, round);
            assert_eq!(machine.counted(Event::PvWaitEarly), machine.counted(Event::PvWaitNode));
        } else {
            round();
            assert_eq!(
                machine.counted(Event::Halt),
                0,
                "nobody has halted, and no host says that anyone is preempted"
            );
        }
        assert_eq!(hashed(&blocks), 0);
    }
}

/// Kicked, and beaten by a stealer: the head goes back to spinning, is not hashed again and does not halt, for nobody
/// would kick it.
#[test]
fn a_head_that_was_beaten_neither_hashes_nor_halts_again() {
    let (lock, blocks) = (new(&ON), fresh(3));
    let [holder, head, thief] = [(); 3].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &ON, Actor::new(&holder));
    let stealing = Ctx::over(2, &blocks, &ON, Actor::new(&thief));
    let (halts, looks) = (Cell::new(0), Cell::new(0));
    let halted = |_: Actor<'_>| {
        halts.set(halts.get() + 1);
        assert_eq!(hashed(&blocks), 1);
        lock.release(&holding);
        assert_eq!((holder.kicked(), hashed(&blocks)), (vec![1], 0));
        lock.acquire(&stealing);
    };
    let spinning = |_: Actor<'_>| {
        if halts.get() == 1 {
            looks.set(looks.get() + 1);
            if looks.get() == 3 {
                lock.release(&stealing);
            }
        }
    };
    let waiting = Ctx::over(1, &blocks, &ON, Actor::new(&head).spinning(&spinning).halted(&halted));
    lock.acquire(&holding);
    lock.acquire(&waiting);
    assert_eq!((halts.get(), head.counted(Event::PvHashHops)), (1, 1));
    assert_ne!(head.counted(Event::PvWaitAgain), 0);
    assert_eq!(thief.kicked(), []);
    lock.release(&waiting);
    assert_eq!(hashed(&blocks), 0);
    assert!(lock.try_acquire(&holding), "all is as new");
}

/// The release that comes between the head's last look and its hashing: the lock is the head's, the entry goes.
#[test]
fn a_head_that_finds_the_lock_free_unhashes_itself() {
    let (lock, blocks) = (new(&TWO_SPINS), fresh(2));
    let [holder, head] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &TWO_SPINS, Actor::new(&holder));
    let looks = Cell::new(0);
    let spinning = |_: Actor<'_>| {
        looks.set(looks.get() + 1);
        if looks.get() == 2 {
            lock.release(&holding);
        }
    };
    let waiting = Ctx::over(1, &blocks, &TWO_SPINS, Actor::new(&head).spinning(&spinning));
    lock.acquire(&holding);
    lock.acquire(&waiting);
    assert_eq!((looks.get(), head.counted(Event::PvHashHops)), (2, 1));
    assert_eq!(hashed(&blocks), 0);
    lock.release(&waiting);
    assert_eq!(head.kicked(), []);
}

/// Interrupt handlers that wait for locks of their own, on a vCPU that waits already: two levels more than there are
/// nodes.
#[test]
fn handlers_nest_beyond_the_nodes() {
    let blocks = fresh(2);
    let locks: [_; 6] = std::array::from_fn(|_| new(&PATIENT));
    let [holder, nested] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &PATIENT, Actor::new(&holder));
    for round in 1..=2 {
        let level = Cell::new(0);
        let spinning = |actor: Actor<'_>| {
            level.set(level.get() + 1);
            if let Some(lock) = locks.get(level.get()) {
                let handler = Ctx::over(1, &blocks, &PATIENT, actor);
                lock.acquire(&handler);
                lock.release(&handler);
            } else if level.get() == locks.len() {
                locks.iter().for_each(|lock| lock.release(&holding));
            }
        };
        let waiting = Ctx::over(1, &blocks, &PATIENT, Actor::new(&nested).spinning(&spinning));
        locks.iter().for_each(|lock| lock.acquire(&holding));
        locks[0].acquire(&waiting);
        locks[0].release(&waiting);
        assert_eq!(nested.counted(Event::LockNoNode), 2 * round);
    }
}

/// A vCPU that sleeps for as many locks as it has nodes: its share of the table is as full as it can get.
#[test]
fn the_table_holds_every_node_there_is() {
    let blocks = fresh(1);
    let locks: [_; 4] = std::array::from_fn(|_| new(&ALONE));
    let [holder, nested] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &ALONE, Actor::new(&holder));
    let level = Cell::new(0);
    let halted = |actor: Actor<'_>| {
        level.set(level.get() + 1);
        if let Some(lock) = locks.get(level.get()) {
            let handler = Ctx::over(0, &blocks, &ALONE, actor);
            lock.acquire(&handler);
            lock.release(&handler);
        } else {
            assert_eq!(hashed(&blocks), locks.len());
            locks.iter().for_each(|lock| lock.release(&holding));
        }
    };
    let waiting = Ctx::over(0, &blocks, &ALONE, Actor::new(&nested).spinning(&|_| {}).halted(&halted));
    locks.iter().for_each(|lock| lock.acquire(&holding));
    locks[0].acquire(&waiting);
    locks[0].release(&waiting);
    assert_eq!((holder.kicked(), hashed(&blocks)), (vec![0; locks.len()], 0));
}
