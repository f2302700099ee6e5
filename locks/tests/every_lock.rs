//! What must hold for every lock of the catalogue, with its paravirtual code out, off and on.
#![cfg(not(locks_loom))]

mod common;

use common::machine::{Machine, Vcpu, blocks, stress};
use common::{broken, params};
use lockbench_locks::{Paravirt, RawLock, Variant, for_each_lock};

const VCPUS: usize = 4;
const PASSES: usize = 1000;

fn excludes<L: RawLock>() {
    fn run<L: RawLock, const PARAVIRT: bool>(spins: u32, hypervisor: bool, machine: &Machine) {
        let lock = L::new::<Vcpu<'_, PARAVIRT>>(&params(spins, hypervisor, VCPUS));
        assert_eq!(stress::<L, PARAVIRT>(&lock, machine, &blocks::<L>(machine), PASSES), 0, "{}", L::NAME);
    }
    run::<L, false>(4, false, &Machine::new(VCPUS));
    run::<L, true>(4, false, &Machine::new(VCPUS));
    for spins in [0, 1, 300] {
        run::<L, true>(spins, true, &Machine::new(VCPUS));
        run::<L, true>(spins, true, &Machine::new(VCPUS).dawdling(3));
        run::<L, true>(spins, true, &Machine::new(VCPUS).spurious());
    }
}

#[test]
fn every_lock_excludes() {
    macro_rules! every { ($($lock:path),+) => { $(excludes::<$lock>();)+ } }
    for_each_lock!(every);
}

#[test]
fn a_lock_without_exclusion_is_caught() {
    let machine = Machine::new(VCPUS);
    let violations = stress::<_, false>(
        &broken::NoExclusion,
        &machine,
        &blocks::<broken::NoExclusion>(&machine),
        1_000_000,
    );
    assert_ne!(violations, 0);
}

fn tries<L: RawLock>() {
    fn run<L: RawLock, const PARAVIRT: bool>(hypervisor: bool) {
        let machine = Machine::new(2);
        let blocks = blocks::<L>(&machine);
        let lock = L::new::<Vcpu<'_, PARAVIRT>>(&params(1, hypervisor, 2));
        let [one, two] = [0, 1].map(|me| Vcpu::<PARAVIRT>::context::<L>(&machine, &blocks, me));
        for _ in 0..3 {
            assert!(lock.try_acquire(&one), "{} is free", L::NAME);
            assert!(!lock.try_acquire(&two), "{} is held", L::NAME);
            lock.release(&one);
            lock.acquire(&two);
            assert!(!lock.try_acquire(&one), "{} is held", L::NAME);
            lock.release(&two);
        }
    }
    run::<L, false>(false);
    run::<L, true>(false);
    run::<L, true>(true);
}

#[test]
fn every_lock_can_be_tried() {
    macro_rules! every { ($($lock:path),+) => { $(tries::<$lock>();)+ } }
    for_each_lock!(every);
}

#[test]
fn variants_are_named_once_and_say_what_they_are() {
    let mut variants: Vec<Variant> = Vec::new();
    macro_rules! collect { ($($lock:path),+) => { $(variants.extend_from_slice(<$lock as RawLock>::VARIANTS);)+ } }
    for_each_lock!(collect);
    for (i, variant) in variants.iter().enumerate() {
        assert!(variants[..i].iter().all(|other| other.name != variant.name), "{} twice", variant.name);
        assert_eq!(variant.name.ends_with("-off"), variant.paravirt == Paravirt::CarriedOff);
        if let Some(baseline) = variant.baseline {
            assert!(variants.iter().any(|other| other.name == baseline), "{baseline} is no lock");
        }
    }
}
