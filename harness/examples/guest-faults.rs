//! Test helper: lockbench with locks that fail in each way that a guest can, and one that halts before each try. All
//! claim to be leaf code.

use std::arch::asm;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

use lockbench::api::{Ctx, Order, Params, Paravirt, Platform, RawLock, Variant};

/// A lock whose `acquire` first does `$what`.
macro_rules! misbehaving {
    ($($lock:ident $name:literal: $what:expr;)+) => {$(
        struct $lock;

        impl RawLock for $lock {
            const NAME: &'static str = $name;
            const VARIANTS: &'static [Variant] = &[Variant {
                name: $name,
                paravirt: Paravirt::CompiledOut,
                baseline: None,
                about: "fails, for a test",
            }];
            const ORDER: Order = Order::Unfair;
            const SOURCE: &'static str = "none";
            const LEAF: bool = true;
            type PerVcpu = ();

            fn new<P: Platform>(_: &Params) -> Self {
                Self
            }

            fn acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
                // SAFETY: none: each of these is an error, and the process that makes it is killed for it.
                unsafe { $what }
            }

            fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
                true
            }

            fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {}
        }
    )+};
}

misbehaving! {
    Unmapped "unmapped": asm!("mov dword ptr [{}], 1", in(reg) 0x1234_5000_0000_usize);
    Constant "constant": asm!("mov dword ptr [{}], 1", in(reg) c"constant".as_ptr());
    Wild "wild": asm!("mov eax, dword ptr [{}]", in(reg) 0xdead_0000_0000_0000_usize, out("eax") _);
    Trap "trap": asm!("ud2");
    Astray "astray": asm!("jmp {}", in(reg) 0x1234_5000_0000_usize);
    Data "data": asm!("jmp rsp");
    Privileged "privileged": asm!("cli");
    Syscall "syscall": asm!("syscall", in("eax") 39, lateout("rax") _, out("rcx") _, out("r11") _);
    Port "port": asm!("out 0x80, al", in("al") 0_u8);
    Breakpoint "breakpoint": asm!("int3");
    Deep "deep": asm!("2: push rax", "jmp 2b");
    Libc "libc": { core::hint::black_box(libc::getpid as unsafe extern "C" fn() -> i32)(); };
    Threads "threads": asm!("mov {}, fs:0", out(reg) _);
    Division "division": asm!("xor ecx, ecx", "xor edx, edx", "div ecx", out("eax") _, out("ecx") _, out("edx") _);
    Bell "bell": asm!("mov dword ptr [{}], 1", in(reg) 0x2000_0000_0ff0_usize);
    Halted "halted": asm!("hlt");
}

/// One word. Every vCPU that finds it taken halts at once; every release kicks all others. A kick that did not stick
/// would soon leave all asleep.
struct Halting {
    locked: AtomicU32,
}

impl RawLock for Halting {
    const NAME: &'static str = "halting";
    const VARIANTS: &'static [Variant] = &[Variant {
        name: "halting",
        paravirt: Paravirt::On,
        baseline: None,
        about: "halts whenever it has to wait, for a test",
    }];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "none";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self { locked: AtomicU32::new(0) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        while !self.try_acquire(ctx) {
            ctx.platform().halt();
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.locked.swap(1, Ordering::Acquire) == 0
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        self.locked.store(0, Ordering::Release);
        for cpu in 0..ctx.vcpus() {
            if cpu != ctx.me() {
                ctx.platform().kick(cpu);
            }
        }
    }
}

fn main() -> ExitCode {
    lockbench::main_with(lockbench::locks![
        Unmapped, Constant, Wild, Trap, Astray, Data, Privileged, Syscall, Port, Breakpoint, Deep, Libc,
        Threads, Division, Bell, Halted, Halting
    ])
}
