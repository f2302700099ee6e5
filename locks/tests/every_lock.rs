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
    run::<L, true>(&native);
    // A lock that blocks has halt and kick in every form.
    if !L::BLOCKS {
        run::<L, false>(&native);
        let (lock, blocks) = (native.lock::<L, false>(), blocks::<L>(&native));
        assert_eq!(stress_patched(&lock, &native, &blocks, PASSES), 0, "{} patched", L::NAME);
    }
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

/// What a card in `docs/locks` says, in this order.
const SECTIONS: [&str; 8] = [
    "States",
    "Steps",
    "Memory orderings",
    "Races",
    "Order and bypass bound",
    "Constants",
    "What the paper claims",
    "Source",
];

/// What stands under each of [`SECTIONS`], with every white space a blank.
fn sections(card: &str, name: &str) -> Vec<String> {
    let mut parts = card.split("\n## ");
    assert!(parts.next().unwrap().starts_with(&format!("# `{name}`")), "the card of {name} is headed by it");
    let (titles, texts): (Vec<&str>, Vec<String>) = parts
        .map(|part| part.split_once('\n').unwrap_or((part, "")))
        .map(|(title, text)| (title, text.split_whitespace().collect::<Vec<_>>().join(" ")))
        .unzip();
    assert_eq!(titles, SECTIONS, "the card of {name}");
    for (title, text) in titles.iter().zip(&texts) {
        assert!(!text.is_empty(), "the card of {name} says nothing of {title}");
    }
    texts
}

/// No card, no lock: it says what the lock does and where that was read, and its order and source are the lock's own.
#[test]
fn every_lock_that_no_kernel_ran_has_a_card_and_every_card_a_lock() {
    const CARDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/locks");
    fn check<L: RawLock>(names: &mut Vec<String>) {
        if !std::any::type_name::<L>().contains("::papers::") && L::SOURCE != "this project" {
            return;
        }
        let card = std::fs::read_to_string(format!("{CARDS}/{}.md", L::NAME));
        let texts = sections(&card.unwrap_or_else(|error| panic!("{}: {error}", L::NAME)), L::NAME);
        let order = texts[4].split(|c: char| !c.is_alphabetic()).next().unwrap().to_lowercase();
        assert_eq!(order, L::ORDER.name(), "the card of {} begins with another order", L::NAME);
        assert!(texts[7].contains(L::SOURCE), "the card of {} has another source", L::NAME);
        names.push(L::NAME.to_owned());
    }
    let mut names = Vec::new();
    macro_rules! every { ($($lock:path),+) => { $(check::<$lock>(&mut names);)+ } }
    for_each_lock!(every);
    let files =
        std::fs::read_dir(CARDS).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut cards: Vec<String> = files
        .filter(|file| file != "README.md")
        .map(|file| file.strip_suffix(".md").expect("a card is Markdown").to_owned())
        .collect();
    cards.sort_unstable();
    names.sort_unstable();
    assert_eq!(cards, names, "cards and locks");
    let index = std::fs::read_to_string(format!("{CARDS}/README.md")).unwrap();
    for name in names {
        assert!(index.contains(&format!("[`{name}`]({name}.md)")), "README.md leads to no card of {name}");
    }
}
