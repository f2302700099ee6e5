//! Rounds as windows that may be compared.

use crate::record::{Causes, Measured, Outcome, Purpose, Round};
use crate::statistics::{Class, Trips, Window, largest_class};

/// The class of most windows of a run on the same pCPUs, which are those of `cells`.
///
/// Rates stand side by side in tables and plots, so they are taken from the same class wherever possible: a cell
/// whose own windows lean the other way would look faster or slower by nothing but the host's mood.
pub(super) fn class_of_most<'a>(cells: impl Iterator<Item = &'a [Round]>) -> Class {
    let windows: Vec<Window> = cells.flat_map(|rounds| measured_windows(rounds, Purpose::Rate)).collect();
    Class::of_most(&windows.iter().map(|window| &window.trips).collect::<Vec<_>>())
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
    still(rounds, purpose).into_iter().map(|(window, _)| window).collect()
}

/// Of the windows of one purpose those in `class`, or if there are none, those in the largest class of their own.
pub(super) fn in_class<'a>(
    rounds: &'a [Round],
    purpose: Purpose,
    class: &Class,
) -> Vec<(Window, &'a Measured)> {
    let inside: Vec<_> =
        still(rounds, purpose).into_iter().filter(|(window, _)| class.holds(&window.trips)).collect();
    if inside.is_empty() { in_largest_class(rounds, purpose) } else { inside }
}

/// The windows of one purpose in the largest class among them.
pub(super) fn in_largest_class(rounds: &[Round], purpose: Purpose) -> Vec<(Window, &Measured)> {
    let candidates = still(rounds, purpose);
    let trips: Vec<&Trips> = candidates.iter().map(|(window, _)| &window.trips).collect();
    largest_class(&trips).into_iter().map(|index| candidates[index].clone()).collect()
}

/// The windows of one purpose that were not taken while the machine moved.
fn still(rounds: &[Round], purpose: Purpose) -> Vec<(Window, &Measured)> {
    measured(rounds, purpose)
        .filter(|(_, measured)| !measured.moved)
        .map(|(round, measured)| (window(round, measured), measured))
        .collect()
}

/// Of the windows that were traced, whatever for, those in the largest class.
pub(crate) fn traced(rounds: &[Round]) -> Vec<(Window, &Measured, &Causes)> {
    let candidates: Vec<(Window, &Measured, &Causes)> = [Purpose::Latency, Purpose::Trace]
        .into_iter()
        .flat_map(|purpose| measured(rounds, purpose))
        .filter(|(_, measured)| !measured.moved)
        .filter_map(|(round, measured)| Some((window(round, measured), measured, measured.causes.as_ref()?)))
        .collect();
    let trips: Vec<&Trips> = candidates.iter().map(|(window, ..)| &window.trips).collect();
    largest_class(&trips).into_iter().map(|index| candidates[index].clone()).collect()
}

fn window(round: u32, measured: &Measured) -> Window {
    Window {
        round,
        operations: operations(measured),
        window_ns: measured.window_ns,
        trips: Trips::of(measured),
    }
}

/// Acquisitions of all vCPUs.
pub(super) fn operations(measured: &Measured) -> u64 {
    measured.operations.iter().fold(0, |sum, &count| sum.saturating_add(count))
}
