//! The history of a machine: its nights, the series that run through them, and what was accepted as it is.
//!
//! The digests are the truth, appended and never changed; everything else is made from them when it is asked for.

mod blessing;
mod changes;
mod csv;
mod entry;
mod open_metrics;
mod series;
mod skips;

pub use blessing::Blessing;
pub use changes::{ChangePoint, Dated, change_points, environment};
pub use csv::csv;
pub use entry::{Entry, Lines, parse_lines};
pub use open_metrics::open_metrics;
pub use series::{Collector, History, Night, Point, Series};
pub use skips::{REPORTED_FROM, Skip};
