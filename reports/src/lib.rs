//! What a lockbench run leaves behind and what is made of it: the record schema, the statistics, comparison, plots
//! and the HTML report. Knows nothing of how a number was measured, and builds on every platform.

pub mod answers;
pub mod causes;
pub mod columns;
pub mod compare;
pub mod comparison;
pub mod csv;
pub mod derive;
pub mod digest;
pub mod error;
pub mod format;
pub mod history;
pub mod html;
pub mod nodes;
pub mod numa;
pub mod output_file;
pub mod plain;
pub mod plots;
pub mod published;
pub mod reasons;
pub mod record;
pub mod roster;
pub mod run_dir;
pub mod schema;
pub mod slices;
pub mod statistics;
pub mod summary;
pub mod sweep;
pub mod trace_export;
pub mod trend;
pub mod trust;

pub use error::Error;
