//! The rate of paravirtual locks against their spin threshold.

use super::Figure;
use super::lines::{Lines, Series};
use super::percentiles::axis_duration;
use super::style::{Looks, Style, nth};
use crate::Error;
use crate::derive::roster::halting;
use crate::derive::setting::{environments, main_setting};
use crate::derive::sweep::{DEFAULT_SPINS, loops, sweeps};
use crate::format::overcommit;
use crate::record::Results;

const TITLE: &str = "The cure against its spin threshold";

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    // A loop costs differently by processor; as a time the threshold can be compared with a timeslice or a wake-up.
    let spin_ns = results.machine.calibration.spin_ns;
    let calibrated = spin_ns > 0.0 && spin_ns.is_finite();
    let scale = if calibrated { spin_ns } else { 1.0 };
    let looks = Looks::of(results);
    let mut series: Vec<Series> = Vec::new();
    for env in environments(results) {
        let Some(setting) = main_setting(results, env) else { continue };
        for lock in halting(results) {
            for sweep in sweeps(results, &setting, lock) {
                let spins = |cell: &crate::record::Cell| {
                    sweep
                        .steps
                        .iter()
                        .find(|step| std::ptr::eq(step.1, cell))
                        .map_or(0.0, |step| step.0 as f64 * scale)
                };
                let cells = sweep.steps.iter().map(|step| step.1);
                // Lines of one lock have its colour, and differ by marker and dash.
                let other = nth(series.len());
                let style = Style { colour: looks.lock(lock).colour, ..other };
                let style = Style { dashed: series.iter().any(|series| series.lock == lock), ..style };
                let name = format!("{lock}, {}, {}", setting.axes().told_env(), overcommit(sweep.overcommit));
                series.extend(
                    Series::of_cells(lock, style, cells, spins).map(|series| Series { name, ..series }),
                );
            }
        }
    }
    Lines {
        id: "spin-threshold".into(),
        title: TITLE.into(),
        env: None,
        reading: "A vCPU spins this long before it halts. A curve that falls to the right means that on this machine the \
                  kernel's default, the dashed line at 2^15 loops, spins longer than pays.",
        x_title: if calibrated { "time spun before halting" } else { "loops before halting" },
        x_label: if calibrated { axis_duration } else { |value| loops(value as u64) },
        y_title: "acquisitions per second",
        mark: (!series.is_empty()).then_some(DEFAULT_SPINS as f64 * scale),
        series,
    }
    .draw("Only one spin threshold was measured.")
}
