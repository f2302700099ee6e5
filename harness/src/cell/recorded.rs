//! A schedule log that was recorded, as a timetable for other cells.

use lockbench_reports::record::{CellAxes, Round, Vm};
use serde::{Deserialize, Serialize};

use crate::axes::Axes;
use crate::hypervisor::policy::{Timetable, Turn};

/// The log of a window, cut to the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordedLog {
    /// The run, the cell and the round, in words.
    pub(crate) source: String,
    /// Number of vCPUs, of all virtual machines together.
    pub(crate) vcpus: usize,
    /// Timeslice that was asked for.
    pub(crate) slice_ns: u64,
    /// Who had each pCPU; pCPUs are in the order of the cell's.
    pub(crate) timetable: Timetable,
}

impl RecordedLog {
    /// The log of a window of a cell; none where the window has none.
    pub(crate) fn of(run_id: &str, axes: &CellAxes, round: &Round) -> Option<Self> {
        let measured = round.measured()?;
        let schedule = measured.schedule.as_ref().filter(|schedule| !schedule.log.is_empty())?;
        let mut lanes = vec![Vec::new(); axes.pcpus.len()];
        for stretch in &schedule.log {
            let lane = axes.pcpus.iter().position(|pcpu| *pcpu == stretch.pcpu)?;
            let within = |ns: i64| u64::try_from(ns).unwrap_or(0).min(measured.window_ns);
            let (from_ns, to_ns) = (within(stretch.from_ns), within(stretch.to_ns));
            if from_ns < to_ns {
                lanes[lane].push(Turn { vcpu: stretch.vcpu as usize, from_ns, to_ns });
            }
        }
        let of_case = axes.case.as_ref().map(|case| case.vms.iter().map(Vm::lock_users).sum());
        Some(Self {
            source: format!("run {run_id}, {}, round {}", axes.id, round.round),
            vcpus: of_case.unwrap_or(axes.vcpus) as usize,
            slice_ns: schedule.slice_ns,
            timetable: Timetable::new(lanes, measured.window_ns)?,
        })
    }

    /// What identifies it.
    pub(crate) fn hash(&self) -> u64 {
        self.timetable.hash()
    }

    /// Whether a vCPU has turns on several pCPUs.
    pub(crate) fn moves(&self) -> bool {
        let mut on = vec![None; self.vcpus];
        self.turns().any(|(pcpu, vcpu)| match on.get_mut(vcpu) {
            Some(known) => *known.get_or_insert(pcpu) != pcpu,
            None => false,
        })
    }

    fn turns(&self) -> impl Iterator<Item = (usize, usize)> {
        let lanes = self.timetable.lanes().iter().enumerate();
        lanes.flat_map(|(pcpu, turns)| turns.iter().map(move |turn| (pcpu, turn.vcpu)))
    }

    /// Why it cannot be replayed in a cell; none if it can.
    pub(crate) fn refusal(&self, axes: &Axes, pinned: bool) -> Option<String> {
        let sizes: Vec<u32> = match &axes.case {
            Some(case) => case.vms.iter().map(Vm::lock_users).collect(),
            None => vec![axes.vcpus],
        };
        let (vcpus, pcpus) = (sizes.iter().sum::<u32>() as usize, axes.pcpus.len());
        if (self.vcpus, self.timetable.pcpus()) != (vcpus, pcpus) {
            return Some(format!(
                "the log of {} is one of {} vCPUs on {} pCPUs, so a cell of {vcpus} vCPUs on {pcpus} pCPUs cannot replay it",
                self.source,
                self.vcpus,
                self.timetable.pcpus()
            ));
        }
        // The vCPUs of each machine are dealt to the pCPUs in turn.
        let homes: Vec<usize> =
            sizes.iter().flat_map(|&size| (0..size as usize).map(|cpu| cpu % pcpus)).collect();
        let stays = |(pcpu, vcpu): (usize, usize)| homes.get(vcpu).is_some_and(|home| *home == pcpu);
        (pinned && !self.turns().all(stays)).then(|| {
            let where_they_are = match self.moves() {
                true => "vCPUs move between pCPUs",
                false => "vCPUs are on other pCPUs than in this cell",
            };
            format!(
                "in the log of {} {where_they_are}, so that a cell with pinned vCPUs cannot replay it; give --pinning floating",
                self.source
            )
        })
    }

    /// Why it cannot be replayed for so long; none if it can.
    pub(crate) fn too_short_for(&self, window_ns: u64) -> Option<String> {
        let ms = |ns: u64| ns as f64 / 1e6;
        (window_ns > self.timetable.length_ns()).then(|| {
            format!(
                "the log of {} is {:.0} ms long, and this window takes {:.0} ms; give a shorter --window, or record a longer log",
                self.source,
                ms(self.timetable.length_ns()),
                ms(window_ns)
            )
        })
    }
}
