//! Tables and texts in the form that the templates need: finished strings.

use serde::Serialize;

use crate::format::printable;
use crate::show::columns::Tone;

/// A table that has more columns than this shows these first, and the others on demand.
const FIRST_COLUMNS: usize = 8;

/// A table.
#[derive(Serialize)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) sortable: bool,
    /// Whether it shows its first columns only, unless a reader asks for all.
    pub(super) many: bool,
    /// Each row has an address: this and the row's number, counted from 0.
    pub(super) anchor: Option<&'static str>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<TableEntry>>,
}

/// A heading.
#[derive(Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) number: bool,
}

/// One entry of a table.
#[derive(Clone, Default, Serialize)]
pub(super) struct TableEntry {
    pub(super) text: String,
    pub(super) number: bool,
    /// The value that it is sorted by, if not by its text.
    pub(super) value: Option<String>,
    pub(super) badge: Option<String>,
    pub(super) class: Option<&'static str>,
    /// A second line, in small.
    pub(super) note: Option<String>,
    /// Further lines, in small.
    pub(super) lines: Vec<String>,
    /// A sentence below, which may wrap.
    pub(super) why: Option<String>,
    /// What a reader may unfold: what it is, and its text.
    pub(super) more: Option<[String; 2]>,
}

impl Table {
    pub(super) fn new(caption: &str, columns: &[(&str, bool)], rows: Vec<Vec<TableEntry>>) -> Self {
        let column = |&(name, number): &(&str, bool)| Column { name: name.into(), number };
        let columns = columns.iter().map(column).collect();
        let many = rows.first().is_some_and(|row| row.len() > FIRST_COLUMNS);
        Self { caption: caption.into(), sortable: rows.len() > 1, many, anchor: None, columns, rows }
    }

    /// Gives each row an address that begins with `anchor`.
    pub(super) fn with_links(self, anchor: &'static str) -> Self {
        Self { anchor: Some(anchor), ..self }
    }
}

impl TableEntry {
    /// An entry of text, made printable.
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self { text: shown(text.as_ref()), ..Self::default() }
    }

    /// An entry of a figure, which is also sorted by it; a dash where there is none.
    pub(super) fn number(value: Option<f64>, show: impl Fn(f64) -> String) -> Self {
        let value = value.filter(|value| value.is_finite());
        let text = value.map_or_else(|| "–".into(), show);
        Self { text, number: true, value: value.map(sorted_by), ..Self::default() }
    }

    /// An entry that unfolds.
    pub(super) fn folded(what: impl AsRef<str>, text: String) -> Self {
        Self { more: Some([shown(what.as_ref()), text]), ..Self::default() }
    }

    pub(super) fn with_note(self, note: impl AsRef<str>) -> Self {
        let note = shown(note.as_ref());
        Self { note: (!note.is_empty()).then_some(note), ..self }
    }

    pub(super) fn with_why(self, why: impl AsRef<str>) -> Self {
        let why = shown(why.as_ref());
        Self { why: (!why.is_empty()).then_some(why), ..self }
    }
}

/// A figure for sorting and copying: six significant digits, more than any of these figures has.
pub(super) fn sorted_by(value: f64) -> String {
    let rounded = format!("{value:.5e}").parse::<f64>().unwrap_or(value);
    rounded.to_string()
}

/// CSS class of a badge.
pub(super) fn class(tone: impl Into<Tone>) -> &'static str {
    match tone.into() {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Same => "same",
        Tone::Unsure => "unsure",
    }
}

/// Makes text of a record printable; tera escapes it.
pub(super) fn shown(text: &str) -> String {
    printable(text)
}

/// Prose in which no line breaks between a figure and its unit.
pub(super) fn unbroken(text: &str) -> String {
    ["%", "G/s", "M/s", "k/s", "ns", "µs", "ms", "s", "vCPUs", "pCPUs"].iter().fold(
        text.to_owned(),
        |text, unit| {
            let after_digit = |digit: char| (format!("{digit} {unit}"), format!("{digit}\u{a0}{unit}"));
            ('0'..='9').map(after_digit).fold(text, |text, (broken, kept)| text.replace(&broken, &kept))
        },
    )
}
