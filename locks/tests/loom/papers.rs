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
