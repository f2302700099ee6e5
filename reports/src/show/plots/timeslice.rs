//! The timeslice that a cell's vCPUs had, where windows can tell it.

use super::percentiles::axis_duration;
use crate::derive::timeslice::of_alike;
use crate::record::params::SLICE;
use crate::record::{Cell, Results};
use crate::statistics::median;

/// A timeslice that differs by more than this factor from the one asked for does not follow it; ticks round it up by less.
const FOLLOWS: f64 = 2.0;

/// A timeslice in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Timeslice {
    asked: f64,
    measured: Option<f64>,
}

impl Timeslice {
    /// The timeslice as measured, or else as asked for.
    pub(super) fn ns(self) -> f64 {
        self.measured.unwrap_or(self.asked)
    }

    fn follows(self) -> bool {
        let times = self.ns() / self.asked;
        (1.0 / FOLLOWS..=FOLLOWS).contains(&times)
    }
}

/// The timeslice of a cell that asked for one. It depends on the scheduler and not on the lock, so any lock that does not sleep
/// tells it for all cells that differ in the lock only.
pub(super) fn of(results: &Results, cell: &Cell) -> Option<Timeslice> {
    let asked = nanoseconds(cell.axes.params.get(SLICE)?).filter(|asked| *asked > 0.0)?;
    let measured = of_alike(results, cell);
    Some(Timeslice { asked, measured: median(&measured) })
}

/// Sentences on timeslices that were not given as asked for, and on those that could not be measured.
pub(super) fn note(results: &Results, cells: &[&Cell]) -> String {
    let mut slices: Vec<Timeslice> = cells.iter().filter_map(|cell| of(results, cell)).collect();
    slices.sort_by(|a, b| a.asked.total_cmp(&b.asked));
    slices.dedup();
    let astray: Vec<String> = slices
        .iter()
        .filter(|slice| !slice.follows())
        .map(|slice| {
            format!("asked for {}, ran {} at a time", axis_duration(slice.asked), axis_duration(slice.ns()))
        })
        .collect();
    let unknown: Vec<String> = slices
        .iter()
        .filter(|slice| slice.measured.is_none())
        .map(|slice| axis_duration(slice.asked))
        .collect();
    let mut notes = Vec::new();
    if !astray.is_empty() {
        notes.push(format!("What was asked for was not given: {}.", astray.join("; ")));
    }
    if !unknown.is_empty() {
        notes.push(format!(
            "These are drawn as asked for, because every lock slept and none tells the timeslice: {}.",
            unknown.join(", ")
        ));
    }
    notes.join(" ")
}

/// `4ms`, `250us` or `4000000` in nanoseconds.
fn nanoseconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| c.is_ascii_alphabetic() || c == 'µ').unwrap_or(text.len());
    let scale = match text[digits..].trim() {
        "" | "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    text[..digits].trim().parse::<f64>().ok().map(|value| value * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(nanoseconds("4ms"), Some(4e6));
        assert_eq!(nanoseconds("250 us"), Some(250e3));
        assert_eq!(nanoseconds("1.5µs"), Some(1_500.0));
        assert_eq!(nanoseconds("4000000"), Some(4e6));
        assert_eq!(nanoseconds("long"), None);
        assert_eq!(nanoseconds("4 weeks"), None);
        assert_eq!(
            (axis_duration(24e6), axis_duration(3.4e6), axis_duration(400e6)),
            ("24 ms".into(), "3.4 ms".into(), "400 ms".into())
        );
    }

    #[test]
    fn ticks_round_up_and_that_follows() {
        let follows = |asked, ran| Timeslice { asked, measured: Some(ran) }.follows();
        assert!(follows(3e6, 4e6) && follows(4e6, 2.1e6));
        assert!(!follows(24e6, 3.4e6) && !follows(1e6, 3.5e6));
    }
}
