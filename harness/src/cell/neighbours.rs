//! The virtual machines beside the one that a cell measures.

use std::time::Instant;

use lockbench_reports::record::{Measured, VmMeasured};

use super::counters::Task;
use super::guest::Guest;
use super::process::ChildEnd;
use super::sample::Sample;
use super::{Bench, WindowSpec};
use crate::arena::Board;
use crate::measure::futex;
use crate::protocol::ChildReport;

/// The machines beside the measured one, which run.
pub(super) struct Neighbours {
    names: Vec<String>,
    guests: Vec<Guest>,
    opened: Vec<Reading>,
}

/// What a machine had done at one moment.
struct Reading {
    at: Instant,
    operations: Vec<u64>,
    tasks: Vec<Task>,
}

impl Neighbours {
    /// Starts every machine of the case but the first; their vCPUs stand at the gate.
    pub(super) fn start(
        spec: &WindowSpec,
        bench: &Bench<'_>,
        board: Option<&Board>,
    ) -> Result<Self, ChildEnd> {
        let names = spec.axes.case.iter().flat_map(|case| case.vms.iter().skip(1)).map(|vm| vm.name.clone());
        let names: Vec<String> = names.collect();
        let guests = spec.neighbours.iter().zip(&names);
        let guests = guests
            .map(|(spec, name)| Guest::start(spec, bench, board).map_err(|end| named(name, end)))
            .collect::<Result<_, _>>()?;
        Ok(Self { names, guests, opened: Vec::new() })
    }

    pub(super) fn guests(&self) -> &[Guest] {
        &self.guests
    }

    /// Lets them go, before the measured machine: it comes to pCPUs that are busy.
    pub(super) fn open_gates(&self) {
        for guest in &self.guests {
            futex::open(&guest.memory.gate().go_first);
            futex::open(&guest.memory.gate().go_rest);
        }
    }

    /// Takes the first readings, at the window's opening.
    pub(super) fn open(&mut self) {
        self.opened = self.guests.iter().map(Reading::take).collect();
    }

    /// Enters into the record what each machine did in the window. An error if one of them failed.
    pub(super) fn close(&mut self, spec: &WindowSpec, measured: &mut Measured) -> Result<(), ChildEnd> {
        if let Some(case) = &spec.axes.case {
            measured.vms.push(VmMeasured {
                name: case.vms[0].name.clone(),
                operations: measured.operations.clone(),
                on_cpu_share: measured.on_cpu_share.clone(),
            });
        }
        for ((guest, name), opened) in self.guests.iter_mut().zip(&self.names).zip(&self.opened) {
            measured.vms.push(Reading::take(guest).since(opened, name));
            guest.process.check().map_err(|end| named(name, end))?;
        }
        Ok(())
    }

    /// Ends their processes.
    pub(super) fn end(self) -> Result<(), ChildEnd> {
        self.guests.into_iter().try_for_each(|guest| guest.process.end())
    }
}

impl Reading {
    fn take(guest: &Guest) -> Self {
        let pid = guest.process.pid();
        let sample = Sample::take(&guest.memory, None);
        Self {
            at: sample.at,
            operations: sample.own.iter().map(|own| own.operations).collect(),
            tasks: guest.threads.iter().map(|&tid| Task::read(pid, tid)).collect(),
        }
    }

    fn since(&self, earlier: &Self, name: &str) -> VmMeasured {
        let window_ns = (self.at - earlier.at).as_nanos().max(1) as f64;
        let both = self.tasks.iter().zip(&earlier.tasks);
        let shares: Option<Vec<f64>> = both
            .map(|(now, then)| Some(now.on_cpu_ns?.saturating_sub(then.on_cpu_ns?) as f64 / window_ns))
            .collect();
        let operations = self.operations.iter().zip(&earlier.operations);
        VmMeasured {
            name: name.to_owned(),
            operations: operations.map(|(now, then)| now.saturating_sub(*then)).collect(),
            on_cpu_share: shares.unwrap_or_default(),
        }
    }
}

/// Says which machine an end is about.
fn named(name: &str, end: ChildEnd) -> ChildEnd {
    match end {
        ChildEnd::Reported(ChildReport::Crashed(reason)) => {
            ChildEnd::Reported(ChildReport::Crashed(format!("virtual machine {name}: {reason}")))
        }
        ChildEnd::Reported(ChildReport::Skipped(mut refusal)) => {
            refusal.reason = format!("virtual machine {name}: {}", refusal.reason);
            ChildEnd::Reported(ChildReport::Skipped(refusal))
        }
        end => end,
    }
}
