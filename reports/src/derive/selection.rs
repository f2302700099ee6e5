//! Which windows a figure rests on. Results, comparisons, digests and plots all choose their windows here, so that the dots and
//! the interval of one plot come from the same windows.

use crate::record::{Causes, Cell, Measured, Purpose, Round};
use crate::statistics::{Class, Trips, Window, largest_class};

/// Windows of a cell that measured something, of one purpose or of several.
#[derive(Clone, Debug)]
pub(crate) struct Selection<'a> {
    windows: Vec<Selected<'a>>,
}

/// A selected window.
#[derive(Clone, Debug)]
pub(crate) struct Selected<'a> {
    /// The window, as rates and ratios take it.
    pub(crate) window: Window,
    /// All that was measured in it.
    pub(crate) measured: &'a Measured,
}

impl<'a> Selection<'a> {
    /// Every window of those purposes that measured something, disturbed or not.
    pub(crate) fn measured(rounds: &'a [Round], purposes: &[Purpose]) -> Self {
        let of = |&purpose: &Purpose| rounds.iter().filter(move |round| round.purpose == purpose);
        let select = |round: &'a Round| {
            let measured = round.measured()?;
            Some(Selected { window: window(round.round, measured), measured })
        };
        Self { windows: purposes.iter().flat_map(of).filter_map(select).collect() }
    }

    /// The windows of one purpose that a figure may rest on: the pCPUs did not move and nothing reached into the window.
    /// Throttled windows are left out if there are others. Where all were throttled, the cell's notes say so.
    pub(crate) fn usable(rounds: &'a [Round], purpose: Purpose) -> Self {
        Self::measured(rounds, &[purpose]).undisturbed()
    }

    /// The usable windows that may be compared with another cell's or run's: those that no quota throttled.
    pub(crate) fn comparable(rounds: &'a [Round], purpose: Purpose) -> Self {
        let mut selection = Self::usable(rounds, purpose);
        selection.windows.retain(|selected| selected.measured.comparable());
        selection
    }

    /// As [`comparable`](Self::comparable), with the windows in which the pCPUs moved: for figures that do not depend on how far apart
    /// these are.
    pub(crate) fn at_any_distance(rounds: &'a [Round], purpose: Purpose) -> Self {
        let mut selection = Self::measured(rounds, &[purpose]);
        selection
            .windows
            .retain(|selected| selected.measured.disturbed.is_none() && !selected.measured.throttled());
        selection
    }

    /// The rate windows that events are counted in: those that were not disturbed. Windows in which the pCPUs moved are among
    /// them, for the distance of the pCPUs matters less to counts of events.
    pub(super) fn counted(rounds: &'a [Round]) -> Self {
        let mut selection = Self::measured(rounds, &[Purpose::Rate]);
        selection.windows.retain(|selected| selected.measured.disturbed.is_none());
        selection.unthrottled()
    }

    /// The windows that a cell's rate and fairness rest on.
    pub(crate) fn of_rate(cell: &'a Cell) -> Self {
        let mut selection = Self::usable(&cell.rounds, Purpose::Rate);
        // Results from before 0.2.0 do not say which rounds they used.
        if !cell.rounds_used.is_empty() {
            selection.windows.retain(|selected| cell.rounds_used.contains(&selected.window.round));
        }
        selection
    }

    /// The windows that traced, of either purpose, in their largest distance class, with what they traced.
    pub(crate) fn traced(rounds: &'a [Round]) -> Vec<(Selected<'a>, &'a Causes)> {
        let mut selection = Self::measured(rounds, &[Purpose::Latency, Purpose::Trace]).undisturbed();
        selection.windows.retain(|selected| selected.measured.causes.is_some());
        let windows = selection.in_largest_class().windows.into_iter();
        windows.filter_map(|selected| Some((selected.clone(), selected.measured.causes.as_ref()?))).collect()
    }

    /// Keeps windows in which the pCPUs did not move and that nothing reached into; then drops throttled ones.
    fn undisturbed(mut self) -> Self {
        self.windows.retain(|selected| selected.measured.undisturbed());
        self.unthrottled()
    }

    /// Keeps the windows that no quota throttled, or all windows if all were throttled.
    fn unthrottled(mut self) -> Self {
        if self.each().any(|measured| !measured.throttled()) {
            self.windows.retain(|selected| !selected.measured.throttled());
        }
        self
    }

    /// Keeps the windows in `class`; if there are none, those in the selection's own largest distance class.
    pub(crate) fn in_class(self, class: &Class) -> Self {
        let inside = |selected: &&Selected<'a>| class.holds(&selected.window.trips);
        let windows: Vec<Selected<'a>> = self.windows.iter().filter(inside).cloned().collect();
        if windows.is_empty() { self.in_largest_class() } else { Self { windows } }
    }

    /// Keeps the windows in the selection's largest distance class.
    pub(crate) fn in_largest_class(self) -> Self {
        let trips: Vec<&Trips> = self.windows.iter().map(|selected| &selected.window.trips).collect();
        let chosen = largest_class(&trips);
        Self { windows: chosen.into_iter().map(|index| self.windows[index].clone()).collect() }
    }

    /// The distance class that most rate windows of some cells belong to.
    ///
    /// Rates stand side by side in tables and plots, so they are taken from the same distance class wherever possible. Otherwise
    /// a cell could look faster or slower only because the host had moved the pCPUs in most of its windows.
    pub(super) fn class_of_most(cells: impl Iterator<Item = &'a [Round]>) -> Class {
        let usable = cells.map(|rounds| Self::usable(rounds, Purpose::Rate).windows());
        let windows: Vec<Window> = usable.flatten().collect();
        Class::of_most(&windows.iter().map(|window| &window.trips).collect::<Vec<_>>())
    }

    /// Number of windows.
    pub(crate) fn len(&self) -> usize {
        self.windows.len()
    }

    /// The windows, in the order in which they were taken.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Selected<'a>> {
        self.windows.iter()
    }

    /// What was measured in each.
    pub(crate) fn each(&self) -> impl Iterator<Item = &'a Measured> {
        self.windows.iter().map(|selected| selected.measured)
    }

    /// The windows in the form that rates and ratios are computed from.
    pub(crate) fn windows(&self) -> Vec<Window> {
        self.windows.iter().map(|selected| selected.window.clone()).collect()
    }
}

fn window(round: u32, measured: &Measured) -> Window {
    Window {
        round,
        operations: operations(measured),
        window_ns: measured.window_ns,
        trips: Trips::of(measured),
    }
}

/// Acquisitions of all vCPUs in a window.
pub(crate) fn operations(measured: &Measured) -> u64 {
    measured.operations.iter().fold(0, |sum, &count| sum.saturating_add(count))
}
