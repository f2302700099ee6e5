//! What a lockbench run leaves behind and what is made of it: the record schema, the statistics, comparison, plots
//! and the HTML report. Knows nothing of how a number was measured, and builds on every platform.

pub mod record;
pub mod statistics;
