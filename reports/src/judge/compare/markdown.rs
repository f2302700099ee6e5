//! A comparison as Markdown, for a pull request.

use std::fmt::Write;

use super::text::{ordered, shown, summary};
use super::{Comparison, Row};
use crate::format::{percent, printable};

/// GitHub refuses a comment beyond 65,536 characters.
const LONGEST: usize = 60_000;

/// What changed, as a table; all other rows in a part that the reader can open.
pub fn markdown(comparison: &Comparison) -> String {
    let (worse, better) = (comparison.count("worse"), comparison.count("better"));
    let heading = match (worse, better) {
        (0, 0) => "nothing changed that can be told".to_owned(),
        _ => format!("{worse} worse, {better} better"),
    };
    let mut text = format!("### lockbench: {heading}\n\n");
    let base = comparison.base.last().map_or("", String::as_str);
    let earlier = match comparison.base.len() {
        0 | 1 => String::new(),
        runs => format!(" and {} earlier runs", runs - 1),
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
    let called = |row: &&&Row| matches!(row.verdict.word(), "worse" | "better");
    let (called, rest): (Vec<&Row>, Vec<&Row>) = (
        rows.iter().filter(called).copied().collect(),
        rows.iter().filter(|row| !called(row)).copied().collect(),
    );
    if !called.is_empty() {
        table(&mut text, &called);
        text.push('\n');
    }
    for sentence in summary(comparison) {
        let _ = writeln!(text, "{}\n", plain(&sentence));
    }
    if !rest.is_empty() && text.len() < LONGEST {
        let _ = writeln!(text, "<details><summary>{} more rows</summary>\n", rest.len());
        table(&mut text, &rest);
        text.push_str("\n</details>\n");
    }
    text
}

fn table(text: &mut String, rows: &[&Row]) {
    text.push_str("| verdict | cell | | BASE | NEW | NEW:BASE | bound |\n|---|---|---|--:|--:|:--|--:|\n");
    for (index, row) in rows.iter().enumerate() {
        let line = line(row);
        if text.len() + line.len() > LONGEST {
            let _ = writeln!(text, "\n{} more rows did not fit.", rows.len() - index);
            return;
        }
        text.push_str(&line);
    }
}

fn line(row: &Row) -> String {
    let value = |value: Option<f64>| value.map_or_else(String::new, |value| row.metric.show(value));
    let why = row.verdict.reason().or(row.note.as_deref()).map(plain);
    let ratio = row.ratio.map(shown);
    let said: Vec<String> = ratio.into_iter().chain(why).collect();
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
        row.bound.map_or_else(String::new, |bound| format!("±{}", percent(bound)))
    )
}

/// Text from outside in a line of Markdown, escaped so that none of it is markup, a mention or a reference.
fn plain(text: &str) -> String {
    let mut escaped = String::new();
    for c in printable(text).chars() {
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
