//! Near waiters spin longer, and an unlock wakes four.

use std::cell::Cell;

use lockbench_locks::{Ctx, Oticket, Params, PvTicket, RawLock};

use super::common::params;
use super::common::script::{Actor, Record};
use super::overtaking::{off, until_off};

/// So many vCPUs that the last but one is a far waiter.
const VCPUS: usize = 20;

/// vCPU 0 holds the lock, and the others halt for it, one after another, and stay so. Returns for each after how many iterations
/// it halted, and whom the release then kicked.
fn halts_and_kicks<L: RawLock>(threshold: u32) -> (Vec<u32>, Vec<usize>) {
    let params: Params = params(threshold, true, VCPUS);
    let lock = L::new::<Actor<'_>>(&params);
    let blocks: [L::PerVcpu; VCPUS] = Default::default();
    let records: [Record; VCPUS] = Default::default();
    let holding = Ctx::<L, _>::over(0, &blocks, &params, Actor::new(&records[0]));
    lock.acquire(&holding);
    let spins = (1..VCPUS).map(|cpu| {
        let spins = Cell::new(0);
        let spinning = |_: Actor<'_>| spins.set(spins.get() + 1);
        let waiter = Actor::new(&records[cpu]).spinning(&spinning).halted(&|_| off());
        let halted = !until_off(|| lock.acquire(&Ctx::over(cpu, &blocks, &params, waiter)));
        assert!(halted, "the lock is held");
        spins.get()
    });
    let spins = spins.collect();
    lock.release(&holding);
    (spins, records[0].kicked())
}

#[test]
fn oticket_wakes_the_next_four_where_pv_ticket_wakes_the_next() {
    assert_eq!(halts_and_kicks::<Oticket>(0).1, [1, 2, 3, 4]);
    assert_eq!(halts_and_kicks::<PvTicket>(0).1, [1]);
}

#[test]
fn oticket_waiters_spin_the_longer_the_nearer_they_are() {
    let (spins, _) = halts_and_kicks::<Oticket>(1);
    for before in 1..18 {
        assert_eq!(spins[before - 1], 1 << (20 - before), "{before} tickets before it");
    }
    assert_eq!(spins[17..], [1, 1], "18 tickets and more before it");
    assert!(halts_and_kicks::<PvTicket>(1).0.iter().all(|spins| *spins == 1));
}
