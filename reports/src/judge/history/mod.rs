//! The history of a machine: its nights, the series over them, and the changes that were accepted.
//!
//! A history stores digests and blessings, which are appended and never changed. Everything else is computed from them.

mod blessing;
mod changes;
mod csv;
mod entry;
mod judgement;
mod machine;
mod open_metrics;
mod segment;
mod series;
mod skips;
mod standing;

pub use blessing::Blessing;
pub use changes::{ChangePoint, Dated, change_points, environment};
pub use csv::csv;
pub use entry::{HistoryLine, Lines, parse_lines};
pub use judgement::{Failure, Judgement, best_dated, few};
pub use open_metrics::{JudgedMachine, open_metrics};
pub use series::{Collector, History, Night, Point, Series};
pub use skips::{REPORTED_FROM, Skip};
pub use standing::{Against, Standing, State};
