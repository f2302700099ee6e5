//! `lockbench suite --plan-only`: the plan of this machine or of another, without measuring anything.

use std::fmt::Write;

use lockbench_reports::derive::reasons::not_planned;
use lockbench_reports::format;
use lockbench_reports::format::counted;
use lockbench_reports::show::reasons;

use super::axes::Axes;
use super::{Done, print};
use crate::plan::{self, Profile, Resources, Timing};
use crate::suite::something_planned;
use crate::topology::{self, Source};
use crate::{Error, Registry};

/// Assumed figures of a machine that was not measured: a tick at 250 Hz, a nanosecond of work per step.
const ASSUMED: Timing = Timing { window_ns: 0, slice_ns: 4e6, work_ns: 1.0, ticks_per_ns: 1.0 };

pub(super) fn run(
    profile: &Profile,
    topology: Option<&str>,
    axes: &Axes,
    registry: &Registry,
) -> Result<Done, Error> {
    let source = topology.map_or(Source::ThisMachine, Source::from_argument);
    let (mut machine, _) = topology::load(&source)?;
    if let Some(pcpus) = axes.cpu_list()? {
        machine = machine.restricted_to(&pcpus)?;
    }
    let timing = Timing { window_ns: profile.window.as_nanos() as u64, ..ASSUMED };
    let on = Resources { registry, machine: &machine, foreign: !machine.is_this_system };
    let (cells, refused) = plan::expand(profile, &on);
    let mut fitted = plan::fit(cells, &timing, profile.rounds, profile.time, profile.noise_floor);
    fitted.dropped.extend(refused);
    something_planned(&fitted.cells, &fitted.dropped)?;
    let mut text = format!(
        "{}: {}, {}, {}, CPUs {}\n{} x {}, about {:.0} s, timeslice taken as 4 ms\n\n",
        machine.source,
        counted(machine.packages.len(), "package"),
        counted(machine.nodes.len(), "NUMA node"),
        counted(machine.cores.len(), "core"),
        machine.cpus(),
        counted(fitted.cells.len(), "cell"),
        counted(profile.rounds as usize, "round"),
        fitted.estimate.as_secs_f64().ceil()
    );
    for (index, cell) in fitted.cells.iter().enumerate() {
        let twin = if fitted.twins.contains(&index) { "  (A/A pair)" } else { "" };
        let ms = |ns: u64| format::duration(ns as f64);
        let _ = writeln!(
            text,
            "{:<70} {} + {}{twin}",
            cell.axes.id,
            ms(cell.warmup_ns(&timing)),
            ms(cell.window_ns(&timing))
        );
    }
    text.push_str(&reasons::text(&not_planned(&fitted.dropped), usize::MAX));
    print(&text)?;
    Ok(Done::Well)
}
