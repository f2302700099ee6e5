//! The machine code of every lock and mode: what an uncontended acquire and release execute, and by which locked
//! instructions the others wait and wake. `locks/instructions.json` holds the table; the names of the instructions that a
//! kernel's disassembly has are held one by one below.
//!
//! The instances are functions of their own, called from outside. Their paths are found by running them one instruction at
//! a time, so a branch is never guessed; the final `ret` is not counted, a callee that is on the path is.
//! `INSTA_UPDATE=always cargo test -p lockbench-locks --test instructions` writes the table anew.
//!
//! The code is that of a release, which is not compiled incrementally; nor are these crates by the profiles in `Cargo.toml`.
//! `CARGO_INCREMENTAL=1` in the environment goes before the profiles: the compiler then does not inline before it optimises, and
//! the table is not met.
#![cfg(all(target_arch = "x86_64", target_os = "linux", not(locks_loom), not(locks_tsan)))]

#[path = "../common/alone.rs"]
mod alone;
mod program;
mod step;
mod table;

use std::ffi::c_void;
use std::hint::black_box;

use alone::Alone;
use iced_x86::{FlowControl, Instruction, Mnemonic};
use lockbench_locks::{Ctx, Params, Paravirt, Platform, RawLock, Variant, for_each_lock};
use program::{Program, effect, is_locked, is_nop};

#[inline(never)]
extern "C" fn acquire<L: RawLock, P: Platform>(lock: *const c_void, ctx: *const c_void) {
    // SAFETY: `paths` passes a lock and a context of these very types.
    let (lock, ctx) = unsafe { (&*lock.cast::<L>(), &*ctx.cast::<Ctx<'_, L, P>>()) };
    lock.acquire(ctx);
}

#[inline(never)]
extern "C" fn release<L: RawLock, P: Platform>(lock: *const c_void, ctx: *const c_void) {
    // SAFETY: as above.
    let (lock, ctx) = unsafe { (&*lock.cast::<L>(), &*ctx.cast::<Ctx<'_, L, P>>()) };
    lock.release(ctx);
}

/// An acquire or a release.
struct Path {
    /// Where the instance begins.
    start: u64,
    /// What it executes uncontended, but for the final `ret`.
    executed: Vec<Instruction>,
}

impl Path {
    /// Writes to memory, in their order.
    fn effects(&self) -> Vec<String> {
        self.executed.iter().filter_map(effect).collect()
    }

    /// Locked instructions in their order.
    fn locked(&self) -> Vec<String> {
        self.executed.iter().filter(|i| is_locked(i)).filter_map(effect).collect()
    }

    /// Kinds of locked instructions anywhere else in the instance and in what it calls.
    fn locked_elsewhere(&self, program: &Program) -> Vec<String> {
        let elsewhere = |i: &&Instruction| !self.executed.iter().any(|executed| executed.ip() == i.ip());
        let all = program.closure(self.start);
        let mut kinds: Vec<String> =
            all.iter().filter(elsewhere).filter(|i| is_locked(i)).filter_map(effect).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn bytes(&self) -> usize {
        self.executed.iter().map(Instruction::len).sum()
    }

    fn has(&self, flow: FlowControl) -> bool {
        self.executed.iter().any(|i| i.flow_control() == flow)
    }
}

/// A variant's acquire and release.
struct Machine {
    variant: Variant,
    acquire: Path,
    release: Path,
}

fn paths<L: RawLock, const PARAVIRT: bool, const PATCHED: bool>(hypervisor: bool) -> [Path; 2] {
    // Unknown to the compiler, as a plan in an arena is.
    let params =
        black_box(Params { spin_threshold: Params::KERNEL_SPINS, hypervisor, vcpus: 1, ..Params::default() });
    let blocks = black_box([L::PerVcpu::default()]);
    let lock = black_box(L::new::<Alone<PARAVIRT, PATCHED>>(&params));
    let ctx = Ctx::<L, _>::over(0, &blocks, &params, Alone::<PARAVIRT, PATCHED>);
    let functions = [acquire::<L, Alone<PARAVIRT, PATCHED>>, release::<L, Alone<PARAVIRT, PATCHED>>];
    functions.map(|function: extern "C" fn(*const c_void, *const c_void)| {
        let (lock, ctx) = (std::ptr::from_ref(&lock).cast(), std::ptr::from_ref(&ctx).cast());
        // SAFETY: the types are those of the instance; the lock is acquired first and then released.
        let addresses = unsafe { step::addresses(function, lock, ctx) };
        let (last, executed) = addresses.split_last().unwrap();
        assert_eq!(Program::instruction(*last).mnemonic(), Mnemonic::Ret);
        Path {
            start: function as *const () as u64,
            executed: executed.iter().map(|address| Program::instruction(*address)).collect(),
        }
    })
}

fn of_lock<L: RawLock>() -> impl Iterator<Item = Machine> {
    L::VARIANTS.iter().map(|variant| {
        let [acquire, release] = match variant.paravirt {
            Paravirt::CompiledOut => paths::<L, false, false>(false),
            Paravirt::Patched => paths::<L, false, true>(false),
            Paravirt::CarriedOff => paths::<L, true, false>(false),
            Paravirt::On => paths::<L, true, false>(true),
        };
        Machine { variant: *variant, acquire, release }
    })
}

/// Every variant of every lock, in the catalogue's order.
fn machines() -> Vec<Machine> {
    let mut machines = Vec::new();
    macro_rules! every { ($($lock:path),+) => { $(machines.extend(of_lock::<$lock>());)+ } }
    for_each_lock!(every);
    machines
}

fn machine(name: &str) -> Machine {
    machines().into_iter().find(|machine| machine.variant.name == name).unwrap()
}

fn same(one: &Path, other: &Path) -> bool {
    // How far a cold branch jumps is the linker's affair.
    let code = |i: &Instruction| (i.mnemonic(), if i.is_jcc_short_or_near() { 0 } else { i.len() });
    one.executed.iter().map(code).eq(other.executed.iter().map(code))
}

/// The path without its NOPs of so many bytes, of which there must be one.
fn without_nop(path: &Path, bytes: usize) -> Path {
    let (nops, executed): (Vec<_>, Vec<_>) = path.executed.iter().copied().partition(|i| is_nop(i, bytes));
    assert_eq!(nops.len(), 1, "NOPs of {bytes} bytes");
    Path { start: path.start, executed }
}

#[test]
fn a_ticket_is_taken_from_the_whole_word_and_the_head_is_added_to_plainly() {
    let ticket = machine("ticket");
    assert_eq!(ticket.acquire.effects(), ["lock xadd dword"]);
    assert_eq!(ticket.release.effects(), ["add word"]);
    let split = machine("ticket-split");
    assert_eq!(split.acquire.effects(), ["lock xadd word"]);
    assert!(same(&split.release, &ticket.release));
}

#[test]
fn the_paravirtual_ticket_lock_is_the_plain_one_but_for_its_switch() {
    let ticket = machine("ticket");
    for name in ["pv-ticket", "pv-ticket-off", "pv-ticket-bare", "pv-ticket-patched"] {
        assert!(same(&machine(name).acquire, &ticket.acquire), "{name}");
    }
    assert!(same(&machine("pv-ticket-bare").release, &ticket.release), "compiled out, nothing is left");
    let patched = machine("pv-ticket-patched").release;
    assert!(
        same(&without_nop(&patched, 5), &ticket.release),
        "a static key that is down is a NOP and nothing else"
    );
    let off = machine("pv-ticket-off").release;
    assert_eq!(off.effects(), ["add word"]);
    assert!(off.has(FlowControl::ConditionalBranch), "a switch at run time is a branch");
    assert_eq!(machine("pv-ticket").release.effects(), ["lock xadd word"]);
}

#[test]
fn a_patched_call_site_is_a_direct_call_and_an_unpatched_one_an_indirect_one() {
    let (patched, unpatched) = (machine("pvops-ticket-patched"), machine("pvops-ticket"));
    for (patched, unpatched) in [(patched.acquire, unpatched.acquire), (patched.release, unpatched.release)] {
        assert!(patched.has(FlowControl::Call) && !patched.has(FlowControl::IndirectCall));
        assert!(unpatched.has(FlowControl::IndirectCall) && !unpatched.has(FlowControl::Call));
        assert_eq!(patched.effects(), unpatched.effects(), "the same instructions behind either call");
    }
    let byte = machine("pv-byte");
    assert!(byte.acquire.has(FlowControl::Call) && byte.release.has(FlowControl::Call));
    assert_eq!(byte.acquire.effects(), ["xchg byte"]);
    assert_eq!(byte.release.effects(), ["mov byte", "mfence"]);
}

#[test]
fn the_queued_lock_is_freed_by_a_byte() {
    let queued = machine("queued");
    assert_eq!(queued.acquire.effects(), ["lock cmpxchg dword"]);
    assert_eq!(queued.release.effects(), ["mov byte"]);
    assert!(same(&machine("virt-spin").release, &queued.release));
    let patched = machine("pv-queued-patched");
    assert!(same(&patched.acquire, &queued.acquire));
    assert!(same(&without_nop(&patched.release, 3), &queued.release), "three bytes of store, three of NOP");
    assert_eq!(machine("pv-queued-off").release.effects(), ["mov byte"]);
    assert_eq!(machine("pv-queued").release.effects(), ["lock cmpxchg byte"]);
}

/// How often each effect stands in a function.
fn counts(code: &[Instruction], effects: &[&str]) -> Vec<usize> {
    let all: Vec<String> = code.iter().filter_map(effect).collect();
    effects.iter().map(|effect| all.iter().filter(|found| found == effect).count()).collect()
}

#[test]
fn waiters_of_the_queued_lock_use_its_instructions() {
    let program = Program::load();
    let waits = program.callee(machine("queued").acquire.start, "queue7contend");
    // Pending by bit-test-and-set; the tail by an exchange of a half; whole words only to take a free lock: before queueing,
    // beyond the last node, and as the last in the queue.
    assert_eq!(counts(&waits, &["lock bts dword", "xchg word", "mfence", "prefetchw"]), [1, 1, 0, 1]);
    assert_eq!(locked_kinds(&waits), ["lock bts dword", "lock cmpxchg dword", "xchg word"]);
    // Pending to locked by a store of a half; pending is cleared, and the lock taken at the head, by stores of a byte.
    assert_eq!(counts(&waits, &["mov word"]), [1]);
    let pending_byte =
        |i: &&Instruction| effect(i).as_deref() == Some("mov byte") && i.memory_displacement64() == 1;
    assert_eq!(waits.iter().filter(pending_byte).count(), 1);
}

#[test]
fn waiters_of_the_paravirtual_queued_lock_use_its_instructions() {
    let program = Program::load();
    let machine = machine("pv-queued");
    let waits = program.callee(machine.acquire.start, "contend_halting");
    // Stealing and a node's state by compare-exchange of a byte, the head's taking of the lock by one of a half, `SLOW` and
    // the store before a halt by an exchange of a byte; one of a whole word by the last in the queue, one of an address
    // to enter the table of sleepers. No fence stands beside a locked instruction.
    assert_eq!(
        locked_kinds(&waits),
        [
            "lock cmpxchg byte",
            "lock cmpxchg dword",
            "lock cmpxchg qword",
            "lock cmpxchg word",
            "xchg byte",
            "xchg word"
        ]
    );
    assert_eq!(
        counts(&waits, &["lock bts dword", "mfence", "lock or dword", "lock and dword"]),
        [0, 0, 0, 0]
    );
    let pending =
        |i: &&Instruction| effect(i).as_deref() == Some("mov byte") && i.memory_displacement64() == 1;
    assert!(waits.iter().filter(pending).count() >= 2, "pending is set and cleared by stores of a byte");
    assert_eq!(machine.release.locked_elsewhere(&program), Vec::<String>::new(), "waking stores a byte");
}

fn locked_kinds(code: &[Instruction]) -> Vec<String> {
    let mut kinds: Vec<String> = code.iter().filter(|i| is_locked(i)).filter_map(effect).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
