//! Shapes: trends of published results, and whether they show in a run.
//!
//! The published figures are from other hardware, and most are of kernel locks, so trends can be compared and values cannot.
//! [`thresholds`] says what counts as reproduced.

mod beyond;
mod fault;
mod host;
mod native;
mod order;
mod price;
mod shape;
mod steps;
#[cfg(test)]
mod synthetic;
pub mod thresholds;
mod waiters;

use std::fmt::Write as _;

pub use shape::{Finding, Outcome, Shape};

use crate::format::printable;
use crate::record::Results;

/// The profile whose report always shows all shapes.
pub const PROFILE: &str = "published";

/// Every shape, S1 to S13, judged by the run.
pub fn shapes(results: &Results) -> Vec<Shape> {
    vec![
        native::carried_but_off(results),
        native::second_contender(results),
        steps::no_gain_at_one(results),
        steps::collapse(results),
        host::help(results),
        steps::peak(results),
        order::order(results),
        host::early_wait(results),
        waiters::dwarf(results),
        fault::fault(results),
        beyond::cliff(results),
        beyond::late(results),
        price::price(results),
    ]
}

/// The shapes that a report shows: all of them for a run of the profile `published`, otherwise those whose cells the run had.
pub fn shown(results: &Results) -> Vec<Shape> {
    let mut shapes = shapes(results);
    if results.profile != PROFILE {
        shapes.retain(|shape| !shape.findings.is_empty());
    }
    shapes
}

/// The shapes as text for a terminal; empty where none is shown.
pub fn text(results: &Results) -> String {
    let shapes = shown(results);
    if shapes.is_empty() {
        return String::new();
    }
    let mut text = String::from("Published results, in shape:\n");
    for shape in &shapes {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {}: {}", shape.id, shape.claim, shape.outcome());
        for finding in &shape.findings {
            let _ = writeln!(text, "   {}", printable(&finding.measured));
        }
    }
    text
}
