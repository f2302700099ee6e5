//! The races of the ticket locks, by name.
#![cfg(not(locks_loom))]

mod common;

use common::machine::{Machine, Vcpu, blocks, stress};
use common::params;
use common::script::{Actor, Record};
use lockbench_locks::sync::{TicketWord, Tickets};
use lockbench_locks::{Ctx, Event, Params, PvTicket, RawLock, Ticket};

const ON: Params = params(1, true, 2);
const OFF: Params = params(1, false, 2);

#[test]
fn tickets_wrap_around() {
    let machine = Machine::new(3);
    assert_eq!(
        stress::<_, false>(
            &Ticket::starting_at(0u32.wrapping_sub(100)),
            &machine,
            &blocks::<Ticket>(&machine),
            100
        ),
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

/// The release comes between the waiter's last look and its halt: it finds the flag and the slot, and kicks.
#[test]
fn whoever_is_about_to_halt_is_kicked() {
    let lock = PvTicket::new::<Actor<'_>>(&ON);
    let blocks: [<PvTicket as RawLock>::PerVcpu; 3] = Default::default();
    let [holder, waiter] = [(); 2].map(|()| Record::default());
    let holding = Ctx::over(0, &blocks, Actor::new(&holder));
    let halted = |_: Actor<'_>| lock.release(&holding);
    let waiting = Ctx::over(2, &blocks, Actor::new(&waiter).spinning(&|_| {}).halted(&halted));
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
    let holding = Ctx::over(0, &blocks, Actor::new(&holder));
    let spinning = |_: Actor<'_>| lock.release(&holding);
    let waiting = Ctx::over(1, &blocks, Actor::new(&waiter).spinning(&spinning));
    lock.acquire(&holding);
    lock.acquire(&waiting);
    lock.release(&waiting);
    assert_eq!((holder.kicked(), waiter.kicked()), (vec![], vec![]));
    assert!(lock.try_acquire(&holding), "the flag is gone");
}

/// The same with threads: a kick that arrives while its target dawdles on the way to its halt.
#[test]
fn a_kick_before_the_halt_sticks() {
    let machine = Machine::new(2).dawdling(50);
    let blocks = blocks::<PvTicket>(&machine);
    machine.until(Event::Halt, || {
        assert_eq!(stress::<_, true>(&PvTicket::new::<Vcpu<'_, true>>(&ON), &machine, &blocks, 500), 0);
    });
}

#[test]
fn switched_off_it_neither_halts_nor_kicks() {
    let machine = Machine::new(3);
    let lock = PvTicket::new::<Vcpu<'_, true>>(&OFF);
    assert_eq!(stress::<_, true>(&lock, &machine, &blocks::<PvTicket>(&machine), 200), 0);
    assert!(Event::ALL.iter().all(|&event| machine.counted(event) == 0));
}
