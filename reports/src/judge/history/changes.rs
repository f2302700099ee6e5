//! Change points: where the series of a machine changed, by how much, and what else changed then.

use std::collections::BTreeMap;

use serde::Serialize;

use super::machine::without_machine;
use super::segment::{Segment, segments};
use super::{Blessing, History};
use crate::derive::digest::{Change, Metric, changes};
use crate::judge::alerts::{Alert, What};
use crate::record::Interval;
use crate::statistics::{Course, FALSE_DISCOVERIES, FEWEST_KIN, adaptive, hierarchical, steady_by_kin};

/// A change may be found this many nights too early or too late, so a blessing holds within them.
const AROUND: usize = 3;

/// False discoveries are controlled at this rate in a history of one series. A change has to be as large as the margin as well, and
/// chance seldom makes one that is: of made-up unchanged series that are alone, fewer than 2 % show one. Among many series there are
/// noisy ones, which the margin does not protect, so the rate falls with the root of their number to that of all other commands.
const ALONE: f64 = 0.1;

/// A change of one series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangePoint {
    /// Index into the series.
    pub series: usize,
    /// Id of the cell.
    pub cell: String,
    /// Its lock.
    pub lock: String,
    /// Which metric.
    pub metric: Metric,
    /// First night after the change, as an index into the nights.
    pub night: usize,
    /// Run id of that night.
    pub run_id: String,
    /// Date of that night.
    pub date: String,
    /// Date of the last night before the change.
    pub after: String,
    /// Ratio of the nights after the change to those before, above 1 is better.
    pub ratio: Interval,
    /// What else changed about then, with dates.
    pub environment: Vec<Dated>,
    /// Why the change was accepted, if it was.
    pub blessed: Option<String>,
    /// Whether the series has not changed since, and is still measured.
    pub stands: bool,
}

impl ChangePoint {
    /// Whether things got worse.
    pub fn worse(&self) -> bool {
        self.ratio.median < 1.0
    }

    /// The change as headlines tell of it.
    pub fn alert(&self) -> Alert {
        let what = if self.worse() { What::Worse } else { What::Better };
        Alert { cell: self.cell.clone(), lock: self.lock.clone(), what: what(self.metric, self.ratio) }
    }
}

/// A change of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dated {
    /// Date of the first night with it.
    pub date: String,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
}

/// All changes, oldest first. What the machine did in a night to all cells of a noise group in an environment is taken off first. The
/// noise of a series is steadied by that of its noise group. False discoveries are controlled over
/// all series together, for among three hundred series some show a change by chance every night: families of locks first, then
/// their series, so that one changed lock does not make it easier to call others.
pub fn change_points(history: &History, blessings: &[Blessing], margin: f64) -> Vec<ChangePoint> {
    let segments: Vec<Segment<'_>> = segments(history).collect();
    let mut judged: Vec<(Segment<'_>, Course)> = without_machine(&segments, margin)
        .into_iter()
        .zip(segments)
        .filter_map(|(logs, segment)| Some((segment, Course::new(&logs, segment.series.night_error)?)))
        .collect();
    steady(&mut judged);
    let mut found = Vec::new();
    for ((segment, course), level) in judged.iter().zip(levels(&judged, margin)) {
        let Some(level) = level else { continue };
        let places = course.changes(level, margin);
        // Every segment that has a course has one as measured.
        let Some(measured) = Course::new(&segment.measured(), segment.series.night_error) else { continue };
        let courses = Courses { searched: course, measured: &measured };
        let mut own: Vec<ChangePoint> = (0..places.len())
            .filter_map(|nth| {
                let step = courses.step(&places, nth, margin)?;
                change_point(history, *segment, (places[nth], step), blessings)
            })
            .collect();
        // A change of an earlier revision of the lock no longer stands.
        let last_point = segment.series.points.last();
        if let (Some(last), Some(point)) = (own.last_mut(), last_point) {
            last.stands = point.revision == segment.revision && segment.series.is_still_measured(history);
        }
        found.append(&mut own);
    }
    found.sort_by_key(|change| change.night);
    found
}

/// The level at which the changes of each series are searched: that which control of false discoveries allows for so many believed
/// families and so many believed series of its own; none for a series that is not believed to have changed at all.
fn levels(judged: &[(Segment<'_>, Course)], margin: f64) -> Vec<Option<f64>> {
    let mut families: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, (Segment { series, .. }, _)) in judged.iter().enumerate() {
        families.entry(&series.family).or_default().push(index);
    }
    let p: Vec<Vec<f64>> = families
        .values()
        .map(|members| members.iter().map(|&index| judged[index].1.strongest(margin)).collect())
        .collect();
    let rate = adaptive(&p, FALSE_DISCOVERIES.max(ALONE / (judged.len() as f64).sqrt()));
    let believed = hierarchical(&p, rate);
    let part = |yes: &mut dyn Iterator<Item = bool>, all: usize| {
        yes.filter(|yes| *yes).count() as f64 / all.max(1) as f64
    };
    let of_families = part(&mut believed.iter().map(|members| members.contains(&true)), believed.len());
    let mut levels = vec![None; judged.len()];
    for (members, believed) in families.values().zip(&believed) {
        let level = rate * of_families * part(&mut believed.iter().copied(), believed.len());
        for (&index, _) in members.iter().zip(believed).filter(|(_, yes)| **yes) {
            levels[index] = Some(level);
        }
    }
    levels
}

/// Steadies the noise of each series by that of its noise group in its environment; where these are few, with those of other
/// environments that are few.
fn steady(judged: &mut [(Segment<'_>, Course)]) {
    let mut groups: BTreeMap<(Metric, &str, &str), Vec<&mut Course>> = BTreeMap::new();
    for (Segment { series, .. }, course) in judged {
        groups.entry((series.metric, &series.class, &series.env)).or_default().push(course);
    }
    let mut few: BTreeMap<(Metric, &str), Vec<&mut Course>> = BTreeMap::new();
    for ((metric, class, _), mut kin) in groups {
        if kin.len() < FEWEST_KIN {
            few.entry((metric, class)).or_default().append(&mut kin);
        } else {
            steady_by_kin(&mut kin);
        }
    }
    few.values_mut().for_each(|kin| steady_by_kin(kin));
}

/// A segment without the machine's nights, which is searched, and as it was measured.
struct Courses<'a> {
    searched: &'a Course,
    measured: &'a Course,
}

impl Courses<'_> {
    /// The size of a change: the smaller of what the two say. None if they disagree on the direction, or the change was smaller than the
    /// margin as measured: a series that did not follow the machine has not changed.
    fn step(&self, places: &[usize], nth: usize, margin: f64) -> Option<Interval> {
        let [searched, measured] = [self.searched, self.measured].map(|course| course.step(places, nth));
        let changed = searched.median * measured.median > 0.0 && measured.median.abs() >= margin.ln_1p();
        let smaller = if searched.median.abs() < measured.median.abs() { searched } else { measured };
        changed.then_some(smaller)
    }
}

/// What is told of a change at a place of a segment, whose size is the logarithm `step`.
fn change_point(
    history: &History,
    segment: Segment<'_>,
    (place, step): (usize, Interval),
    blessings: &[Blessing],
) -> Option<ChangePoint> {
    let Segment { index, series, .. } = segment;
    let nights: Vec<usize> = segment.judged().map(|(night, _)| night).collect();
    let (night, before) = (*nights.get(place)?, *nights.get(place.checked_sub(1)?)?);
    let near = |run_id: &String| {
        let at = history.nights.iter().position(|night| night.run_id == *run_id)?;
        (at.abs_diff(night) <= AROUND || (before..=night).contains(&at)).then_some(())
    };
    let blessing = blessings.iter().rev().find(|b| b.covers(&series.cell) && near(&b.run_id).is_some());
    Some(ChangePoint {
        series: index,
        cell: series.cell.clone(),
        lock: series.lock.clone(),
        metric: series.metric,
        night,
        run_id: history.nights[night].run_id.clone(),
        date: history.nights[night].date(),
        after: history.nights[before].date(),
        ratio: Interval { median: step.median.exp(), low: step.low.exp(), high: step.high.exp() },
        environment: around(history, before, night),
        blessed: blessing.map(|blessing| blessing.reason.clone()),
        stands: false,
    })
}

/// Changes of the environment from one night before the last night before the change to one night after the first night after it.
fn around(history: &History, before: usize, night: usize) -> Vec<Dated> {
    let last = (night + 1).min(history.nights.len() - 1);
    (before.saturating_sub(1)..last)
        .flat_map(|at| {
            let date = history.nights[at + 1].date();
            environment(history, at + 1).into_iter().map(move |change| Dated { date: date.clone(), change })
        })
        .collect()
}

/// What changed in the environment from the night before this one.
pub fn environment(history: &History, night: usize) -> Vec<Change> {
    match night.checked_sub(1) {
        Some(before) => changes(&history.nights[before].environment, &history.nights[night].environment),
        None => Vec::new(),
    }
}
