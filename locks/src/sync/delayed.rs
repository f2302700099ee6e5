//! Atomics that pause now and then before an operation, so that other threads come in between where they seldom would:
//! `RUSTFLAGS="--cfg locks_delays" CARGO_TARGET_DIR=target/delays cargo test -p lockbench-locks`.
//!
//! Every operation, assembly included, reaches its word through [`Deref`](core::ops::Deref), where the pause is.

use core::cell::Cell;
use core::sync::atomic::{self, Ordering};

std::thread_local! {
    static DRAWS: Cell<u64> = const { Cell::new(0) };
}

/// Pauses: not at all, for a few dozen loops, or until other threads have run.
fn pause() {
    // Each thread draws for itself: a word that all threads share would order what is not ordered. (Weyl's sequence, mixed by
    // a multiplication; threads differ by the address of their own word.)
    let draw = DRAWS.with(|draws| {
        let next = draws.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        draws.set(next);
        (next ^ core::ptr::from_ref(draws).addr() as u64).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 58
    });
    match draw {
        0..4 => std::thread::yield_now(),
        4..12 => (0..8 * draw).for_each(|_| core::hint::spin_loop()),
        _ => {}
    }
}

/// A fence after a pause.
pub fn fence(ordering: Ordering) {
    pause();
    atomic::fence(ordering);
}

macro_rules! delayed {
    ($($name:ident$(<$parameter:ident>)?: $value:ty;)+) => { $(
        #[doc = concat!("[`atomic::", stringify!($name), "`] with pauses.")]
        #[derive(Debug, Default)]
        pub struct $name$(<$parameter>)?(atomic::$name$(<$parameter>)?);

        impl$(<$parameter>)? $name$(<$parameter>)? {
            /// A new atomic.
            pub const fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }
        }

        impl$(<$parameter>)? core::ops::Deref for $name$(<$parameter>)? {
            type Target = atomic::$name$(<$parameter>)?;

            fn deref(&self) -> &Self::Target {
                pause();
                &self.0
            }
        }
    )+ };
}

delayed! {
    AtomicBool: bool;
    AtomicPtr<T>: *mut T;
    AtomicU8: u8;
    AtomicU16: u16;
    AtomicU32: u32;
    AtomicU64: u64;
    AtomicUsize: usize;
}
