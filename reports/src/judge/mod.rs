//! What the results mean: cells and runs set against each other, answers to questions, verdicts over nights.

pub mod answers;
pub mod compare;
pub mod comparison;
pub mod history;
pub mod numa;
pub mod published;
pub mod trust;
