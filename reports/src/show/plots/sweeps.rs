//! Sweeps over one axis, with nothing else changed: section length, think time, timeslice.

use super::lines::{Lines, Series};
use super::percentiles::axis_duration;
use super::style::Looks;
use super::{Figure, timeslice};
use crate::Error;
use crate::derive::setting::same;
use crate::format::overcommit;
use crate::record::{Cell, CellAxes, Results, Scheduler, Status, params};

/// Fewer values than this are no sweep.
const FEWEST: usize = 3;

/// An axis that can be swept.
struct Dimension {
    id: &'static str,
    title: &'static str,
    reading: &'static str,
    x_title: &'static str,
    nothing: &'static str,
    /// A cell's value on the axis, in nanoseconds.
    at: fn(&Results, &Cell) -> Option<f64>,
    /// A sentence on the cells that are drawn; may be empty.
    note: fn(&Results, &[&Cell]) -> String,
    /// Where the cells ran, in words.
    env: fn(&CellAxes) -> String,
    /// Removes the axis from a cell's axes: the cells of a sweep share all others.
    without: fn(&mut CellAxes),
}

const DIMENSIONS: [Dimension; 3] = [
    Dimension {
        id: "section",
        title: "Rate against section length",
        reading: "The longer the section, the less the lock itself matters and the more likely its holder is preempted. An \
                  empty section has no place on this axis.",
        x_title: "length of the critical section",
        nothing: "Fewer than three section lengths were run with nothing else changed.",
        at: |_, cell| Some(cell.axes.workload.section_ns),
        note: |_, _| String::new(),
        env: CellAxes::told_env,
        without: |axes| axes.workload.section_ns = 0.0,
    },
    Dimension {
        id: "think",
        title: "Rate against think time",
        reading: "The longer vCPUs think between two acquisitions, the fewer of them wait. Where the curves of all locks \
                  meet, the lock no longer matters.",
        x_title: "mean think time",
        nothing: "Fewer than three think times were run with nothing else changed.",
        at: |_, cell| Some(cell.axes.workload.think_ns),
        note: |_, _| String::new(),
        env: CellAxes::told_env,
        without: |axes| {
            axes.workload.think_ns = 0.0;
            axes.workload.think = String::new();
        },
    },
    Dimension {
        id: "timeslice",
        title: "Rate against timeslice",
        reading: "Timeslices are as they were given, measured with the locks that never sleep, for a vCPU that halts gives \
                  its pCPU up early. The rate of a FIFO lock that is handed over once a timeslice falls by the factor by \
                  which the timeslice grows.",
        x_title: "timeslice of a vCPU",
        nothing: "Fewer than three timeslices were run with nothing else changed.",
        at: |results, cell| timeslice::of(results, cell).map(|slice| slice.ns()),
        note: timeslice::note,
        env: |axes| match axes.scheduler {
            // The kernel gives the slices.
            Scheduler::Host | Scheduler::Quota { .. } => axes.told_env(),
            _ => format!("{} under {}", axes.env, axes.scheduler.name()),
        },
        without: |axes| {
            axes.params.remove(params::SLICE);
        },
    },
];

/// A plot for each axis.
pub(super) fn plots(results: &Results) -> Result<Vec<Figure>, Error> {
    DIMENSIONS.iter().map(|dimension| dimension.plot(results)).collect()
}

/// Cells alike in all but the lock and the axis.
struct Alike<'a> {
    shared: CellAxes,
    locks: Vec<(&'a str, Vec<(f64, &'a Cell)>)>,
}

impl Dimension {
    fn plot(&self, results: &Results) -> Result<Figure, Error> {
        let mut groups = self.groups(results);
        for group in &mut groups {
            group.locks.retain(|(_, steps)| steps.len() >= FEWEST);
        }
        let points = |group: &Alike<'_>| group.locks.iter().map(|(_, steps)| steps.len()).sum::<usize>();
        // The group with most points is drawn; of equals one at 2x, where the axis matters most.
        let best = groups.iter().filter(|group| points(group) > 0).reduce(|best, next| {
            let weight = |group: &Alike<'_>| (points(group), same(group.shared.overcommit, 2.0));
            if weight(next) > weight(best) { next } else { best }
        });
        let Some(best) = best else { return Ok(Figure::missing(self.title, self.nothing)) };
        let looks = Looks::of(results);
        let series = best.locks.iter().filter_map(|(lock, steps)| {
            let at =
                |cell: &Cell| steps.iter().find(|step| std::ptr::eq(step.1, cell)).map_or(0.0, |step| step.0);
            Series::of_cells(lock, looks.lock(lock), steps.iter().map(|step| step.1), at)
        });
        let shared = &best.shared;
        let cells: Vec<&Cell> =
            best.locks.iter().flat_map(|(_, steps)| steps.iter().map(|step| step.1)).collect();
        Lines {
            id: format!("sweep-{}", self.id),
            title: format!("{}, {}, {}", self.title, (self.env)(shared), overcommit(shared.overcommit)),
            env: Some(shared.env.clone()),
            reading: format!("{} {}", self.reading, (self.note)(results, &cells)).trim_end(),
            x_title: self.x_title,
            x_label: axis_duration,
            y_title: "acquisitions per second, all vCPUs",
            series: series.collect(),
            mark: None,
        }
        .draw(self.nothing)
    }

    fn groups<'a>(&self, results: &'a Results) -> Vec<Alike<'a>> {
        let mut groups: Vec<Alike<'a>> = Vec::new();
        let cells =
            results.cells.iter().filter(|cell| cell.status == Status::Ok && cell.ops_per_second.is_some());
        for cell in cells {
            let Some(at) = (self.at)(results, cell).filter(|at| *at > 0.0 && at.is_finite()) else {
                continue;
            };
            let mut shared = cell.axes.clone();
            (self.without)(&mut shared);
            shared.id.clear();
            shared.lock.clear();
            shared.baseline = None;
            shared.workload.name.clear();
            let index = groups.iter().position(|group| group.shared == shared).unwrap_or_else(|| {
                groups.push(Alike { shared, locks: Vec::new() });
                groups.len() - 1
            });
            let group = &mut groups[index];
            let lock = cell.axes.lock.as_str();
            match group.locks.iter_mut().find(|(name, _)| *name == lock) {
                Some((_, steps)) if steps.iter().any(|step| same(step.0, at)) => {}
                Some((_, steps)) => steps.push((at, cell)),
                None => group.locks.push((lock, vec![(at, cell)])),
            }
        }
        groups
    }
}
