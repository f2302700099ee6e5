//! Rounds as windows that may be compared.

use crate::record::{Causes, Measured, Outcome, Purpose, Round};
use crate::statistics::{Window, largest_class};

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

/// Of the windows of one purpose those in the largest class.
pub(super) fn in_class(rounds: &[Round], purpose: Purpose) -> Vec<(Window, &Measured)> {
    let candidates: Vec<(Window, &Measured)> = measured(rounds, purpose)
        .filter(|(_, measured)| !measured.moved)
        .map(|(round, measured)| (window(round, measured), measured))
        .collect();
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
