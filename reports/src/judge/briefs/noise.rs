//! How far two measurements of one cell lay apart.

use super::Brief;
use crate::format::percent;
use crate::record::Results;

const QUESTION: &str = "How noisy was it?";

pub(super) fn brief(results: &Results) -> Brief {
    let mut groups: Vec<(&str, f64)> = Vec::new();
    for floor in &results.noise_floor {
        let Some(largest) = floor.floor else { continue };
        match groups.iter_mut().find(|(group, _)| *group == floor.class) {
            Some((_, known)) => *known = known.max(largest),
            None => groups.push((&floor.class, largest)),
        }
    }
    let told: Vec<String> =
        groups.iter().map(|(group, floor)| format!("{group} cells {}", percent(*floor))).collect();
    let said = match told.as_slice() {
        [] => "Not known: no cell was run twice in enough rounds, so no two locks are compared.".into(),
        _ => format!("The same cell run twice lay up to this far apart: {}.", told.join(", ")),
    };
    Brief::new("noise", QUESTION, said, "")
}
