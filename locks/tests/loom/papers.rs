//! Models of the locks that papers propose: one block of rows for each lock.

use lockbench_locks::*;

use super::*;

models! {
    cna_held: bare::<Cna>(HELD);
    cna_twice: bare::<Cna>(TWICE);
    cna_trio: bare::<Cna>(FAIR_TRIO);
    cna_tried: tried_bare::<Cna>(PAIR);
    cohort_twice: bare::<Cohort>(TWICE);
    cohort_bound_twice: bare::<Cohort<1>>(TWICE);
    cohort_trio: bare::<Cohort>(FAIR_TRIO);
    cohort_tried: tried_bare::<Cohort>(PAIR);
    shfl_held: bare::<Shfl>(Scope { preemptions: 4, ..HELD });
    shfl_twice: bare::<Shfl>(Scope { preemptions: 3, ..TWICE });
    shfl_trio: bare::<Shfl>(FAIR_TRIO);
    shfl_tried: tried_bare::<Shfl>(PAIR);
    ttas_backoff_twice: bare::<TtasBackoff>(TWICE);
    ttas_backoff_trio: bare::<TtasBackoff>(FAIR_TRIO);
    ttas_backoff_tried: tried_bare::<TtasBackoff>(PAIR);
    reciprocating_held: bare::<Reciprocating>(HELD);
    reciprocating_twice: bare::<Reciprocating>(TWICE);
    reciprocating_trio: bare::<Reciprocating>(TRIO);
    reciprocating_tried: tried_bare::<Reciprocating>(PAIR);
    spin_then_park_held: halting::<SpinThenPark>(HELD);
    spin_then_park_twice: halting::<SpinThenPark>(Scope { preemptions: 3, ..TWICE });
    spin_then_park_trio: halting::<SpinThenPark>(TRIO);
    spin_then_park_emulated: emulated::<SpinThenPark>(HELD);
    spin_then_park_tried: tried_halting::<SpinThenPark>(PAIR);
    malthusian_held: halting::<Malthusian>(HELD);
    malthusian_twice: halting::<Malthusian>(Scope { preemptions: 3, ..TWICE });
    malthusian_trio: halting::<Malthusian>(TRIO);
    malthusian_emulated: emulated::<Malthusian>(HELD);
    malthusian_tried: tried_halting::<Malthusian>(PAIR);
    fissile_held: bare::<Fissile>(HELD);
    fissile_twice: bare::<Fissile>(TWICE);
    fissile_trio: bare::<Fissile>(FAIR_TRIO);
    fissile_tried: tried_bare::<Fissile>(PAIR);
    rqspinlock_held: bare::<Rqspinlock>(Scope { preemptions: 3, ..HELD });
    rqspinlock_twice: bare::<Rqspinlock>(Scope { preemptions: 2, ..TWICE });
    rqspinlock_tried: tried_bare::<Rqspinlock>(PAIR);
    i_spinlock_twice: bare::<ISpinlock>(TWICE);
    i_spinlock_tried: tried_bare::<ISpinlock>(PAIR);
    flexguard_unhinted: halting::<FlexGuard>(Scope { preemptions: 2, ..HELD });
    flexguard_tried: tried_halting::<FlexGuard>(PAIR);
}

/// Waiters that are told always that the holder is preempted, at first only, and by turns.
fn hinted(halts: Halts, scope: Scope) {
    for hint in [(|_| true) as fn(usize) -> bool, |asked| asked < 2, |asked| asked % 2 == 1] {
        Model::<FlexGuard, PARAVIRT> { halts, hint, ..Model::NEW }.explore(scope);
    }
}

#[test]
fn flexguard_pair() {
    hinted(Halts::Kvm, Scope { preemptions: 2, ..PAIR });
}

#[test]
fn flexguard_held() {
    hinted(Halts::Kvm, Scope { preemptions: 1, ..HELD });
}

#[test]
fn flexguard_twice() {
    hinted(Halts::Kvm, Scope { preemptions: 1, ..TWICE });
}

#[test]
fn flexguard_emulated() {
    hinted(Halts::Emulated, Scope { preemptions: 1, ..HELD });
}

models! {
    clh_held: bare::<Clh>(HELD);
    clh_twice: bare::<Clh>(TWICE);
    clh_trio: bare::<Clh>(TRIO);
    clh_tried: tried_bare::<Clh>(TWICE);
    clh_tried_trio: tried_bare::<Clh>(TRIO);
}

/// Whoever releases an MCS lock may have to wait for a successor that is about to link itself, and may be off its pCPU.
fn releases_at_once<L: RawLock + 'static>() {
    Model::<L, BARE> { waits_in_release: false, ..Model::NEW }.explore(PAIR);
}

#[test]
fn clh_releases_at_once() {
    releases_at_once::<Clh>();
}

#[test]
#[should_panic(expected = "a release waits")]
fn mcs_does_not_release_at_once() {
    releases_at_once::<Mcs>();
}

models! {
    anderson_held: bare::<Anderson>(HELD);
    anderson_trio: bare::<Anderson>(TRIO);
    anderson_tried: tried_bare::<Anderson>(TWICE);
    // Slots are used again from the fourth number on.
    anderson_around: bare::<Anderson>(Scope { passes: 3, preemptions: 3, ..PAIR });
    anderson_tried_around: tried_bare::<Anderson>(Scope { passes: 3, preemptions: 2, ..PAIR });
}

models! {
    mcs_tas_held: bare::<McsTas>(HELD);
    mcs_tas_twice: bare::<McsTas>(TWICE);
    mcs_tas_trio: bare::<McsTas>(FAIR_TRIO);
    mcs_tas_tried: tried_bare::<McsTas>(PAIR);
}

models! {
    mcs_tp_held: bare::<McsTp>(HELD);
    mcs_tp_twice: bare::<McsTp>(Scope { preemptions: 3, ..TWICE });
    mcs_tp_trio: bare::<McsTp>(TRIO);
    mcs_tp_tried: tried_bare::<McsTp>(PAIR);
}

/// To vCPU 0 the times of all others are old, to vCPU 1 those of vCPU 2 are: so its waiters are skipped, queue again, or are
/// granted the lock behind one that was skipped.
#[test]
fn mcs_tp_skips() {
    for (scope, preemptions) in [(HELD, 2), (TWICE, 2), (TRIO, 1)] {
        let scope = Scope { preemptions, ..scope };
        Model::<McsTp, BARE> { clock: |me, _| [2 << 40, 1 << 40, 0, 0][me], ..Model::NEW }.explore(scope);
    }
}

models! {
    preemptable_ticket_held: bare::<PreemptableTicket>(HELD);
    preemptable_ticket_twice: bare::<PreemptableTicket>(Scope { preemptions: 3, ..TWICE });
    preemptable_ticket_trio: bare::<PreemptableTicket>(FAIR_TRIO);
    preemptable_ticket_tried: tried_bare::<PreemptableTicket>(PAIR);
}

/// The last number of all, held by one of two.
#[test]
fn preemptable_ticket_wraps_around() {
    let new = |_: &Params| PreemptableTicket::starting_at(u16::MAX);
    Model::<PreemptableTicket, BARE> { new, ..Model::NEW }.explore(Scope { preemptions: 3, ..TWICE });
}

/// A lock whose waiters halt at once, as near waiters of the opportunistic ticket lock do only with a threshold of 0.
fn halting_at_once<L: RawLock + 'static>(scope: Scope) {
    Model::<L, PARAVIRT> { spin_threshold: 0, ..Model::NEW }.explore(scope);
}

models! {
    oticket_bare_twice: bare::<Oticket>(TWICE);
    oticket_pair: halting_at_once::<Oticket>(Scope { preemptions: 5, ..PAIR });
    oticket_held: halting_at_once::<Oticket>(Scope { preemptions: 2, ..HELD });
    oticket_twice: halting_at_once::<Oticket>(Scope { preemptions: 2, ..TWICE });
    oticket_trio: halting_at_once::<Oticket>(FAIR_TRIO);
    oticket_tried: tried_halting::<Oticket>(PAIR);
}
/// Every waiter may give up: a pending one at its second look, the head of a queue at its third.
#[test]
fn rqspinlock_gives_up() {
    let clock = |_, read| read * 300_000;
    for scope in [Scope { preemptions: 3, ..HELD }, Scope { preemptions: 2, ..TWICE }, FAIR_TRIO] {
        Model::<Rqspinlock, BARE> { clock, gives_up: true, ..Model::NEW }.explore(scope);
    }
}
