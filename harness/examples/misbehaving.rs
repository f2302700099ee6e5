//! A lockbench with locks that break, hang and crash, for the tests: each must cost its own cell and no other.

use std::io::{self, Write};
use std::process::{Command, ExitCode};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use lockbench::Family;
use lockbench::api::{Ctx, Order, Params, Platform, RawLock, Variant};
use rustix::thread::{CpuSet, sched_setaffinity};

const fn named(name: &'static str) -> Variant {
    Variant::new(name, "misbehaves on purpose")
}

/// A lock whose `acquire` is this function, and that does something else when it is made.
macro_rules! misbehaving {
    ($lock:ident, $name:literal, $acquire:expr) => {
        misbehaving!($lock, $name, $acquire, || {});
    };
    ($lock:ident, $name:literal, $acquire:expr, $made:expr) => {
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
                let made: fn() = $made;
                made();
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

/// Stores into every word of a range, nowhere the same.
fn scribble(words: std::ops::Range<usize>) {
    for word in words.step_by(8) {
        // SAFETY: deliberately none: the range is not this lock's, and what comes of that is what the test is about.
        unsafe {
            std::ptr::with_exposed_provenance_mut::<u64>(word)
                .write_volatile((word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
    }
}

// The arena's head lies on the two pages before the lock: the plan, then what vCPUs and parent write.
const PAGE: usize = 4096;
misbehaving!(Vandal, "vandal", |lock, _| {
    let lock = std::ptr::from_ref(lock).expose_provenance();
    scribble(lock - 2 * PAGE..lock - PAGE);
});
// Over all that may be written: gate, data, itself, and the blocks of two vCPUs.
misbehaving!(Flood, "flood", |lock, _| {
    let lock = std::ptr::from_ref(lock).expose_provenance();
    scribble(lock - PAGE..lock + 3 * PAGE);
});

/// A lock that works.
fn swap(taken: &AtomicBool, relax: &dyn Fn()) {
    while taken.swap(true, Ordering::Acquire) {
        relax();
    }
}

/// Prints as C code would: at once, and whatever comes of it.
fn print(mut to: impl Write, bytes: &[u8]) {
    let _ = to.write_all(bytes);
    let _ = to.flush();
}

// Locks that print: one byte before their first turn; more than a pipe holds, and then without end; last words.
misbehaving!(Whispering, "whispering", swap, || print(io::stdout(), b"."));
misbehaving!(Loud, "loud", |taken, relax| {
    swap(taken, relax);
    print(io::stdout(), &[b'.'; 1 << 10]);
    print(io::stderr(), &[b'!'; 64 << 10]);
});
misbehaving!(Dying, "dying", |_, _| {
    print(io::stdout(), b"I am\n");
    print(io::stderr(), b"slain\n");
    std::process::abort();
});
// Takes longer to be made than anybody waits.
misbehaving!(Slow, "slow", swap, || std::thread::sleep(Duration::from_secs(1000)));

// Locks that do to their own cell what somebody else might: let a vCPU run elsewhere, give it another nice value, stop them all
// for a moment.
misbehaving!(Wandering, "wandering", |taken, relax| {
    swap(taken, relax);
    let mut everywhere = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|cpu| everywhere.set(cpu));
    let _ = sched_setaffinity(None, &everywhere);
});
misbehaving!(Renicing, "renicing", |taken, relax| {
    swap(taken, relax);
    let _ = rustix::process::setpriority_process(None, 7);
});
misbehaving!(Stopping, "stopping", |taken, relax| {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let me = std::process::id();
        let script = format!("kill -STOP {me}; sleep 0.1; kill -CONT {me}");
        let _ = Command::new("sh").arg("-c").arg(script).spawn();
    });
    swap(taken, relax);
});

/// A lock that works, and gives one acquisition in four up, as a lock with a timeout does. It holds nothing then, so that a
/// section or a release after that would break it.
struct Quitting(AtomicBool, AtomicU32);

impl RawLock for Quitting {
    const NAME: &'static str = "quitting";
    const VARIANTS: &'static [Variant] = &[named("quitting")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "this example";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self(AtomicBool::new(false), AtomicU32::new(0))
    }

    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        swap(&self.0, &|| ctx.platform().relax());
    }

    fn acquire_or_fail<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let gives_up = self.1.fetch_add(1, Ordering::Relaxed) % 4 == 3;
        if !gives_up {
            self.acquire(ctx);
        }
        !gives_up
    }

    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.0.store(false, Ordering::Release);
    }
}

/// Not by `locks!`, which would keep an unoptimised build's locks out of kvm: these are to fault there.
macro_rules! unfit {
    ($($lock:ty),+ $(,)?) => { &[$(Family::of::<$lock>()),+] };
}

#[rustfmt::skip]
static LOCKS: &[Family] = unfit![
    Open, Shut, Wild, Panicky, Forgetful, Vandal, Flood, Whispering, Loud, Dying, Slow, Wandering, Renicing, Stopping,
    Quitting,
];

fn main() -> ExitCode {
    lockbench::main_with(LOCKS)
}
