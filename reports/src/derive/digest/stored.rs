//! A measure as histories keep it: windows as short rows, with further columns for machines that have several pairs of pCPUs.
//!
//! A row is `[value, round trip of the first two pCPUs or null, count]` in every version, so that older builds can read it.

use serde::{Deserialize, Serialize};

use super::{Measure, Metric, Reading};
use crate::record::Pair;
use crate::statistics::{Trips, Which};

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    metric: Metric,
    median: f64,
    low: f64,
    high: f64,
    windows: Vec<(f64, Option<f64>, u64)>,
    #[serde(default, skip_serializing_if = "crate::record::is_zero")]
    untold: u32,
    /// The first two pCPUs; none where they are the only pair and lie on one NUMA node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_pair: Option<Pair>,
    /// The round trips of the other pairs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_pairs: Vec<Column>,
}

/// The round trips of a pair in nanoseconds, one for each window.
#[derive(Clone, Serialize, Deserialize)]
struct Column {
    #[serde(flatten)]
    pair: Pair,
    round_trips_ns: Vec<Option<f64>>,
}

impl From<Measure> for Stored {
    fn from(measure: Measure) -> Self {
        let Measure { metric, median, low, high, windows, untold } = measure;
        let first = Which::First(None);
        let rows = windows.iter().map(|window| (window.value, window.trips.get(first), window.count));
        let mut first_pair = None;
        let mut other_pairs: Vec<Column> = Vec::new();
        for (which, _) in windows.iter().flat_map(|window| window.trips.iter()) {
            match which {
                Which::First(pair) => first_pair = first_pair.or(pair),
                Which::Other(pair) if other_pairs.iter().any(|column| column.pair == pair) => {}
                Which::Other(pair) => {
                    let trips = windows.iter().map(|window| window.trips.get(which)).collect();
                    other_pairs.push(Column { pair, round_trips_ns: trips });
                }
            }
        }
        Self { metric, median, low, high, windows: rows.collect(), untold, first_pair, other_pairs }
    }
}

impl From<Stored> for Measure {
    fn from(stored: Stored) -> Self {
        let Stored { metric, median, low, high, windows, untold, first_pair, other_pairs } = stored;
        let reading = |(index, (value, first, count)): (usize, (f64, Option<f64>, u64))| {
            let first = first.map(|ns| (Which::First(first_pair), ns));
            let others = other_pairs.iter().filter_map(|column| {
                Some((Which::Other(column.pair), column.round_trips_ns.get(index).copied().flatten()?))
            });
            Reading { value, trips: first.into_iter().chain(others).collect::<Trips>(), count }
        };
        let windows = windows.into_iter().enumerate().map(reading).collect();
        Self { metric, median, low, high, windows, untold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLDER: &str =
        r#"{"metric":"rate","median":2.0,"low":1.0,"high":3.0,"windows":[[2.0,84.0,9],[3.0,null,8]]}"#;

    #[test]
    fn one_pair_is_stored_as_ever() {
        let measure: Measure = serde_json::from_str(OLDER).unwrap();
        assert_eq!(measure.windows[0].trips, Trips::first(Some(84.0)));
        assert_eq!(measure.windows[1].trips, Trips::default());
        assert_eq!(serde_json::to_string(&measure).unwrap(), OLDER);
    }

    #[test]
    fn other_pairs_stand_beside_what_older_builds_read() {
        let mut measure: Measure = serde_json::from_str(OLDER).unwrap();
        let (inside, across) = (Pair { pcpus: [0, 1], nodes: [0, 0] }, Pair { pcpus: [0, 6], nodes: [0, 3] });
        let both = [(Which::First(Some(inside)), 84.0), (Which::Other(across), 300.0)];
        measure.windows[0].trips = both.into_iter().collect();
        let text = serde_json::to_string(&measure).unwrap();
        let read: Measure = serde_json::from_str(&text).unwrap();
        assert_eq!(read, measure);
        let shown: Vec<String> =
            read.windows[0].trips.iter().map(|(which, ns)| format!("{which:?} {ns}")).collect();
        let expected: Vec<String> = both.iter().map(|(which, ns)| format!("{which:?} {ns}")).collect();
        assert_eq!(shown, expected);
        // Older builds read the rows and know nothing of the rest.
        let rows = serde_json::from_str::<serde_json::Value>(&text).unwrap()["windows"].clone();
        assert_eq!(rows, serde_json::json!([[2.0, 84.0, 9], [3.0, null, 8]]));
    }
}
