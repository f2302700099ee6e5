//! A comparison as Markdown, for a pull request.

use std::fmt::Write;

use super::reasons::{self, Reason};
use super::text::{measured, method, ordered, shown, summary};
use super::{Comparison, Row};
use crate::format::{counted, printable, printable_up_to};

/// GitHub refuses a comment beyond 65,536 characters.
const LONGEST: usize = 60_000;
/// Sentences are cut off beyond so many characters.
const LONGEST_SENTENCE: usize = 2_000;

/// The summary first, then what changed, as a table; all other rows in a part that the reader can open.
pub fn markdown(comparison: &Comparison) -> String {
    let mut sentences = summary(comparison).into_iter();
    let headline = sentences.next().unwrap_or_default();
    let mut text = format!("### lockbench: {}\n\n", sentence(&headline));
    for told in sentences {
        let _ = writeln!(text, "{}\n", sentence(&told));
    }
    let base = comparison.base.last().map_or("", String::as_str);
    let earlier = match comparison.base.len() {
        0 | 1 => String::new(),
        runs => format!(" and {}", counted(runs - 1, "earlier run")),
    };
    let _ = writeln!(
        text,
        "{} against {}{earlier}, on {}.\n",
        code(&comparison.new),
        code(base),
        plain(&comparison.machine)
    );
    for change in &comparison.changed {
        let _ = writeln!(text, "- {}", plain(&change.to_string()));
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "- {}", plain(note));
    }
    text.push('\n');
    let rows = ordered(comparison);
    let called = |row: &&Row| matches!(row.verdict.word(), "worse" | "better");
    let (called, rest): (Vec<&Row>, Vec<&Row>) = rows.into_iter().partition(called);
    if !called.is_empty() {
        table(&mut text, &called);
        text.push('\n');
    }
    if !rest.is_empty() && text.len() < LONGEST {
        others(&mut text, &rest);
    }
    for told in method(comparison) {
        let told = format!("{}\n\n", sentence(&told));
        if fits(&text, &told) {
            text.push_str(&told);
        }
    }
    text
}

/// The rows that are neither worse nor better. What several of them cannot be told for is said once.
fn others(text: &mut String, rows: &[&Row]) {
    let (shared, apart) = reasons::shared(rows);
    let _ = writeln!(text, "<details><summary>{}</summary>\n", counted(rows.len(), "more row"));
    for Reason { why, rows } in &shared {
        let heading = format!("**Not enough data ({}):** {}\n\n", counted(rows.len(), "row"), plain(why));
        if !fits(text, &heading) {
            let _ = writeln!(text, "Further reasons did not fit.\n");
            break;
        }
        text.push_str(&heading);
        for (index, row) in rows.iter().enumerate() {
            if !fits(text, &item(row)) {
                let _ = writeln!(text, "- {} did not fit", counted(rows.len() - index, "more row"));
                break;
            }
            text.push_str(&item(row));
        }
        text.push('\n');
    }
    if !apart.is_empty() {
        table(text, &apart);
    }
    text.push_str("\n</details>\n\n");
}

/// A row below the reason that it shares with others.
fn item(row: &Row) -> String {
    format!("- {} {}{}\n", code(&row.cell), row.metric.name(), measured(row))
}

fn fits(text: &str, more: &str) -> bool {
    text.len() + more.len() <= LONGEST
}

fn table(text: &mut String, rows: &[&Row]) {
    text.push_str("| verdict | cell | | BASE | NEW | NEW:BASE | bound |\n|---|---|---|--:|--:|:--|--:|\n");
    for (index, row) in rows.iter().enumerate() {
        let line = line(row);
        if !fits(text, &line) {
            let _ = writeln!(text, "\n{} did not fit.", counted(rows.len() - index, "more row"));
            return;
        }
        text.push_str(&line);
    }
}

fn line(row: &Row) -> String {
    let value = |value: Option<f64>| value.map_or_else(String::new, |value| row.metric.show(value));
    let why = row.verdict.reason().or(row.note.as_deref()).map(plain);
    let said: Vec<String> = shown(row).into_iter().chain(why).collect();
    let verdict = match row.verdict.word() {
        word @ ("worse" | "better") => format!("**{word}**"),
        word => word.to_owned(),
    };
    format!(
        "| {verdict} | {} | {} | {} | {} | {} | {} |\n",
        code(&row.cell),
        row.metric.name(),
        value(row.base),
        value(row.new),
        said.join("; "),
        row.bound.map_or_else(String::new, crate::format::bound)
    )
}

/// Text from outside in a line of Markdown, escaped so that none of it is markup, a mention or a reference.
fn plain(text: &str) -> String {
    escaped(&printable(text))
}

/// As [`plain`], for a sentence that may name many things.
fn sentence(text: &str) -> String {
    escaped(&printable_up_to(text, LONGEST_SENTENCE))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // An empty comment behind the sign keeps GitHub from notifying anybody.
            '@' => escaped.push_str("@<!-- -->"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text from outside as code, fit for a table.
fn code(text: &str) -> String {
    format!("`{}`", printable(text).replace('`', "'").replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(plain("<img src=x> | *a* @all\n"), "&lt;img src=x&gt; \\| \\*a\\* @<!-- -->all\u{fffd}");
        assert_eq!(code("a`b|c\n"), "`a'b\\|c\u{fffd}`");
    }
}
