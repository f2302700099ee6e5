//! Every lock's figure, in a sentence for each environment.

use std::cmp::Ordering::Equal;

use super::{Statement, margin, times_of, weight};
use crate::derive::setting::environments;
use crate::format::printable;
use crate::judge::numa::Contrast;
use crate::record::Results;

/// For each environment every change with each lock's figure; of several figures of a lock the clearest.
pub(super) fn lists(results: &Results, contrasts: &[Contrast<'_>]) -> Vec<Statement> {
    let mut statements = Vec::new();
    for env in environments(results) {
        let mut changes: Vec<(String, Vec<&Contrast<'_>>)> = Vec::new();
        for contrast in contrasts.iter().filter(|contrast| contrast.cell.axes.env == env) {
            let name = contrast.name();
            match changes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, of_change)) => of_change.push(contrast),
                None => changes.push((name, vec![contrast])),
            }
        }
        let (alike, telling): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|(_, of_change)| of_change.iter().all(|one| one.same()));
        let mut parts: Vec<String> =
            telling.iter().map(|(name, of_change)| format!("{name}: {}", list(of_change))).collect();
        if !alike.is_empty() {
            let names: Vec<String> = alike.into_iter().map(|(name, _)| name).collect();
            parts.push(format!("within {} for every lock: {}", margin(), names.join(", ")));
        }
        if !parts.is_empty() {
            statements.push(Statement::new(
                format!("{env}, ratios of the time an acquisition takes: {}.", parts.join("; ")),
                None,
            ));
        }
    }
    statements
}

/// `ticket 1.60 (1.58 to 1.62), within 5 %: tas 1.01 (0.99 to 1.02), cannot be told: mcs 1.20 (0.80 to 1.90)`.
fn list(contrasts: &[&Contrast<'_>]) -> String {
    let mut locks: Vec<&str> = Vec::new();
    for contrast in contrasts {
        if !locks.contains(&contrast.cell.axes.lock.as_str()) {
            locks.push(&contrast.cell.axes.lock);
        }
    }
    let clearest = |lock: &&str| {
        let of_lock = contrasts.iter().filter(|one| one.cell.axes.lock == *lock);
        let says_most = |one: &Contrast<'_>| (one.differs(), weight(one));
        of_lock.max_by(|a, b| says_most(a).partial_cmp(&says_most(b)).unwrap_or(Equal))
    };
    let shown: Vec<&&Contrast<'_>> = locks.iter().filter_map(clearest).collect();
    let figures = |lead: String, wanted: &dyn Fn(&Contrast<'_>) -> bool| {
        let of = shown.iter().filter(|one| wanted(one));
        let figures: Vec<String> = of
            .map(|one| {
                let figure = one.times.map_or_else(|| "–".into(), times_of);
                format!("{} {figure}", printable(&one.cell.axes.lock))
            })
            .collect();
        (!figures.is_empty()).then(|| lead + &figures.join(", "))
    };
    let groups = [
        figures(String::new(), &|one| one.differs()),
        figures(format!("within {}: ", margin()), &|one| one.same()),
        figures("cannot be told: ".into(), &|one| !one.differs() && !one.same()),
    ];
    groups.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
