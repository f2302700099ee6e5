//! A history, judged: what every view of it is made of.

use serde::Serialize;

use super::{Blessing, ChangePoint, History, Standing, State, change_points};
use crate::format::counted;
use crate::judge::alerts::{Alert, Alerts, What};
use crate::record::Status;
use crate::statistics::FEWEST_NIGHTS;

/// The headline where nothing is worse and nothing failed.
const UNHARMED: &str = "No series stands worse than its best level since one was accepted, and no cell failed in the latest night.";

/// In fewer nights a change of 20 % may be missed among some hundred series, as simulation shows (docs/nightly.md).
const SUFFICE: usize = 20;
/// In fewer nights a change of 10 % may be missed.
const SUFFICE_FOR_SMALL: usize = 40;

/// What is found in a history. The trend page, `history show` and the exports show it, and the exit status follows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// All changes, oldest first.
    pub changes: Vec<ChangePoint>,
    /// How each series stands that is still measured.
    pub standings: Vec<Standing>,
    /// Cells that broke, hung or crashed in the latest night.
    pub failures: Vec<Failure>,
}

/// A cell that broke, hung or crashed in the latest night.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Id of the cell.
    pub cell: String,
    /// Its lock.
    pub lock: String,
    /// How it failed.
    pub failed: Status,
    /// The run of that night.
    pub run_id: String,
    /// Its date.
    pub date: String,
}

impl Judgement {
    /// Judges a history; changes below the margin are of no interest.
    pub fn of(history: &History, blessings: &[Blessing], margin: f64) -> Self {
        let changes = change_points(history, blessings, margin);
        let standing = |index| Standing::of(index, history, &changes, margin);
        let standings = (0..history.series.len()).filter_map(standing).collect();
        Self { standings, failures: failures(history), changes }
    }

    /// Leaves out what is about other cells.
    pub fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.changes.retain(|change| wanted(&change.cell));
        self.standings.retain(|standing| wanted(&standing.cell));
        self.failures.retain(|failure| wanted(&failure.cell));
    }

    /// How a series stands; none if it is no longer measured.
    pub fn standing(&self, series: usize) -> Option<&Standing> {
        self.standings.iter().find(|standing| standing.series == series)
    }

    /// The series that stand in this way, those that changed most first.
    pub fn that_stand(&self, state: State) -> Vec<&Standing> {
        let mut found: Vec<&Standing> =
            self.standings.iter().filter(|standing| standing.state == state).collect();
        let by = |standing: &Standing| standing.ratio.median.ln().abs();
        found.sort_by(|a, b| by(b).total_cmp(&by(a)));
        found
    }

    /// The series that stand in this way, in groups of one lock and metric that have stood so since one night, each group where its first member stands.
    pub fn that_stand_together(&self, state: State) -> Vec<Vec<&Standing>> {
        let key = |one: &Standing| (one.lock.clone(), one.metric, one.since.clone(), one.than());
        together(self.that_stand(state), |one, other| key(one) == key(other))
    }

    /// The changes in groups of one night and direction (and, if they were blessed, one reason), for they often have one cause; the
    /// oldest first, and in each group the largest first.
    pub fn changes_together(&self) -> Vec<Vec<&ChangePoint>> {
        let key = |one: &ChangePoint| (one.night, one.worse(), one.blessed.clone());
        let size = |one: &ChangePoint| one.ratio.median.ln().abs();
        let mut groups = together(self.changes.iter().collect(), |one, other| key(one) == key(other));
        groups.iter_mut().for_each(|group| group.sort_by(|a, b| size(b).total_cmp(&size(a))));
        groups
    }

    /// What the headline and the exit status are made of.
    pub fn alerts(&self) -> Alerts {
        let standings = self.standings.iter().filter_map(Standing::alert);
        let failures = self.failures.iter().map(|failure| Alert {
            cell: failure.cell.clone(),
            lock: failure.lock.clone(),
            what: What::Failed(failure.failed.word()),
        });
        Alerts(standings.chain(failures).collect())
    }

    /// What happened, in a line.
    pub fn headline(&self) -> String {
        self.alerts().headline(UNHARMED)
    }
}

/// Groups what is alike, each group where its first member stands.
fn together<T>(all: Vec<&T>, alike: impl Fn(&T, &T) -> bool) -> Vec<Vec<&T>> {
    let mut groups: Vec<Vec<&T>> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|group| alike(group[0], one)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// The change whose date is known best, of a group of at least one: the last night before it is the latest. Dates and what else changed
/// about then are told of this one.
///
/// # Panics
///
/// If the group is empty.
pub fn best_dated<'a>(group: &[&'a ChangePoint]) -> &'a ChangePoint {
    group.iter().fold(group[0], |best, change| if change.after >= best.after { change } else { best })
}

/// What so few nights can tell; none where they suffice.
pub fn few(nights: usize) -> Option<String> {
    let searched = 2 * FEWEST_NIGHTS;
    let said = match nights {
        SUFFICE.. => return None,
        _ if nights < searched => {
            format!(
                "too few to tell of any change: changes are searched for from {searched} nights on, {FEWEST_NIGHTS} on either side"
            )
        }
        _ => "few, so a change may be missed".into(),
    };
    let nights = counted(nights, "night");
    Some(format!(
        "{nights}: {said}. One of 20 % is hardly missed from {SUFFICE} nights on, one of 10 % from {SUFFICE_FOR_SMALL}."
    ))
}

fn failures(history: &History) -> Vec<Failure> {
    let Some(latest) = history.nights.len().checked_sub(1) else { return Vec::new() };
    let night = &history.nights[latest];
    let failed = history.series.iter().filter_map(|series| {
        let (_, failed) = series.failures.iter().find(|(night, _)| *night == latest)?;
        Some(Failure {
            cell: series.cell.clone(),
            lock: series.lock.clone(),
            failed: *failed,
            run_id: night.run_id.clone(),
            date: night.date(),
        })
    });
    failed.collect()
}

#[cfg(test)]
mod tests {
    use super::few;

    #[test]
    fn few_nights_say_how_many_it_takes() {
        let said = few(3).unwrap();
        assert!(
            said.starts_with("3 nights: too few to tell of any change") && said.contains("from 10 nights on"),
            "{said}"
        );
        assert!(few(1).unwrap().starts_with("1 night: too few"));
        let said = few(10).unwrap();
        assert!(
            said.starts_with("10 nights: few, so a change may be missed")
                && said.contains("from 20 nights on"),
            "{said}"
        );
        assert_eq!(few(20), None);
    }
}
