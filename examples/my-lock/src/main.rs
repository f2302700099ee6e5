//! A lock of your own, measured beside lockbench's.
//!
//! `cargo run --release -p my-lock -- run --locks my-lock,ticket --envs native,emulated --overcommit 1,2`

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use lockbench::api::{Ctx, Order, Params, Platform, RawLock, Variant};

/// Test-and-set with exponential backoff.
struct Backoff {
    locked: AtomicBool,
}

impl RawLock for Backoff {
    const NAME: &'static str = "my-lock";
    const VARIANTS: &'static [Variant] =
        &[Variant::new("my-lock", "test-and-set with exponential backoff").against("ticket")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Anderson, IEEE TPDS 1(1), 1990";
    // No call into libc, no panic: it may run inside a real vCPU too.
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self { locked: AtomicBool::new(false) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mut pause = 1_u32;
        while !self.try_acquire(ctx) {
            // Always through `relax`: that is where preemption is noticed.
            (0..pause).for_each(|_| ctx.platform().relax());
            pause = (pause * 2).min(1024);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        !self.locked.swap(true, Ordering::Acquire)
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.locked.store(false, Ordering::Release);
    }
}

fn main() -> ExitCode {
    lockbench::main_with(lockbench::locks![Backoff])
}
