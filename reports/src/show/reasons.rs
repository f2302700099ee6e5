//! The reasons why cells are missing, as text for a terminal and as part of a sentence.

use std::fmt::Write;

use crate::derive::reasons::Reason;
use crate::format::{counted, printable};

/// The reasons as text, each followed by at most `most` of its cells; empty where there are none.
pub fn text(reasons: &[Reason], most: usize) -> String {
    let mut text = String::new();
    for reason in reasons {
        let _ = writeln!(text, "{} ({}): {}", reason.state, reason.cells.len(), printable(&reason.why));
        for cell in reason.cells.iter().take(most) {
            let _ = writeln!(text, "  {}", printable(cell));
        }
        if reason.cells.len() > most {
            let _ = writeln!(text, "  and {} more", reason.cells.len() - most);
        }
    }
    text
}

/// How many cells, or windows of them, are missing, with the reason of most of them; none where none are.
/// `9 cells or windows of them; 6 for std-mutex is not leaf code …; the others for 2 more reasons.`
pub fn main(reasons: &[Reason]) -> Option<String> {
    let cells: usize = reasons.iter().map(|reason| reason.cells.len()).sum();
    let first = reasons.iter().rev().max_by_key(|reason| reason.cells.len()).filter(|_| cells > 0)?;
    let (why, all) = (printable(&first.why), counted(cells, "cell"));
    Some(match reasons.len() {
        1 => format!("{all} (or windows): {why}."),
        several => {
            let more = counted(several - 1, "more reason");
            format!("{all} (or windows), {} of them: {why}; {more}.", first.cells.len())
        }
    })
}

/// The reasons that hold for most of some cells, each with its count, as part of a sentence.
pub fn sentence<'a>(reasons: impl IntoIterator<Item = (&'a str, usize)>) -> String {
    const SHOWN: usize = 3;
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, cells)| std::cmp::Reverse(*cells));
    let told = |(why, cells): &(&str, usize)| match cells {
        1 => printable(why),
        several => format!("{} ({several} cells)", printable(why)),
    };
    let mut parts: Vec<String> = reasons.iter().take(SHOWN).map(told).collect();
    if reasons.len() > SHOWN {
        parts.push(format!("and {} further reasons", reasons.len() - SHOWN));
    }
    parts.join("; ")
}
