//! The operations on parts of a word: the instructions against what they are to the language.
//!
//! Both forms are compiled here from the locks' own source, whichever of them the locks use.
#![cfg(all(target_arch = "x86_64", not(locks_loom)))]
#![allow(dead_code, reason = "the barriers and the prefetch compute nothing that could be compared")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering, fence};
use std::thread;

#[path = "../src/sync/narrow.rs"]
mod narrow;
#[path = "../src/sync/whole.rs"]
mod whole;

/// Values at which a half or a byte carries, borrows or changes its sign.
const HALVES: [u16; 16] =
    [0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff, 0x100, 0x101, 0x103, 0x7fff, 0x8000, 0xfffd, 0xfffe, 0xffff];

/// Runs both forms of an operation on every word of those halves; results and words left behind must be equal.
macro_rules! same {
    ($($operation:ident $(::<$($constant:tt),+>)? ($($argument:expr),*);)+) => { $(
        for (high, low) in HALVES.iter().flat_map(|high| HALVES.map(|low| (*high, low))) {
            let word = u32::from(high) << 16 | u32::from(low);
            let (part, all) = (AtomicU32::new(word), AtomicU32::new(word));
            assert_eq!(
                (narrow::$operation$(::<$($constant),+>)?(&part $(, $argument)*), part.into_inner()),
                (whole::$operation$(::<$($constant),+>)?(&all $(, $argument)*), all.into_inner()),
                "{} on {word:#010x}",
                stringify!($operation$(::<$($constant),+>)?($($argument),*)),
            );
        }
    )+ };
}

#[test]
fn every_operation_is_the_one_on_the_whole_word() {
    same! {
        add_low::<2>();
        fetch_add_low::<2>();
        add_high_then_low::<2>();
        store_byte::<0, 0>();
        store_byte::<0, 1>();
        store_byte::<0, 3>();
        store_byte::<1, 0>();
        store_byte::<1, 1>();
        store_low::<1>();
        set_bit::<8>();
        swap_byte::<3>();
        replace_byte::<0, 1>(Ordering::Acquire);
        replace_byte::<1, 0>(Ordering::Release);
        replace_low::<0x100, 1>(Ordering::Acquire);
    }
    for half in HALVES {
        same! { swap_high(half); }
    }
}

#[test]
fn a_byte_is_taken_and_stored_alike() {
    for value in [0, 1, 2, 0x7f, 0x80, 0xff] {
        let (part, all) = (AtomicU8::new(value), AtomicU8::new(value));
        assert_eq!(narrow::test_and_set(&part), whole::test_and_set(&all), "{value}");
        // A byte that is not 0 and not 1 is no lock's; a held one is left held.
        if value <= 1 {
            assert_eq!((part.into_inner(), all.into_inner()), (1, 1));
        }
        let (part, all) = (AtomicU8::new(value), AtomicU8::new(value));
        narrow::store_then_fence(&part, 5);
        whole::store_then_fence(&all, 5);
        assert_eq!((part.into_inner(), all.into_inner()), (5, 5));
    }
}

/// So often each of the two does its operation, which comes round in a half and in a byte.
const TIMES: u32 = 200_000;

/// Two threads on one word at once.
fn together(one: impl FnMut(u32) + Send, other: impl FnMut(u32) + Send) {
    let start = Barrier::new(2);
    let times = |operation: Box<dyn FnMut(u32) + Send + '_>| {
        start.wait();
        (0..TIMES).for_each(operation);
    };
    thread::scope(|scope| {
        scope.spawn(|| times(Box::new(one)));
        times(Box::new(other));
    });
}

/// Plain writes to the one half and locked operations on the other, or on all of it: nobody loses a write.
#[test]
fn two_threads_on_the_halves_lose_nothing() {
    let tail = |word: u32| word >> 16;
    let all = (2 * TIMES) & 0xffff;

    let word = AtomicU32::new(0);
    together(|_| narrow::add_low::<2>(&word), |_| _ = word.fetch_add(2 << 16, Ordering::AcqRel));
    assert_eq!(word.load(Ordering::Relaxed), all << 16 | all, "unlock and lock of a ticket");

    let word = AtomicU32::new(0);
    together(|_| narrow::add_low::<2>(&word), |_| _ = narrow::add_high_then_low::<2>(&word));
    assert_eq!(word.load(Ordering::Relaxed), all << 16 | all, "by the halves alone");

    let word = AtomicU32::new(0);
    together(|_| _ = narrow::fetch_add_low::<2>(&word), |_| _ = word.fetch_or(1, Ordering::AcqRel));
    assert_eq!(word.load(Ordering::Relaxed), all | 1, "unlock against the flag");

    let word = AtomicU32::new(0);
    let mut last = 0;
    let swap = |turn: u32| {
        assert_eq!(u32::from(narrow::swap_high(&word, turn as u16)), last);
        last = turn & 0xffff;
    };
    let lock = |_| {
        assert!(narrow::replace_byte::<0, 1>(&word, Ordering::Acquire));
        narrow::store_byte::<1, 1>(&word);
        narrow::store_low::<1>(&word);
        assert!(narrow::replace_byte::<1, 0>(&word, Ordering::Release));
        narrow::store_byte::<1, 1>(&word);
        assert!(narrow::replace_low::<0x100, 1>(&word, Ordering::Acquire));
        assert_eq!(narrow::swap_byte::<3>(&word), 1);
        narrow::store_byte::<0, 0>(&word);
    };
    together(swap, lock);
    let word = word.into_inner();
    assert_eq!((word & 0xffff, tail(word)), (0, (TIMES - 1) & 0xffff), "locked and pending against the tail");
}

/// Each of two threads takes by one operation and gives back by another; both at once inside would lose an update.
#[test]
fn two_threads_exclude_one_another_by_each_taking_operation() {
    type Take = fn(&AtomicU32) -> bool;
    type Give = fn(&AtomicU32);
    let takes: [(&str, Take, Give); 4] = [
        ("lock bts", |word| !narrow::set_bit::<8>(word), narrow::store_byte::<1, 0>),
        (
            "cmpxchg of a byte",
            |word| narrow::replace_byte::<0, 1>(word, Ordering::Acquire),
            narrow::store_byte::<0, 0>,
        ),
        ("xchg of a byte", |word| narrow::swap_byte::<3>(word) == 0, narrow::store_byte::<0, 0>),
        ("xchg of a half", |word| narrow::swap_high(word, 1) == 0, |word| _ = narrow::swap_high(word, 0)),
    ];
    for (name, take, give) in takes {
        let (word, inside) = (AtomicU32::new(0), AtomicU32::new(0));
        let pass = |_| {
            while !take(&word) {
                thread::yield_now();
            }
            let before = inside.load(Ordering::Relaxed);
            inside.store(before + 1, Ordering::Relaxed);
            give(&word);
        };
        together(pass, pass);
        assert_eq!(inside.into_inner(), 2 * TIMES, "{name}");
    }
}
