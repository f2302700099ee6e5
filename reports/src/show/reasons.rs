//! The reasons why cells are missing, as text for a terminal and as part of a sentence.

use std::fmt::Write;

use crate::derive::reasons::Reason;
use crate::format::printable;

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
