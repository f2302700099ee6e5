//! The cell's own process: maps the arena, makes the lock, starts the vCPUs, and waits to be killed.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::ExitCode;

use lockbench_workloads::ProbeKind;
use lockbench_workloads::shared_object::furnish;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::arena::{Board, Memory};
use crate::axes::{Axis, Env};
use crate::measure::futex::{self, Sharing};
use crate::output;
use crate::protocol::{Cell, ChildArgument, ChildReport, ChildSpec, report_to, say};
use crate::subprocess::stay_with;
use crate::{Refusal, Registry, shared_object};

/// Runs a cell; returns only if that failed.
pub fn main(registry: &Registry) -> ExitCode {
    let argument = std::env::args_os().nth(2).unwrap_or_default();
    let Ok(argument) = serde_json::from_slice::<ChildArgument>(argument.as_encoded_bytes()) else {
        return output::not_for_people();
    };
    // Called from the main thread, because the kernel ties the request to the calling thread.
    stay_with(argument.parent);
    // SAFETY: the parent keeps both descriptors open for us across exec and says their numbers; nothing else in this fresh
    // process owns them. A wrong number is refused by `Memory::open`'s checks, or takes no report.
    let (arena, reports) =
        unsafe { (OwnedFd::from_raw_fd(argument.arena), File::from_raw_fd(argument.reports)) };
    // SAFETY: as above.
    let board = argument.board.map(|board| unsafe { OwnedFd::from_raw_fd(board) });
    report_to(reports);
    let Err(report) = run(arena, board, &argument.spec, registry);
    say(&report);
    ExitCode::from(2)
}

fn run(
    arena: OwnedFd,
    board: Option<OwnedFd>,
    spec: &ChildSpec,
    registry: &Registry,
) -> Result<std::convert::Infallible, ChildReport> {
    let failed = |what: &str, e: &dyn std::fmt::Display| ChildReport::Crashed(format!("{what}: {e}"));
    // A crash is an expected outcome here; its core file is of no use.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let refused = |e| ChildReport::Skipped(Refusal::of("the cell's process could not map the arena", e));
    let memory: &'static Memory = Box::leak(Box::new(Memory::open(arena).map_err(refused)?));
    let board = board.map(Board::open).transpose().map_err(refused)?;
    let board = board.map(|board| &*Box::leak(Box::new(board)));
    let not_loaded = |why: String| ChildReport::Skipped(why.into());
    let loaded = spec.object.as_ref().map(shared_object::load).transpose().map_err(not_loaded)?;
    let registry = loaded.map_or(*registry, |loaded| registry.with(loaded.as_shared()));
    let lock = registry.lock(&spec.lock).ok_or_else(|| failed("no such lock", &spec.lock))?;
    let env = Env::parse(&spec.env).map_err(|e| failed("its environment", &e))?;
    let probe = ProbeKind::ALL.get(usize::from(spec.probe)).copied().unwrap_or(ProbeKind::Off);
    let entry = lock.family.entry(lock.variant.paravirt, probe);
    if probe == ProbeKind::Trace && memory.traced().next().is_none() {
        return Err(failed("the arena", &"it has no room for the times that this cell takes"));
    }
    // SAFETY: the parent laid the arena out for this very lock (same program, same name), and no vCPU exists yet.
    unsafe { (entry.init)(memory.as_ptr()) };
    if let Some(loaded) = loaded {
        // SAFETY: as above; the lock is that of the loaded object.
        unsafe { furnish(memory.as_ptr(), &loaded.functions) };
    }
    env.start(Cell {
        memory,
        entry,
        blocks: lock.family.blocks,
        count_preemptions: spec.count_preemptions,
        board,
    })
    .map_err(ChildReport::Skipped)?;
    let ready = &memory.gate().ready;
    loop {
        let n = ready.load(std::sync::atomic::Ordering::Acquire);
        if n as usize == memory.vcpus() {
            break;
        }
        futex::wait(ready, n, Sharing::Shared);
    }
    say(&ChildReport::Ready);
    loop {
        std::thread::park();
    }
}
