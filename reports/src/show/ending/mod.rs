//! The end of a run on a terminal: the verdict and short answers, in about fifteen lines.

mod labels;
mod missing;

pub use missing::missing;

use super::scenarios;
use super::wrap::wrapped;
use crate::judge::briefs::briefs;
use crate::judge::verdicts::{headline, judged, main_step, steps, thresholds, without_a_step};
use crate::record::{Results, Thresholds};

/// Width of the words that lines begin with, in characters.
const WORDS: usize = 11;

/// How lines are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Characters in a line.
    pub width: usize,
    /// Whether labels are coloured.
    pub colours: bool,
}

impl Layout {
    /// For a file, or whatever else is no terminal.
    pub const PLAIN: Self = Self { width: 100, colours: false };

    /// A word that begins a line, and the text after it.
    pub fn line(self, word: &str, text: &str, paint: Paint) -> String {
        let lines = wrapped(&format!("{} {text}", "x".repeat(WORDS - 1)), self.width, WORDS);
        let pad = " ".repeat(WORDS.saturating_sub(word.chars().count()));
        // What stood for the word had its width.
        format!("{}{pad}{}\n", self.painted(word, paint), lines.get(WORDS..).unwrap_or_default())
    }

    fn painted(self, text: &str, paint: Paint) -> String {
        match (self.colours, paint.code()) {
            (true, Some(code)) => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// How a word is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Not at all.
    Plain,
    /// In bold.
    Bold,
    /// As something good in itself.
    Good,
    /// As something middling.
    Middling,
    /// As something bad.
    Bad,
}

impl Paint {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Good => Some("32"),
            Self::Middling => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

/// The verdict and the short answers. What is missing, what to do next and where the report lies is the caller's to add.
pub fn ending(results: &Results, layout: Layout) -> String {
    let results = &*judged(results);
    let steps = steps(results);
    let mut text = String::new();
    match main_step(&steps) {
        None => {
            if let Some(none) = without_a_step(results) {
                text.push_str(&format!("{}\n", wrapped(none, layout.width, 0)));
            }
        }
        Some(step) => {
            let first = wrapped(&headline(step), layout.width, 0);
            text.push_str(&format!("{}\n", layout.painted(&first, Paint::Bold)));
            text.push_str(&layout.line("here", &labels::about(&steps, step), Paint::Plain));
            for (word, told, paint) in labels::lines(results, &steps, step) {
                text.push_str(&layout.line(word, &told, paint));
            }
            if results.thresholds.is_some_and(|by| by != Thresholds::default()) {
                text.push_str(&layout.line("judged by", &thresholds(results), Paint::Plain));
            }
        }
    }
    text.push_str(&scenarios::ending(results, layout));
    for brief in briefs(results) {
        if let Some(short) = brief.short {
            text.push_str(&layout.line(brief.word, &short.replace('`', ""), Paint::Bold));
        }
    }
    text
}
