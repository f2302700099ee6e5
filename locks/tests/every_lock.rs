//! What must hold for every lock of the catalogue, with its paravirtual code out, off and on.
#![cfg(not(locks_loom))]

mod common;

use common::machine::{Machine, Vcpu, blocks, stress, stress_patched};
use common::{broken, params};
use lockbench_locks::{Paravirt, RawLock, Variant, for_each_lock};

const VCPUS: usize = 4;
const PASSES: usize = 1000;

fn excludes<L: RawLock>() {
    fn run<L: RawLock, const PARAVIRT: bool>(machine: &Machine) {
        let (lock, blocks) = (machine.lock::<L, PARAVIRT>(), blocks::<L>(machine));
        assert_eq!(stress::<L, PARAVIRT>(&lock, machine, &blocks, PASSES), 0, "{}", L::NAME);
    }
    let native = Machine::new(params(4, false, VCPUS));
    run::<L, false>(&native);
    run::<L, true>(&native);
    let (lock, blocks) = (native.lock::<L, false>(), blocks::<L>(&native));
    assert_eq!(stress_patched(&lock, &native, &blocks, PASSES), 0, "{} patched", L::NAME);
    for spins in [0, 1, 300] {
        let machine = || Machine::new(params(spins, true, VCPUS));
        run::<L, true>(&machine());
        run::<L, true>(&machine().dawdling(3));
        run::<L, true>(&machine().spurious());
    }
}

#[test]
fn every_lock_excludes() {
    macro_rules! every { ($($lock:path),+) => { $(excludes::<$lock>();)+ } }
    for_each_lock!(every);
}

#[test]
fn a_lock_without_exclusion_is_caught() {
    let machine = Machine::new(params(1, false, VCPUS));
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
        let machine = Machine::new(params(1, hypervisor, 2));
        let (lock, blocks) = (machine.lock::<L, PARAVIRT>(), blocks::<L>(&machine));
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
        assert_eq!(variant.name.ends_with("-patched"), variant.paravirt == Paravirt::Patched);
        for baseline in [variant.baseline, variant.second_baseline].into_iter().flatten() {
            assert!(variants.iter().any(|other| other.name == baseline), "{baseline} is no lock");
        }
        assert_ne!(
            variant.baseline,
            Some("ticket-split"),
            "no kernel's lock is what a kernel's price is measured against"
        );
    }
}
