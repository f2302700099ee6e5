//! Handover times: how long it takes from a release until a waiting vCPU has the lock.

use super::Figure;
use super::percentiles::{Details, Percentiles, traced_curves};
use crate::Error;
use crate::format::percent;
use crate::record::{Cell, CellCauses, Results};

const TITLE: &str = "Handover times";

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let Some((place, curves)) = traced_curves(results, |causes| &causes.handover, note, details) else {
        return Ok(Figure::missing(TITLE, "No windows were traced."));
    };
    Percentiles {
        id: "handover-times",
        title: format!("{TITLE}, {place}"),
        reading: "From a release to the first instruction of the next holder's section, where that vCPU was waiting. A \
                  cache miss takes some tens of nanoseconds; where a curve reaches milliseconds, the lock waited for a vCPU \
                  that was not running. Each step to the right is ten times rarer; hollow markers are lower bounds.",
        of: "handovers",
        y_title: "time to hand over (log scale)",
        note: "to a vCPU not running",
        curves,
    }
    .draw("The lock was not handed over often enough to draw.")
}

fn note(cell: &Cell) -> String {
    let causes = cell.causes.as_ref().filter(|causes| causes.handovers > 0);
    causes.map_or_else(|| "–".into(), |causes| percent(causes.granted_off as f64 / causes.handovers as f64))
}

fn details(causes: &CellCauses) -> Details {
    let longest = causes.longest_handover.map(|longest| (longest.vcpu, longest.at_ns));
    Details::of(causes, longest, |vcpu| (vcpu.handover_p50_ns, vcpu.handover_p99_ns, vcpu.handover_max_ns))
}
