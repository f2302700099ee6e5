//! What a run lacks, at its end on a terminal.

use super::{Layout, Paint};
use crate::derive::reasons::{Reason, reasons};
use crate::format::counted;
use crate::record::Results;
use crate::show::failures::{Failure, failures, is_failure};
use crate::show::reasons::main;

/// Most failures that are told one by one.
const MOST: usize = 3;

/// What broke, killed or hung cells of the locks that are wanted, a line each; then how many other cells are missing, and the reason
/// of most of them. Nothing where nothing is missing. The whole text has all reasons.
pub fn missing(results: &Results, layout: Layout, wanted: impl Fn(&str) -> bool) -> String {
    let failures =
        failures(results).into_iter().filter(|failure| failure.locks.iter().any(|lock| wanted(lock)));
    let failures: Vec<Failure> = failures.collect();
    let mut text = String::new();
    for failure in failures.iter().take(MOST) {
        text.push_str(&layout.line(failure.word, &failure.said, Paint::Bad));
    }
    if failures.len() > MOST {
        let more = format!("cells for {}.", counted(failures.len() - MOST, "more reason"));
        text.push_str(&layout.line("failed", &more, Paint::Bad));
    }
    let others: Vec<Reason> = reasons(results).into_iter().filter(|reason| !is_failure(reason)).collect();
    if let Some(told) = main(&others) {
        text.push_str(&layout.line("missing", &told, Paint::Plain));
    }
    text
}
