//! The races of the ticket locks, by name.
#![cfg(not(locks_loom))]

mod common;

use common::machine::{Machine, Vcpu, blocks, stress};
use common::params;
use lockbench_locks::sync::{TicketWord, Tickets};
use lockbench_locks::{Event, Params, PvTicket, RawLock, Ticket};

const ON: Params = params(1, true, 2);
const OFF: Params = params(1, false, 2);

#[test]
fn tickets_wrap_around() {
    let machine = Machine::new(3);
    assert_eq!(
        stress::<_, false>(&Ticket::starting_at(u32::MAX - 50), &machine, &blocks::<Ticket>(&machine), 100),
        0
    );
    for params in [ON, OFF] {
        let lock = PvTicket::starting_at(0u32.wrapping_sub(100), &params);
        assert_eq!(stress::<_, true>(&lock, &machine, &blocks::<PvTicket>(&machine), 100), 0);
        let lock = PvTicket::starting_at(0u32.wrapping_sub(100), &params);
        assert_eq!(stress::<_, false>(&lock, &machine, &blocks::<PvTicket>(&machine), 100), 0);
    }
}

#[test]
fn a_wrapping_head_carries_nothing_into_the_tail() {
    const LAST: u32 = 0u32.wrapping_sub(TicketWord::STEP);
    for flag in [0, TicketWord::SLOW] {
        let word = TicketWord::starting_at(LAST);
        assert_eq!(word.take(), Tickets { head: LAST, tail: LAST });
        if flag != 0 {
            assert_eq!(word.set_slow(), LAST);
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

/// The kick that arrives while its target is on the way to its halt, every time.
#[test]
fn a_kick_before_the_halt_sticks() {
    let machine = Machine::new(2).dawdling(50);
    let lock = PvTicket::new::<Vcpu<'_, true>>(&ON);
    assert_eq!(stress::<_, true>(&lock, &machine, &blocks::<PvTicket>(&machine), 500), 0);
    assert_ne!(machine.counted(Event::Halt), 0, "the slow path was not run");
}

#[test]
fn switched_off_it_neither_halts_nor_kicks() {
    let machine = Machine::new(3);
    let lock = PvTicket::new::<Vcpu<'_, true>>(&OFF);
    assert_eq!(stress::<_, true>(&lock, &machine, &blocks::<PvTicket>(&machine), 200), 0);
    assert!(Event::ALL.iter().all(|&event| machine.counted(event) == 0));
}
