//! A vCPU's host thread, both where the thread is the vCPU and where it runs a real one.

use std::io;
use std::sync::atomic::Ordering::{Relaxed, Release};

use lockbench_workloads::arena::{ForgetFn, HaltFn, Header, KickFn, YieldFn};

use super::{doorbell, scheduled};
use crate::Refusal;
use crate::arena::Memory;
use crate::measure::futex::{self, Sharing};
use crate::measure::{rseq, slice_extension};
use crate::protocol::{Cell, ChildReport, say};

/// Enough for any worker: it has one frame, and a peer's lock may call into libc.
const STACK: usize = 256 * 1024;

/// Starts vCPU `cpu`'s host thread. It runs `prepare`, waits at the gate, then runs what `prepare` returned.
pub(super) fn spawn<Enter: FnOnce()>(
    memory: &'static Memory,
    cpu: usize,
    prepare: impl FnOnce() -> Enter + Send + 'static,
) -> Result<(), Refusal> {
    let run = move || {
        let block = memory.block(cpu);
        block.env.tid.store(rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned(), Relaxed);
        let enter = prepare();
        let gate = memory.gate();
        // Release: the parent and the main thread read what was prepared once the count is full.
        gate.ready.fetch_add(1, Release);
        futex::wake_all(&gate.ready, Sharing::Shared);
        futex::pass(if cpu == 0 { &gate.go_first } else { &gate.go_rest });
        enter();
    };
    let spawned: io::Result<_> = std::thread::Builder::new().stack_size(STACK).spawn(run);
    spawned
        .map(drop)
        .map_err(|e| Refusal::of(format!("the host thread of vCPU {cpu} could not be started"), e))
}

/// Starts every vCPU as a thread that runs the worker itself; where they `halt`, at their doorbells.
pub(super) fn start_workers(cell: &Cell, halts: bool) -> Result<(), Refusal> {
    let (memory, entry, count) = (cell.memory, cell.entry, cell.count_preemptions);
    let in_schedule = cell.board.is_some();
    if let Some(board) = cell.board {
        scheduled::obey(board)?;
    }
    for cpu in 0..memory.vcpus() {
        spawn(memory, cpu, move || {
            let block = memory.block(cpu);
            // SAFETY: this thread alone writes its vCPU's functions, here and below, once, before it counts itself ready; they are
            // read by this vCPU's worker, which this very thread enters later.
            unsafe {
                let give_way: YieldFn = if in_schedule { scheduled::give_way } else { doorbell::give_way };
                *block.env.give_way.get() = Some(give_way);
            }
            if halts {
                // SAFETY: as above.
                unsafe {
                    let (halt, kick, forget): (HaltFn, KickFn, ForgetFn) = if in_schedule {
                        (scheduled::halt, scheduled::kick, doorbell::forget)
                    } else {
                        (doorbell::halt, doorbell::kick, doorbell::forget)
                    };
                    *block.env.halt.get() = Some(halt);
                    *block.env.kick.get() = Some(kick);
                    *block.env.forget.get() = Some(forget);
                }
            }
            if in_schedule {
                scheduled::hint(block);
            }
            if memory.plan().extends {
                match slice_extension::enable() {
                    Ok(slice) => {
                        block.env.slice.store(slice, Relaxed);
                        // SAFETY: as above.
                        unsafe { *block.env.give_back.get() = Some(give_back) };
                    }
                    // The parent ends this process before the gate opens.
                    Err(refusal) => say(&ChildReport::Skipped(refusal)),
                }
            }
            let probe = if count { rseq::Probe::of_this_thread() } else { None };
            if let Some(probe) = probe {
                block.env.probe.store(probe.word, Relaxed);
                block.env.expected.store(probe.armed, Relaxed);
                block.env.rearm.store(probe.armed, Relaxed);
            }
            move || {
                if in_schedule {
                    scheduled::arrive(block);
                }
                // Sleeping at the gate cleared it.
                if let Some(probe) = probe {
                    probe.arm();
                }
                // SAFETY: the arena is mapped for the process's life and laid out for this entry, whose `init` has run;
                // `cpu` is one of its vCPUs and this thread is the only one to run it.
                unsafe { (entry.run)(memory.as_ptr(), cpu as u32) }
            }
        })?;
    }
    Ok(())
}

/// Gives back the pCPU that the vCPU's thread was let keep beyond its timeslice.
unsafe extern "C" fn give_back(_: *const Header, _: u32) {
    slice_extension::give_back();
}
