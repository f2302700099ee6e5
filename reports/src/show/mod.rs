//! Presents results and verdicts to a reader: columns, CSV, the terminal, plots, pages, exports.

mod blocks;
pub mod check;
pub mod columns;
pub mod csv;
pub mod ending;
pub mod failures;
pub mod html;
pub mod plots;
pub mod reasons;
mod scenarios;
pub mod summary;
pub mod trace_export;
pub mod trend;
mod wrap;
