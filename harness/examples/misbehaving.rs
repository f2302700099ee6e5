//! A lockbench with locks that break, hang and crash, for the tests: each must cost its own cell and no other.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use lockbench::api::{Ctx, Order, Params, Platform, RawLock, Variant};

const fn named(name: &'static str) -> Variant {
    Variant::new(name, "misbehaves on purpose")
}

/// A lock whose `acquire` is this function.
macro_rules! misbehaving {
    ($lock:ident, $name:literal, $acquire:expr) => {
        /// Misbehaves on purpose.
        struct $lock(AtomicBool);

        impl RawLock for $lock {
            const NAME: &'static str = $name;
            const VARIANTS: &'static [Variant] = &[named($name)];
            const ORDER: Order = Order::Unfair;
            const SOURCE: &'static str = "this example";
            // A lie, as a user's may be: inside KVM it comes out as a fault.
            const LEAF: bool = true;
            type PerVcpu = ();

            fn new<P: Platform>(_: &Params) -> Self {
                Self(AtomicBool::new(false))
            }

            fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
                let acquire: fn(&AtomicBool, &dyn Fn()) = $acquire;
                acquire(&self.0, &|| ctx.platform().relax());
            }

            fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
                self.acquire(ctx);
                true
            }

            fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
                self.0.store(false, Ordering::Release);
            }
        }
    };
}

misbehaving!(Open, "open", |_, _| {});
misbehaving!(Shut, "shut", |_, relax| loop {
    relax();
});
misbehaving!(Wild, "wild", |_, _| {
    // SAFETY: deliberately none: address 8 is never mapped, and the fault is what the test is about.
    unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
});
misbehaving!(Panicky, "panicky", |_, _| panic!("out of cheese"));
// Grants for a while and then never again, as a lock with a lost wake-up does.
misbehaving!(Forgetful, "forgetful", |left, relax| {
    use std::sync::atomic::AtomicU32;
    static GRANTS: AtomicU32 = AtomicU32::new(0);
    if GRANTS.fetch_add(1, Ordering::Relaxed) > 10_000 {
        loop {
            relax();
        }
    }
    while left.swap(true, Ordering::Acquire) {
        relax();
    }
});

fn main() -> ExitCode {
    lockbench::main_with(lockbench::locks![Open, Shut, Wild, Panicky, Forgetful])
}
