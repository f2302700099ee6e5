//! The vCPU's side of the emulated hypervisor: how a thread that is or runs a vCPU is interrupted, sleeps and is kicked.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use lockbench_workloads::arena::{Block, Header};
use lockbench_workloads::locks::pause::Os;
use lockbench_workloads::ticks;

use super::price;
use crate::Refusal;
use crate::arena::Board;
use crate::hypervisor::PAUSE_SIGNAL;
use crate::measure::futex::{self, Sharing};
use crate::scheduling::own_time_ns;

/// The board of this process's machine, once the hypervisor schedules it.
static BOARD: OnceLock<&'static Board> = OnceLock::new();

thread_local! {
    /// The vCPU of this thread.
    static SEAT: Cell<Option<Seat>> = const { Cell::new(None) };
}

/// What the signal's handler needs to know of its thread.
#[derive(Clone, Copy)]
enum Seat {
    /// The thread is this vCPU.
    IsVcpu(&'static Block),
    /// The thread runs a guest, which KVM leaves once this byte is 1.
    RunsGuest(NonNull<u8>),
}

/// What a vCPU's thread does with the kernel while it obeys.
pub(super) struct Thread<'a>(pub(super) &'a Block);

impl Os for Thread<'_> {
    fn sleep(&self, word: &AtomicU32, value: u32) {
        futex::wait(word, value, Sharing::Shared);
    }

    fn wake(&self, word: &AtomicU32) {
        futex::wake_all(word, Sharing::Shared);
    }

    fn acknowledging(&self, off: bool) {
        let control = &self.0.control;
        // What the thread does between the two stamps stands in no stretch of the log, and the kernel counts it as the vCPU's. It is
        // little, but for a vCPU that gives its pCPU up all the time.
        if off {
            control.left_at.store(ticks(), Relaxed);
            // A vCPU that has left may be asked to pause as well: it left once.
            if control.left_own_ns.load(Relaxed) == 0 {
                control.left_own_ns.store(own_time_ns(), Relaxed);
            }
        } else {
            let left_own_ns = control.left_own_ns.swap(0, Relaxed);
            if left_own_ns != 0 {
                control.between_ns.fetch_add(own_time_ns().saturating_sub(left_own_ns), Relaxed);
            }
            control.back_at.store(ticks(), Relaxed);
        }
    }

    fn halting(&self) {
        ring_lane_of(self.0);
    }
}

fn ring_lane_of(block: &Block) {
    if let Some(board) = BOARD.get() {
        board.ring(block.control.lane.load(Relaxed) as usize);
    }
}

/// Makes this process obey the hypervisor whose board this is. Call once, before vCPUs are started.
pub(super) fn obey(board: &'static Board) -> Result<(), Refusal> {
    let _ = BOARD.set(board);
    // SAFETY: zeros are a valid sigaction: no flags, an empty mask. The handler only does what a handler may: it reads a
    // thread-local without a destructor, changes atomics, and makes futex calls.
    let answer = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = interrupted as *const () as usize;
        // A lock or a library may be in a call that does not expect to be interrupted.
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(PAUSE_SIGNAL, &raw const action, ptr::null_mut())
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(Refusal::of("the signal that pauses vCPUs could not be handled", std::io::Error::last_os_error()))
    }
}

extern "C" fn interrupted(_: libc::c_int) {
    // SAFETY: the C library gives each thread its own errno, at an address that does not change.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above. A handler must leave errno as it was, for the interrupted code may be about to read it.
    let saved = unsafe { *errno };
    match SEAT.get() {
        Some(Seat::IsVcpu(block)) => block.control.pause.interrupted(&Thread(block)),
        // SAFETY: the byte lies in KVM's shared page of the vCPU, mapped for as long as this thread runs the vCPU, and is
        // written by this thread alone. Volatile, for KVM reads it.
        Some(Seat::RunsGuest(leave)) => unsafe { leave.as_ptr().write_volatile(1) },
        None => {}
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

/// Waits until this thread's vCPU is resumed for the first time. From then on the signal pauses the thread itself.
pub(super) fn arrive(block: &'static Block) {
    SEAT.set(Some(Seat::IsVcpu(block)));
    block.control.pause.arrive(&block.word.0, &Thread(block));
}

/// As [`arrive`], for a thread that runs a guest: from then on the signal sets `leave`, and the thread must
/// [obey](lockbench_workloads::locks::pause::Pause::obey) after every exit.
pub(super) fn arrive_with_guest(block: &'static Block, leave: NonNull<u8>) {
    SEAT.set(Some(Seat::RunsGuest(leave)));
    block.control.pause.arrive(&block.word.0, &Thread(block));
}

/// Halts the vCPU with this block.
pub(super) fn halt_vcpu(block: &Block) {
    block.control.pause.halt(&block.word.0, &Thread(block));
}

/// Kicks the vCPU with this block.
pub(super) fn kick_vcpu(block: &Block) {
    if block.control.pause.kick(&block.word.0) {
        ring_lane_of(block);
    }
}

/// Yields the pCPU of the vCPU with this block.
pub(super) fn yield_vcpu(block: &Block) {
    block.control.pause.give_way(&Thread(block));
}

/// Tells locks and probes what the hypervisor does to this vCPU: whether it is off its pCPU.
pub(super) fn hint(block: &Block) {
    block.env.preempted.store(block.control.off.as_ptr(), Relaxed);
}

/// Makes the hypervisor's count of pauses the probe of a guest's worker, which has no other: KVM's steal time counts no pause.
pub(super) fn watch(block: &Block) {
    block.env.expected.store(block.control.pauses.load(Relaxed), Relaxed);
    block.env.rearm.store(0, Relaxed);
    block.env.probe.store(block.control.pauses.as_ptr(), Relaxed);
}

/// Halts vCPU `me`, which is a thread.
pub(super) unsafe extern "C" fn halt(arena: *const Header, me: u32) {
    // SAFETY: called by vCPU `me`'s worker with its own mapped arena.
    let (header, block) = unsafe { (&*arena, (*arena).block(me as usize)) };
    price::pay(header);
    halt_vcpu(block);
}

/// Yields the pCPU of vCPU `me`, which is a thread.
pub(super) unsafe extern "C" fn give_way(arena: *const Header, me: u32) {
    // SAFETY: called by vCPU `me`'s worker with its own mapped arena.
    yield_vcpu(unsafe { (*arena).block(me as usize) });
}

/// Kicks vCPU `cpu`, which is a thread.
pub(super) unsafe extern "C" fn kick(arena: *const Header, cpu: u32) {
    // SAFETY: called by a worker with its own mapped arena.
    let header = unsafe { &*arena };
    price::pay(header);
    if cpu < header.plan.params.vcpus {
        // SAFETY: `cpu` is a vCPU of this arena.
        kick_vcpu(unsafe { header.block(cpu as usize) });
    }
}
