//! Published shapes in the form that the template needs.

use serde::Serialize;

use super::view::{shown, unbroken};
use crate::judge::published::{self, Outcome};
use crate::record::Results;

/// One shape.
#[derive(Serialize)]
pub(super) struct ShapeView {
    id: &'static str,
    claim: String,
    outcome: &'static str,
    class: &'static str,
    reason: Option<String>,
    source: &'static str,
    published: String,
    rule: String,
    measured: Vec<MeasuredView>,
}

#[derive(Serialize)]
struct MeasuredView {
    text: String,
    outcome: &'static str,
    class: &'static str,
    reason: Option<String>,
}

pub(super) fn views(results: &Results) -> Vec<ShapeView> {
    let shapes = published::shown(results);
    let view = |shape: published::Shape| {
        let outcome = shape.outcome();
        ShapeView {
            id: shape.id,
            claim: unbroken(shape.claim),
            outcome: outcome.word(),
            class: class(&outcome),
            reason: outcome.reason().map(shown),
            source: shape.source,
            published: unbroken(shape.published),
            rule: unbroken(&shape.rule),
            measured: shape
                .findings
                .iter()
                .map(|finding| MeasuredView {
                    text: unbroken(&shown(&finding.measured)),
                    outcome: finding.outcome.word(),
                    class: class(&finding.outcome),
                    reason: finding.outcome.reason().map(shown),
                })
                .collect(),
        }
    };
    shapes.into_iter().map(view).collect()
}

/// How many shapes came out how: `12 shapes: 7 reproduced, 5 cannot be told`.
pub(super) fn told(shapes: &[ShapeView]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for shape in shapes {
        match counts.iter_mut().find(|count| count.0 == shape.outcome) {
            Some(count) => count.1 += 1,
            None => counts.push((shape.outcome, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    format!("{} shapes: {}", shapes.len(), counts.join(", "))
}

fn class(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Reproduced => "good",
        Outcome::NotReproduced(_) => "bad",
        Outcome::CannotBeTold(_) => "unsure",
    }
}
