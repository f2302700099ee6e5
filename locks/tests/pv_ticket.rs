//! The races of the ticket locks, by name.
#![cfg(not(locks_loom))]

mod common;

use common::machine::{Machine, blocks, stress, stress_patched};
use common::params;
use common::script::{Actor, Record};
use lockbench_locks::sync::{TicketWord, Tickets};
use lockbench_locks::{Ctx, Event, Params, PvTicket, PvopsTicket, RawLock, Ticket, TicketSplit};

const ON: Params = params(1, true, 2);
const OFF: Params = params(1, false, 2);
const THREE: Params = params(1, true, 3);

/// A hundred numbers before the last.
const NEAR_THE_END: u16 = 0u16.wrapping_sub(200);

#[test]
fn tickets_wrap_around() {
    let machine = Machine::new(params(1, false, 3));
    let wraps = |lock| assert_eq!(stress::<_, false>(&lock, &machine, &blocks::<Ticket>(&machine), 100), 0);
    wraps(Ticket::starting_at(NEAR_THE_END));
    let split = TicketSplit::starting_at(NEAR_THE_END);
    assert_eq!(stress::<_, false>(&split, &machine, &blocks::<TicketSplit>(&machine), 100), 0);
    let pvops = PvopsTicket::starting_at(NEAR_THE_END);
    assert_eq!(stress::<_, false>(&pvops, &machine, &blocks::<PvopsTicket>(&machine), 100), 0);
    assert_eq!(stress_patched(&pvops, &machine, &blocks::<PvopsTicket>(&machine), 100), 0);
    for params in [ON, OFF] {
        let machine = Machine::new(Params { vcpus: 3, ..params });
        let blocks = blocks::<PvTicket>(&machine);
        let lock = || PvTicket::starting_at(NEAR_THE_END);
        assert_eq!(stress::<_, true>(&lock(), &machine, &blocks, 100), 0);
        assert_eq!(stress::<_, false>(&lock(), &machine, &blocks, 100), 0);
        assert_eq!(stress_patched(&lock(), &machine, &blocks, 100), 0);
    }
}

/// All numbers there are, twice: both halves come round, however they are added to.
#[test]
fn all_numbers_come_round() {
    let word = TicketWord::starting_at(0);
    for turn in 0..=u16::MAX {
        let mine = turn.wrapping_mul(TicketWord::STEP);
        let taken = if turn % 2 == 0 { word.take() } else { word.take_split() };
        assert_eq!(taken, Tickets { head: mine, tail: mine });
        if turn % 3 == 0 { assert_eq!(word.advance_and_look(), mine) } else { word.advance() }
    }
}

#[test]
fn a_wrapping_head_carries_nothing_into_the_tail() {
    const LAST: u16 = 0u16.wrapping_sub(TicketWord::STEP);
    for flag in [0, TicketWord::SLOW] {
        let word = TicketWord::starting_at(LAST);
        assert_eq!(word.take(), Tickets { head: LAST, tail: LAST });
        if flag != 0 {
            assert_eq!(word.set_slow(), LAST | flag);
        }
        assert_eq!(word.advance_and_look(), LAST | flag);
        assert_eq!(word.take(), Tickets { head: flag, tail: 0 });
    }
    let word = TicketWord::starting_at(LAST);
    word.take();
    word.advance();
    assert_eq!(word.take(), Tickets { head: 0, tail: 0 });
}

#[test]
fn the_flag_goes_with_the_last_waiter_only() {
    let word = TicketWord::starting_at(0);
    let (one, two, three) = (word.take().tail, word.take().tail, word.take().tail);
    word.set_slow();
    word.advance_and_look();
    word.clear_slow(two);
    assert_eq!(word.head(), two | TicketWord::SLOW, "{three} still waits behind {two}, who came after {one}");
    word.advance_and_look();
    word.clear_slow(three);
    assert_eq!(word.head(), three);
}

#[test]
fn trying_takes_no_flagged_lock() {
    let word = TicketWord::starting_at(0);
    word.take();
    word.set_slow();
    assert!(!word.try_take());
    assert_eq!(word.head(), TicketWord::SLOW);
}

/// The release comes between the waiter's last look and its halt: it finds the flag and the slot, and kicks.
#[test]
fn whoever_is_about_to_halt_is_kicked() {
    let lock = PvTicket::new::<Actor<'_>>(&ON);
    let blocks: [<PvTicket as RawLock>::PerVcpu; 3] = Default::default();
    let [holder, waiter] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &THREE, Actor::new(&holder));
    let halted = |_: Actor<'_>| lock.release(&holding);
    let waiting = Ctx::over(2, &blocks, &THREE, Actor::new(&waiter).spinning(&|_| {}).halted(&halted));
    lock.acquire(&holding);
    lock.acquire(&waiting);
    assert_eq!((holder.kicked(), waiter.counted(Event::PvSpuriousWakeup)), (vec![2], 0));
    lock.release(&waiting);
    assert_eq!(waiter.kicked(), [], "the flag was cleared by the last waiter");
}

/// The release comes before the waiter's last look: there is nobody to kick, and no halt.
#[test]
fn whoever_sees_the_ticket_called_does_not_halt() {
    let lock = PvTicket::new::<Actor<'_>>(&ON);
    let blocks: [<PvTicket as RawLock>::PerVcpu; 2] = Default::default();
    let [holder, waiter] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, &ON, Actor::new(&holder));
    let spinning = |_: Actor<'_>| lock.release(&holding);
    let waiting = Ctx::over(1, &blocks, &ON, Actor::new(&waiter).spinning(&spinning));
    lock.acquire(&holding);
    lock.acquire(&waiting);
    lock.release(&waiting);
    assert_eq!((holder.kicked(), waiter.kicked()), (vec![], vec![]));
    assert!(lock.try_acquire(&holding), "the flag is gone");
}

/// The same with threads: a kick that arrives while its target dawdles on the way to its halt.
#[test]
fn a_kick_before_the_halt_sticks() {
    let machine = Machine::new(ON).dawdling(50);
    let blocks = blocks::<PvTicket>(&machine);
    machine.until(Event::Halt, || {
        assert_eq!(stress::<_, true>(&machine.lock::<PvTicket, true>(), &machine, &blocks, 500), 0);
    });
}

#[test]
fn switched_off_it_neither_halts_nor_kicks() {
    let machine = Machine::new(OFF);
    let lock = machine.lock::<PvTicket, true>();
    assert_eq!(stress::<_, true>(&lock, &machine, &blocks::<PvTicket>(&machine), 200), 0);
    assert!(Event::ALL.iter().all(|&event| machine.counted(event) == 0));
}
