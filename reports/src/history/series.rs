//! Series: one metric of one cell through all nights of a machine.

use std::collections::{BTreeMap, HashMap};

use crate::digest::{Digest, Metric};
use crate::record::Status;
use crate::statistics::{interval, largest_class};

/// Windows in the series' class below which a night's point is shown but not judged.
const FEWEST_WINDOWS: usize = 3;

/// A run, as far as all of its series share it.
#[derive(Clone, Debug)]
pub struct Night {
    /// Its id.
    pub run_id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Kernel, microcode, toolchain, commit, ….
    pub environment: BTreeMap<String, String>,
    /// Where its report is.
    pub report: Option<String>,
}

impl Night {
    /// Its date: the first ten characters of when it started.
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
    /// Its interval.
    pub low: f64,
    /// Its interval.
    pub high: f64,
    /// Whether it has enough windows taken while the pCPUs were as far apart as in most nights.
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
    /// Which metric.
    pub metric: Metric,
    /// Its nights, oldest first; those that lack the cell are missing.
    pub points: Vec<Point>,
    /// Nights in which the cell was broken, hung or crashed.
    pub failures: Vec<(usize, Status)>,
}

/// All of a machine.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its nights, oldest first.
    pub nights: Vec<Night>,
    /// Its series, by place, then metric, then lock.
    pub series: Vec<Series>,
}

/// Gathers a history night by night, so that no more than what is kept is ever in memory.
#[derive(Default)]
pub struct Collector {
    nights: Vec<Night>,
    gathered: BTreeMap<(String, Metric, String), Gathered>,
    failures: HashMap<String, Vec<(usize, Status)>>,
}

struct Gathered {
    cell: String,
    family: String,
    windows: Vec<Window>,
}

#[derive(Clone, Copy)]
struct Window {
    night: u32,
    value: f64,
    round_trip_ns: Option<f64>,
}

impl Collector {
    /// Adds a night; they come oldest first.
    pub fn add(&mut self, digest: Digest) {
        let night = self.nights.len();
        for cell in digest.cells {
            if cell.status != Status::Ok {
                self.failures.entry(cell.id).or_default().push((night, cell.status));
                continue;
            }
            let place = cell.id.strip_prefix(&format!("{}/", cell.lock)).unwrap_or(&cell.id).to_owned();
            for measure in &cell.measures {
                let key = (place.clone(), measure.metric, cell.lock.clone());
                let gathered = self.gathered.entry(key).or_insert_with(|| Gathered {
                    cell: cell.id.clone(),
                    family: cell.family.clone(),
                    windows: Vec::new(),
                });
                let windows = measure.windows.iter().map(|reading| Window {
                    night: night as u32,
                    value: reading.value,
                    round_trip_ns: reading.round_trip_ns,
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

    /// Everything gathered.
    pub fn finish(mut self) -> History {
        let series = self.gathered.into_iter().map(|((place, metric, lock), gathered)| Series {
            points: points(&gathered.windows),
            failures: if metric == Metric::Rate {
                self.failures.remove(&gathered.cell).unwrap_or_default()
            } else {
                Vec::new()
            },
            cell: gathered.cell,
            family: gathered.family,
            lock,
            place,
            metric,
        });
        History { series: series.collect(), nights: self.nights }
    }
}

/// A point for each night, from its windows in the class in which most windows of all nights lie; where it has none
/// there, from those it has.
fn points(windows: &[Window]) -> Vec<Point> {
    let trips: Vec<Option<f64>> = windows.iter().map(|window| window.round_trip_ns).collect();
    let mut in_class = vec![false; windows.len()];
    largest_class(&trips).into_iter().for_each(|index| in_class[index] = true);
    let mut points = Vec::new();
    let mut start = 0;
    for night in windows.chunk_by(|a, b| a.night == b.night) {
        let used: Vec<f64> = (start..start + night.len())
            .filter(|&index| in_class[index])
            .map(|index| windows[index].value)
            .collect();
        start += night.len();
        let judged = used.len() >= FEWEST_WINDOWS;
        let values = if judged { used } else { night.iter().map(|window| window.value).collect() };
        if let Some(of) = interval(&values) {
            let night = night[0].night as usize;
            points.push(Point { night, median: of.median, low: of.low, high: of.high, judged });
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(night: u32, value: f64, trip: f64) -> Vec<Window> {
        vec![Window { night, value, round_trip_ns: Some(trip) }; 6]
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
        all[6].round_trip_ns = Some(400.0);
        assert_eq!(points(&all)[1].median, 10.0);
        assert!(points(&[]).is_empty());
    }
}
