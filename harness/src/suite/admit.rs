//! Finds, before anything is measured, what a plan asks for and this machine cannot do.

use lockbench_reports::record::{Dropped, Purpose};
use lockbench_workloads::locks::EarlyWait;

use super::{HUGE_PAGES, SLICE_EXTENSION, Session};
use crate::Registry;
use crate::axes::{Pages, SliceExtension};
use crate::plan::{self, PlannedCell, Profile, Resources};

impl Session {
    /// The cells of a profile that can be measured here, most important first, and the reasons why the others cannot. A cell may
    /// also lose only its traced windows.
    pub(crate) fn cells(&self, profile: &Profile, registry: &Registry) -> (Vec<PlannedCell>, Vec<Dropped>) {
        let on = Resources { registry, machine: &self.topology, foreign: false };
        let (cells, mut dropped) = plan::expand(profile, &on);
        let mut drop = |cell: &PlannedCell, reason: String| {
            dropped.push(Dropped { cell: cell.axes.id.clone(), reason });
        };
        let mut admitted = Vec::new();
        for mut cell in cells {
            if let Some(reason) = self.lacks_hint(&cell).or_else(|| self.lacks_facility(&cell)) {
                drop(&cell, reason);
                continue;
            }
            if let Some(reason) = self.clocks_apart(&cell) {
                drop(&cell, reason);
                cell.purposes.retain(|purpose| !takes_times(*purpose));
            }
            if !cell.purposes.is_empty() {
                admitted.push(cell);
            }
        }
        (admitted, dropped)
    }

    /// Why a lock that asks the host whether a vCPU is preempted would always get the answer no; none if the host answers.
    fn lacks_hint(&self, cell: &PlannedCell) -> Option<String> {
        // The emulated hypervisor tells in every environment.
        let values = &cell.axes.values;
        if values.early_wait != EarlyWait::Hint || values.scheduler.is_hypervisor() {
            return None;
        }
        let env = cell.axes.values.env;
        let Some(name) = env.hints_by() else {
            return Some(format!("{} vCPUs are not told whether another is preempted", env.name()));
        };
        match self.machine.facilities.iter().find(|facility| facility.name == name) {
            Some(hint) if hint.available => None,
            Some(hint) => Some(hint.detail.clone()),
            None => Some("whether the host hints at preempted vCPUs could not be found out".into()),
        }
    }

    /// Why this machine does not have what a value of the cell needs; none if it has.
    fn lacks_facility(&self, cell: &PlannedCell) -> Option<String> {
        let values = &cell.axes.values;
        let needs = [
            (HUGE_PAGES, values.pages == Pages::Huge),
            (SLICE_EXTENSION, values.slice_extension == SliceExtension::On),
        ];
        let facilities = &self.machine.facilities;
        let lacking = needs.into_iter().filter(|(_, needed)| *needed).find_map(|(name, _)| {
            facilities.iter().find(|facility| facility.name == name && !facility.available)
        });
        lacking.map(|facility| facility.detail.clone())
    }

    /// Why times that guests take cannot be compared with those of this process; none if they can.
    fn clocks_apart(&self, cell: &PlannedCell) -> Option<String> {
        let apart = self.machine.kvm_costs.as_ref().is_some_and(|costs| !costs.clocks_agree);
        let traced = cell.purposes.iter().any(|purpose| takes_times(*purpose));
        (cell.axes.values.env.name() == "kvm" && apart && traced).then(|| {
            "its times cannot be taken: the guest's time-stamp counter is not the host's (Linux 5.16 or newer makes it so)".into()
        })
    }
}

fn takes_times(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Latency | Purpose::Trace)
}
