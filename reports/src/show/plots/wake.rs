//! Wake-up latency: the time from a kick until the halted vCPU runs.

use super::Figure;
use super::percentiles::{Details, Percentiles, traced_curves};
use crate::Error;
use crate::format::{duration, significant};
use crate::record::{Cell, Results};

const TITLE: &str = "Wake-up latency: from a kick to running";

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let spin_ns = results.machine.calibration.spin_ns;
    let note = |cell: &Cell| spins(cell, spin_ns);
    let Some((place, curves)) = traced_curves(results, |causes| &causes.wake, note, |_| Details::default())
    else {
        return Ok(Figure::missing(TITLE, "No windows were traced."));
    };
    Percentiles {
        id: "wake",
        title: format!("{TITLE}, {place}"),
        reading: "From the call of kick to the kicked vCPU's next instruction. Halting pays if a waiter would otherwise spin \
                  longer than this; the table says how long each lock spun before it halted. Published for KVM are 64–68 µs \
                  for a wake-up and 7–9 µs for a kick.",
        of: "wake-ups",
        y_title: "time to wake (log scale)",
        note: "loops spun before a halt",
        curves,
    }
    .draw("No vCPU halted.")
}

fn spins(cell: &Cell, spin_ns: f64) -> String {
    let Some(spins) = cell.causes.as_ref().and_then(|causes| causes.spins_before_halt) else {
        return "–".into();
    };
    if spin_ns > 0.0 && spin_ns.is_finite() {
        format!("{} ({})", significant(spins), duration(spins * spin_ns))
    } else {
        significant(spins)
    }
}
