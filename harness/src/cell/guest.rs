//! A virtual machine of a cell: its arena, its process, and the threads that are or run its vCPUs.

use std::sync::Arc;
use std::time::Duration;

use super::holes::Digger;
use super::placing::Lies;
use super::process::{ChildEnd, Process};
use super::{Bench, WindowSpec, prepare};
use crate::Refusal;
use crate::arena::{Board, Memory};
use crate::axes::Lock;
use crate::hypervisor::Vcpu;
use crate::measure::own_slice;
use crate::protocol::{ChildReport, ChildSpec};

/// A machine whose vCPUs stand at the gate, each thread on its pCPU.
pub(super) struct Guest {
    pub(super) lock: Lock,
    pub(super) memory: Arc<Memory>,
    pub(super) process: Process,
    pub(super) threads: Vec<u32>,
    /// The pCPU that each vCPU was found on; empty where they float.
    pub(super) placed: Vec<u32>,
    pub(super) lies: Lies,
    /// Makes the pages that sections touch.
    pub(super) digger: Option<Digger>,
}

pub(super) fn skipped(refusal: Refusal) -> ChildEnd {
    ChildEnd::Reported(ChildReport::Skipped(refusal))
}

impl Guest {
    /// Starts the machine of `spec`. With a board, its vCPUs are held until the hypervisor resumes them.
    pub(super) fn start(
        spec: &WindowSpec,
        bench: &Bench<'_>,
        board: Option<&Board>,
    ) -> Result<Self, ChildEnd> {
        let lock = bench
            .registry
            .lock(&spec.axes.lock)
            .ok_or_else(|| skipped(Refusal::from(format!("this build has no lock `{}`", spec.axes.lock))))?;
        let blank = prepare::arena(spec, lock).map_err(skipped)?;
        // Memory is bound before anything is written: a page stays where it was first touched.
        let (mut memory, lies) = bench.placer.place_memory(blank, spec).map_err(skipped)?;
        prepare::write(&mut memory, spec);
        if board.is_some() {
            Vcpu::hold(&memory);
        }
        let child = ChildSpec {
            lock: lock.name().into(),
            env: spec.axes.values.env.name().into(),
            probe: spec.probe() as u8,
            object: spec.object.clone(),
            count_preemptions: spec.count_preemptions,
        };
        let mut process = Process::start(child, &memory, board)
            .map_err(|e| skipped(Refusal::of("the cell's process could not be started", e)))?;
        process.wait_ready(Duration::from_secs(10))?;
        let threads = process.threads(&memory)?;
        let placed = bench.placer.place_vcpus(&threads, spec, spec.started_on()).map_err(skipped)?;
        // The hypervisor's timeslice is no business of the kernel's.
        if let Some(slice_ns) = spec.axes.values.slice.ns().filter(|_| board.is_none()) {
            for &thread in &threads {
                own_slice::ask(thread, slice_ns).map_err(skipped)?;
            }
        }
        let memory = Arc::new(memory);
        let digger = Digger::start(&memory).map_err(skipped)?;
        Ok(Self { lock, memory, process, threads, placed, lies, digger })
    }

    /// Its vCPUs, for the hypervisor.
    pub(super) fn vcpus(&self) -> impl Iterator<Item = Vcpu> {
        let pid = self.process.pid();
        self.threads.iter().enumerate().map(move |(cpu, &tid)| Vcpu::new(self.memory.clone(), cpu, pid, tid))
    }
}
