//! Runs a function one instruction at a time and writes down where each lies: what an uncontended path really executes.

use std::arch::asm;
use std::ffi::{c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// More than any path has.
const MOST: usize = 1000;

static ADDRESSES: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The log is one for the process.
static STEPPING: Mutex<()> = Mutex::new(());

/// Called after each instruction, with the address of the next.
extern "C" fn note(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel hands a handler with SA_SIGINFO the interrupted context.
    let next = unsafe { &*context.cast::<libc::ucontext_t>() }.uc_mcontext.gregs[libc::REG_RIP as usize];
    let nth = COUNT.fetch_add(1, Relaxed);
    if let Some(address) = ADDRESSES.get(nth) {
        address.store(next.cast_unsigned(), Relaxed);
    }
}

/// Calls `function(first, second)` and returns the addresses of the instructions that it executed, the last `ret` included.
///
/// # Safety
///
/// `function` must be sound to call with these two arguments.
pub(crate) unsafe fn addresses(
    function: extern "C" fn(*const c_void, *const c_void),
    first: *const c_void,
    second: *const c_void,
) -> Vec<u64> {
    let _alone = STEPPING.lock().unwrap();
    // SAFETY: a handler of the signature that SA_SIGINFO asks for, which only stores to atomics.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGTRAP, &action, std::ptr::null_mut()), 0);
    }
    COUNT.store(0, Relaxed);
    let back: u64;
    // SAFETY: the trap flag (bit 8) goes up, and from then on each instruction ends in a trap, which the handler above takes;
    // it is down again at the end. In between is one call by the C convention, whose registers are all given up; pushes and
    // pops are even, so that the stack is as aligned at the call as it is at the beginning of such a block.
    unsafe {
        asm!(
            "lea r12, [rip + 2f]",
            "pushfq",
            "or qword ptr [rsp], 0x100",
            "popfq",
            "call {function}",
            "2:",
            "pushfq",
            "and qword ptr [rsp], ~0x100",
            "popfq",
            function = in(reg) function,
            in("rdi") first,
            in("rsi") second,
            out("r12") back,
            clobber_abi("C"),
        );
    }
    let count = COUNT.load(Relaxed);
    assert!(count > 0, "this machine does not single-step");
    assert!(count <= MOST, "a path of more than {MOST} instructions");
    let all: Vec<u64> = ADDRESSES[..count].iter().map(|address| address.load(Relaxed)).collect();
    let end = all.iter().position(|address| *address == back).expect("the function returned");
    all[..end].to_vec()
}
