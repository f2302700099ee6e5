//! What results mean: comparisons of cells and of runs, answers, verdicts over nights.

pub mod advice;
pub mod alerts;
pub mod answers;
mod any_distance;
pub mod briefs;
pub mod check;
pub mod compare;
pub mod comparison;
pub mod history;
pub mod laws;
pub mod numa;
pub mod peers;
pub mod published;
pub mod scenarios;
pub mod trust;
pub mod verdicts;
