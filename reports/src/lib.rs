//! What a lockbench run leaves behind and what is made of it: the record schema, the statistics, comparison, plots
//! and the HTML report. This crate imports nothing that measures, and builds on every platform.
//!
//! From the bottom up: [`record`] holds the types that are written and read, [`statistics`] computes medians and intervals,
//! [`mod@derive`] turns rounds into results, [`judge`] says what results mean, and [`show`] presents them to a reader.

pub mod date;
pub mod derive;
pub mod error;
pub mod format;
pub mod judge;
pub mod output_file;
pub mod plain;
pub mod record;
pub mod rfc4180;
pub mod show;
pub mod size;
pub mod statistics;

pub use error::Error;
