//! Acquire times on a percentile axis.

use super::Figure;
use super::percentiles::{Curve, Details, Percentiles};
use super::style::{Looks, Style};
use crate::Error;
use crate::derive::setting::{above, environments, main_setting};
use crate::derive::waits;
use crate::format::{overcommit, rate};
use crate::record::{Arrivals, Cell, Results};

const TITLE: &str = "Acquire times";
const CLOSED: &str = "Each step to the right is ten times rarer. Hollow markers are lower bounds: waits that were unfinished \
                      when the window closed reach them. A percentile is drawn only with ten waits beyond it. The loop is \
                      closed: a vCPU that waits makes no further request.";
const OPEN: &str = "Each step to the right is ten times rarer. Hollow markers are lower bounds: waits that were unfinished \
                    when the window closed reach them. A percentile is drawn only with ten waits beyond it. The loop is \
                    open: each wait counts from when its request was due, queues included.";

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let Some((title, curves)) = curves(results) else {
        return Ok(Figure::missing(TITLE, "No latency windows were taken."));
    };
    let reading = if curves.iter().any(|curve| curve.cell.axes.workload.arrivals == Arrivals::Open) {
        OPEN
    } else {
        CLOSED
    };
    Percentiles {
        id: "latency",
        title,
        reading,
        of: "waits",
        y_title: "time to acquire (log scale)",
        note: "rate while timed",
        curves,
    }
    .draw("No wait was long enough to draw.")
}

/// The curves of the environment and the overcommit factor with most timed locks; of equals 2x comes first.
fn curves(results: &Results) -> Option<(String, Vec<Curve<'_>>)> {
    let looks = Looks::of(results);
    let mut best: Option<(String, Vec<Curve<'_>>)> = None;
    for env in environments(results) {
        let Some(setting) = main_setting(results, env) else { continue };
        let mut factors = setting.above_one();
        factors.sort_by_key(|k| !crate::derive::setting::same(*k, 2.0));
        for k in factors.into_iter().chain([1.0]) {
            let of = |lock| curve(setting.at(lock, k)?, looks.lock(lock));
            let found: Vec<Curve<'_>> = setting.locks().into_iter().filter_map(of).collect();
            if !found.is_empty() && best.as_ref().is_none_or(|(_, best)| found.len() > best.len()) {
                let where_ = if above(k) { overcommit(k) } else { "without overcommit".into() };
                best = Some((format!("{TITLE}, {}, {where_}", setting.axes().told_env()), found));
            }
        }
    }
    best
}

fn curve(cell: &Cell, style: Style) -> Option<Curve<'_>> {
    let timed = cell.acquire_ns.as_ref()?.ops_per_second;
    Curve::new(cell, style, waits(&cell.rounds), timed.map_or_else(|| "–".into(), rate), details(cell))
}

fn details(cell: &Cell) -> Details {
    let Some(causes) = &cell.causes else { return Details::default() };
    // A wait that had not ended has no end to tell.
    let ended = causes.longest_wait.filter(|longest| !longest.at_least);
    let longest = ended.map(|longest| (longest.vcpu, longest.at_ns));
    Details::of(causes, longest, |vcpu| (vcpu.acquire_p50_ns, vcpu.acquire_p99_ns, vcpu.acquire_max_ns))
}
