//! Rounds as windows that may be compared.

use crate::record::{Causes, Measured, Outcome, Purpose, Round};
use crate::statistics::{CLASS_WIDTH, Window, largest_class};

/// The class of most windows of a run on the same pCPUs, as a range of round trips in nanoseconds.
///
/// Rates stand side by side in tables and plots, so they are taken from the same class wherever possible: a cell
/// whose own windows lean the other way would look faster or slower by nothing but the host's mood.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Band(Option<[f64; 2]>);

impl Band {
    /// The band of windows on the same pCPUs.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a [Round]>) -> Self {
        let windows = cells.flat_map(|rounds| measured_windows(rounds, Purpose::Rate));
        let trips: Vec<Option<f64>> =
            windows.map(|window| window.round_trip_ns).filter(Option::is_some).collect();
        let class: Vec<f64> = largest_class(&trips).into_iter().filter_map(|index| trips[index]).collect();
        let low = class.iter().copied().filter(|trip| *trip > 0.0).reduce(f64::min);
        Self(low.map(|low| [low, low * CLASS_WIDTH]))
    }

    fn holds(self, trip: Option<f64>) -> bool {
        match (self.0, trip) {
            (Some([low, high]), Some(trip)) => (low..=high).contains(&trip),
            // Without a round trip there is one pCPU, and nothing that could have moved.
            _ => trip.is_none(),
        }
    }
}

/// The windows of one purpose that measured something, as they were recorded.
pub(super) fn measured(rounds: &[Round], purpose: Purpose) -> impl Iterator<Item = (u32, &Measured)> {
    rounds.iter().filter(move |round| round.purpose == purpose).filter_map(|round| match &round.outcome {
        Outcome::Measured(measured) => Some((round.round, measured)),
        _ => None,
    })
}

/// The windows of one purpose for pairing: measured, and not taken while the machine moved.
pub(crate) fn measured_windows(rounds: &[Round], purpose: Purpose) -> Vec<Window> {
    measured(rounds, purpose)
        .filter(|(_, measured)| !measured.moved)
        .map(|(round, measured)| window(round, measured))
        .collect()
}

/// Of the windows of one purpose those in the band, or if there are none, those in the largest class of their own.
pub(super) fn in_class(rounds: &[Round], purpose: Purpose, band: Band) -> Vec<(Window, &Measured)> {
    let candidates: Vec<(Window, &Measured)> = measured(rounds, purpose)
        .filter(|(_, measured)| !measured.moved)
        .map(|(round, measured)| (window(round, measured), measured))
        .collect();
    let inside: Vec<(Window, &Measured)> =
        candidates.iter().filter(|(window, _)| band.holds(window.round_trip_ns)).copied().collect();
    if !inside.is_empty() {
        return inside;
    }
    let trips: Vec<Option<f64>> = candidates.iter().map(|(window, _)| window.round_trip_ns).collect();
    largest_class(&trips).into_iter().map(|index| candidates[index]).collect()
}

/// Of the windows that were traced, whatever for, those in the largest class.
pub(crate) fn traced(rounds: &[Round]) -> Vec<(Window, &Measured, &Causes)> {
    let candidates: Vec<(Window, &Measured, &Causes)> = [Purpose::Latency, Purpose::Trace]
        .into_iter()
        .flat_map(|purpose| measured(rounds, purpose))
        .filter(|(_, measured)| !measured.moved)
        .filter_map(|(round, measured)| Some((window(round, measured), measured, measured.causes.as_ref()?)))
        .collect();
    let trips: Vec<Option<f64>> = candidates.iter().map(|(window, ..)| window.round_trip_ns).collect();
    largest_class(&trips).into_iter().map(|index| candidates[index]).collect()
}

fn window(round: u32, measured: &Measured) -> Window {
    Window {
        round,
        operations: operations(measured),
        window_ns: measured.window_ns,
        // The geometric mean of before and after: they lie within one class, or the window had moved.
        round_trip_ns: measured.interconnect_ns.map(|[before, after]| (before * after).sqrt()),
    }
}

/// Acquisitions of all vCPUs.
pub(super) fn operations(measured: &Measured) -> u64 {
    measured.operations.iter().fold(0, |sum, &count| sum.saturating_add(count))
}
