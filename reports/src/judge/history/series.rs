//! Series: one metric of one cell over all nights of a machine.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::skips::{Skip, Skips};
use crate::derive::digest::{CellDigest, Digest, Metric};
use crate::judge::any_distance::set_by_scheduler;
use crate::record::Status;
use crate::statistics::{Trips, error_of_medians, interval, largest_class};

/// A night with fewer windows in the distance class of the series is shown but not judged.
const FEWEST_WINDOWS: usize = 3;

/// A series is still measured if it was in one of this many latest nights.
const STILL_MEASURED: usize = 5;

/// What all series share of a run.
#[derive(Clone, Debug)]
pub struct Night {
    /// Id of the run.
    pub run_id: String,
    /// When the run began, RFC 3339, UTC.
    pub started_at: String,
    /// Kernel, microcode, toolchain, commit, ….
    pub environment: BTreeMap<String, String>,
    /// Where its report is.
    pub report: Option<String>,
}

impl Series {
    /// The nights in which a revision of the lock was measured for the first time after another, with that revision. They
    /// divide the series into segments, which are judged separately.
    pub fn revisions(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        pairs.filter(|(one, next)| one.revision != next.revision).map(|(_, next)| (next.night, next.revision))
    }

    /// Whether it was measured in one of the latest nights.
    pub(super) fn is_still_measured(&self, history: &History) -> bool {
        self.points.last().is_some_and(|point| point.night + STILL_MEASURED >= history.nights.len())
    }
}

impl Night {
    /// The date: the first ten characters of `started_at`.
    pub fn date(&self) -> String {
        crate::format::printable(&self.started_at.chars().take(10).collect::<String>())
    }
}

/// One night of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Index into the nights.
    pub night: usize,
    /// Median of the night's windows.
    pub median: f64,
    /// Lower end of the median's interval.
    pub low: f64,
    /// Upper end of the median's interval.
    pub high: f64,
    /// Revision of the lock that night.
    pub revision: u32,
    /// Whether the night has enough windows that were taken while the pCPUs were as far apart as in most nights.
    pub judged: bool,
}

/// One metric of one cell.
#[derive(Clone, Debug)]
pub struct Series {
    /// Id of the cell.
    pub cell: String,
    /// Its lock.
    pub lock: String,
    /// Its family.
    pub family: String,
    /// Everything else of its id: `native/empty/1v:1p/compact/pinned`.
    pub place: String,
    /// Its noise group: `one-vcpu`, `contended` or `overcommitted`.
    pub class: String,
    /// Its environment.
    pub env: String,
    /// Which metric.
    pub metric: Metric,
    /// The nights that measured the cell, oldest first; empty if the cell failed in every night.
    pub points: Vec<Point>,
    /// A smaller value counts as this, for a logarithm needs a positive number: for rates half an acquisition in a window.
    pub least: f64,
    /// What the windows of its nights say that the logarithm of a night's median strays by, as a standard error.
    pub night_error: f64,
    /// Nights in which the cell was broken, hung or crashed. Only the first series of a cell has them.
    pub failures: Vec<(usize, Status)>,
}

/// The history of a machine.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its nights, oldest first.
    pub nights: Vec<Night>,
    /// Its series, by place, then metric, then lock.
    pub series: Vec<Series>,
    /// Cells that have been skipped for several nights in a row.
    pub skips: Vec<Skip>,
}

/// Gathers a history night by night, so that only what is kept of each night is in memory.
#[derive(Default)]
pub struct Collector {
    nights: Vec<Night>,
    gathered: BTreeMap<(String, Metric, String), Gathered>,
    failures: HashMap<String, Failing>,
    skips: Skips,
}

#[derive(Default)]
struct Gathered {
    cell: String,
    family: String,
    class: String,
    env: String,
    windows: Vec<Window>,
    /// Length of a window in seconds, from the first window that counted something.
    seconds: Option<f64>,
}

impl Gathered {
    fn new(cell: &CellDigest) -> Self {
        Self {
            cell: cell.id.clone(),
            family: cell.family.clone(),
            class: cell.class.clone(),
            env: cell.env.clone(),
            ..Self::default()
        }
    }
}

struct Failing {
    /// The key of the cell's series if it has no other series.
    key: (String, Metric, String),
    empty: Gathered,
    nights: Vec<(usize, Status)>,
}

#[derive(Clone)]
struct Window {
    night: u32,
    revision: u32,
    value: f64,
    trips: Trips,
}

impl Collector {
    /// Adds a night. Nights must be added oldest first; a run in which nothing was measured is ignored.
    pub fn add(&mut self, digest: Digest) {
        if digest.is_empty() {
            return;
        }
        let night = self.nights.len();
        self.skips.add(night, &digest);
        for cell in &digest.cells {
            let place = cell.id.strip_prefix(&format!("{}/", cell.lock)).unwrap_or(&cell.id);
            let key = |metric| (place.to_owned(), metric, cell.lock.clone());
            if cell.status != Status::Ok {
                let failing = self.failures.entry(cell.id.clone()).or_insert_with(|| Failing {
                    key: key(Metric::Rate),
                    empty: Gathered::new(cell),
                    nights: Vec::new(),
                });
                failing.nights.push((night, cell.status));
                continue;
            }
            for measure in cell.told() {
                let gathered =
                    self.gathered.entry(key(measure.metric)).or_insert_with(|| Gathered::new(cell));
                let mut counted = measure.windows.iter().filter(|w| w.count > 0 && w.value > 0.0);
                gathered.seconds =
                    gathered.seconds.or_else(|| counted.next().map(|w| w.count as f64 / w.value));
                let windows = measure.windows.iter().map(|reading| Window {
                    night: night as u32,
                    revision: cell.revision,
                    value: reading.value,
                    trips: reading.trips.clone(),
                });
                gathered.windows.extend(windows);
            }
        }
        self.nights.push(Night {
            run_id: digest.run_id,
            started_at: digest.started_at,
            environment: digest.environment,
            report: digest.report,
        });
    }

    /// Forgets how far apart the pCPUs were where it does not matter, so that windows of all distances are of one class.
    fn forget_distances(&mut self) {
        let of_rate = |(place, metric, lock): &(String, Metric, String), gathered: &Gathered| {
            let rates: Vec<f64> = gathered.windows.iter().map(|window| window.value).collect();
            let set = |metric| {
                let trips = gathered.windows.iter().map(|window| &window.trips);
                set_by_scheduler(metric, &gathered.class, &rates, trips)
            };
            let metrics = Metric::ALL.into_iter().filter(|wanted| *metric == Metric::Rate && set(*wanted));
            metrics.map(|metric| (place.clone(), metric, lock.clone())).collect::<Vec<_>>()
        };
        let set: Vec<_> = self.gathered.iter().flat_map(|(key, gathered)| of_rate(key, gathered)).collect();
        for key in set {
            let windows = self.gathered.get_mut(&key).into_iter().flat_map(|gathered| &mut gathered.windows);
            windows.for_each(|window| window.trips = Trips::default());
        }
    }

    /// The history of the nights that were added.
    pub fn finish(mut self) -> History {
        let known: HashSet<String> = self.gathered.values().map(|gathered| gathered.cell.clone()).collect();
        for (cell, failing) in &mut self.failures {
            if !known.contains(cell) {
                let empty = std::mem::take(&mut failing.empty);
                self.gathered.entry(failing.key.clone()).or_insert(empty);
            }
        }
        self.forget_distances();
        let series = self.gathered.into_iter().map(|((place, metric, lock), gathered)| Series {
            points: points(&gathered.windows),
            night_error: night_error(&gathered.windows),
            least: match gathered.seconds {
                Some(seconds) if metric == Metric::Rate => 0.5 / seconds,
                _ => 0.0,
            },
            // The first series of a cell takes its failures.
            failures: self.failures.remove(&gathered.cell).map_or_else(Vec::new, |failing| failing.nights),
            cell: gathered.cell,
            family: gathered.family,
            class: gathered.class,
            env: gathered.env,
            lock,
            place,
            metric,
        });
        History { series: series.collect(), skips: self.skips.finish(&self.nights), nights: self.nights }
    }
}

/// Which windows are in the distance class that most windows of all nights belong to.
fn in_class(windows: &[Window]) -> Vec<bool> {
    let trips: Vec<&Trips> = windows.iter().map(|window| &window.trips).collect();
    let mut inside = vec![false; windows.len()];
    largest_class(&trips).into_iter().for_each(|index| inside[index] = true);
    inside
}

/// The windows of each night, and those of them that are in the distance class.
fn nights(windows: &[Window]) -> impl Iterator<Item = (&[Window], Vec<f64>)> {
    let inside = in_class(windows);
    let mut start = 0;
    windows.chunk_by(|a, b| a.night == b.night).map(move |night| {
        let own = &inside[start..start + night.len()];
        start += night.len();
        let used = night.iter().zip(own).filter(|(_, inside)| **inside).map(|(window, _)| window.value);
        (night, used.collect())
    })
}

/// A point for each night, from its windows in the distance class; where the night has too few of these, from all its windows.
fn points(windows: &[Window]) -> Vec<Point> {
    let mut points = Vec::new();
    for (night, used) in nights(windows) {
        let judged = used.len() >= FEWEST_WINDOWS;
        let values = if judged { used } else { night.iter().map(|window| window.value).collect() };
        if let Some(of) = interval(&values) {
            let Window { night, revision, .. } = night[0];
            points.push(Point {
                night: night as usize,
                median: of.median,
                low: of.low,
                high: of.high,
                revision,
                judged,
            });
        }
    }
    points
}

/// What the median of a night that is judged strays by at least, as its windows say.
fn night_error(windows: &[Window]) -> f64 {
    let logs =
        |used: Vec<f64>| -> Vec<f64> { used.into_iter().filter(|value| *value > 0.0).map(f64::ln).collect() };
    let judged: Vec<Vec<f64>> =
        nights(windows).map(|(_, used)| logs(used)).filter(|used| used.len() >= FEWEST_WINDOWS).collect();
    error_of_medians(judged.iter().map(Vec::as_slice)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(night: u32, value: f64, trip: f64) -> Vec<Window> {
        vec![Window { night, revision: 1, value, trips: Trips::first(Some(trip)) }; 6]
    }

    #[test]
    fn a_night_of_another_class_is_shown_and_not_judged() {
        let all = [windows(0, 10.0, 84.0), windows(1, 10.0, 90.0), windows(2, 3.0, 400.0)].concat();
        let points = points(&all);
        assert_eq!(points.iter().map(|p| p.judged).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(points[2].median, 3.0);
    }

    #[test]
    fn windows_of_another_class_do_not_move_a_night() {
        let mut all = [windows(0, 10.0, 84.0), windows(1, 10.0, 84.0)].concat();
        all[6].value = 1.0;
        all[6].trips = Trips::first(Some(400.0));
        assert_eq!(points(&all)[1].median, 10.0);
        assert!(points(&[]).is_empty());
    }

    fn judged_far_apart(class: &str, metric: Metric, rate: f64) -> Vec<bool> {
        let mut collector = Collector::default();
        for (night, trip) in [84.0, 84.0, 420.0].into_iter().enumerate() {
            for (metric, value) in [(Metric::Rate, rate), (Metric::Fairness, 0.9), (Metric::Tail, 1e6)] {
                let gathered = collector.gathered.entry(("place".into(), metric, "lock".into())).or_default();
                gathered.class = class.into();
                gathered.windows.extend(windows(night as u32, value, trip));
            }
        }
        let history = collector.finish();
        let series = history.series.iter().find(|series| series.metric == metric).unwrap();
        series.points.iter().map(|point| point.judged).collect()
    }

    #[test]
    fn overcommitted_cells_are_judged_at_any_distance_unless_their_rate_follows_it() {
        let (all, near) = ([true; 3], [true, true, false]);
        for metric in Metric::ALL {
            assert_eq!(judged_far_apart("overcommitted", metric, 450.0), all, "{metric:?}");
            assert_eq!(judged_far_apart("contended", metric, 450.0), near, "{metric:?}");
        }
        assert_eq!(judged_far_apart("overcommitted", Metric::Rate, 5e6), near);
        assert_eq!(judged_far_apart("overcommitted", Metric::Tail, 5e6), near);
        assert_eq!(judged_far_apart("overcommitted", Metric::Fairness, 5e6), all);
    }

    #[test]
    fn windows_say_what_a_night_strays_by() {
        let night = |night, values: [f64; 6]| {
            values.map(|value| Window { night, revision: 1, value, trips: Trips::default() })
        };
        let all =
            [night(0, [0.8, 0.9, 1.0, 1.0, 1.1, 1.2]), night(1, [1.6, 1.8, 2.0, 2.0, 2.2, 2.4])].concat();
        // Windows differ by some 15 %, and the median of six by half of that.
        assert!((night_error(&all) - 0.07).abs() < 0.02, "{}", night_error(&all));
        assert_eq!(night_error(&[]), 0.0);
    }
}
