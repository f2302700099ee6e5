//! What a lockbench run leaves behind and what is made of it: the record schema, the statistics, comparison, plots
//! and the HTML report. Knows nothing of how a number was measured, and builds on every platform.
//!
//! From the bottom up: [`record`] is what is written and read, [`statistics`] what numbers allow to be said, [`mod@derive`] turns
//! rounds into results, [`judge`] says what they mean, and [`show`] puts them before a reader.

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
pub mod statistics;

pub use error::Error;
