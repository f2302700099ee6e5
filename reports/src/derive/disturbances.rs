//! Notes on windows whose figures do not come from their lock alone: disturbed ones and throttled ones.

use super::Selection;
use crate::record::{Measured, Purpose, Round};

/// The most reasons that are told one by one; the rest is told as a number.
const MOST_REASONS: usize = 3;

/// What happened to windows of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Something reached into the windows; they are left out.
    Disturbed,
    /// A CPU quota held their vCPUs up; the windows are left out if the cell has others.
    Throttled,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Disturbed => "disturbed",
            Self::Throttled => "throttled",
        }
    }
}

/// Number of rate windows that are left out as disturbed or throttled.
pub(super) fn left_out(rounds: &[Round]) -> usize {
    let all = of_rate(rounds);
    let still = all.iter().filter(|measured| measured.undisturbed());
    let throttled = still.clone().filter(|measured| measured.throttled()).count();
    let disturbed = all.iter().filter(|measured| measured.disturbed.is_some()).count();
    disturbed + if throttled < still.count() { throttled } else { 0 }
}

/// Sentences for the reader, each with the state that it tells of.
pub(crate) fn disturbances(rounds: &[Round]) -> Vec<(State, String)> {
    let all = of_rate(rounds);
    let mut notes: Vec<(State, String)> = reasons(&all).map(|note| (State::Disturbed, note)).collect();
    let still: Vec<&Measured> = all.iter().copied().filter(|measured| measured.undisturbed()).collect();
    let throttled: Vec<&Measured> = still.iter().copied().filter(|measured| measured.throttled()).collect();
    if throttled.is_empty() {
        return notes;
    }
    // Where the kernel counted no throttled window, the quota was inferred.
    let counted =
        throttled.iter().any(|measured| measured.throttling.is_some_and(|t| t.idle_ns == 0 || t.periods > 0));
    let inferred =
        if counted { "" } else { ", inferred from pCPUs that idled beside vCPUs that did not sleep" };
    let note = if throttled.len() < still.len() {
        format!(
            "{} of {} windows left out: a CPU quota held their vCPUs up{inferred}",
            throttled.len(),
            all.len()
        )
    } else {
        format!(
            "a CPU quota held the vCPUs up in every window{inferred}: the figures are those of the quota as much as of the \
             lock, and are not compared with others"
        )
    };
    notes.push((State::Throttled, note));
    notes
}

/// The reason why a cell has no figures if all its windows, of every purpose, were disturbed.
pub(super) fn why_disturbed(rounds: &[Round]) -> String {
    let all: Vec<&Measured> = rounds.iter().filter_map(Round::measured).collect();
    reasons(&all).collect::<Vec<_>>().join("; ")
}

fn of_rate(rounds: &[Round]) -> Vec<&Measured> {
    Selection::measured(rounds, &[Purpose::Rate]).each().collect()
}

/// The reasons why windows were disturbed, each once with the number of windows.
fn reasons(all: &[&Measured]) -> impl Iterator<Item = String> {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for reason in all.iter().filter_map(|measured| measured.disturbed.as_deref()) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    let further: usize = reasons.iter().skip(MOST_REASONS).map(|(_, count)| count).sum();
    let told = reasons.into_iter().take(MOST_REASONS);
    let told: Vec<String> =
        told.map(|(reason, count)| format!("{count} of {} windows left out: {reason}", all.len())).collect();
    let rest = format!("{further} of {} windows left out for further reasons", all.len());
    told.into_iter().chain((further > 0).then_some(rest))
}
