//! Hold times: how long a vCPU keeps the lock, preempted holders included.

use super::Figure;
use super::percentiles::{Details, Percentiles, traced_curves};
use crate::Error;
use crate::format::significant;
use crate::record::{Cell, CellCauses, Results};

const TITLE: &str = "Hold times";

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let Some((place, curves)) = traced_curves(results, |causes| &causes.hold, note, details) else {
        return Ok(Figure::missing(TITLE, "No windows were traced."));
    };
    Percentiles {
        id: "hold",
        title: format!("{TITLE}, {place}"),
        reading: "From acquiring the lock to releasing it. At the left is the critical section; where a curve jumps to the \
                  length of a timeslice, the holder was preempted. Each step to the right is ten times rarer; hollow \
                  markers are lower bounds.",
        of: "holds",
        y_title: "time held (log scale)",
        note: "holder preemptions per million",
        curves,
    }
    .draw("The lock was not held often enough to draw.")
}

fn note(cell: &Cell) -> String {
    cell.causes.as_ref().and_then(|causes| causes.lhp_per_million).map_or_else(|| "–".into(), significant)
}

fn details(causes: &CellCauses) -> Details {
    let longest = causes.longest_hold.map(|longest| (longest.vcpu, longest.at_ns));
    Details::of(causes, longest, |vcpu| (vcpu.hold_p50_ns, vcpu.hold_p99_ns, vcpu.hold_max_ns))
}
