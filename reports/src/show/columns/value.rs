//! The value of a column for a cell, as data and as people read it.

use crate::statistics::Verdict;

/// A value as data.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// There is none.
    #[default]
    None,
    /// A figure.
    Number(f64),
    /// A count, which a float might not hold exactly.
    Count(u64),
    /// A word, or a few.
    Text(String),
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::None, Self::Number)
    }
}

impl From<Option<u64>> for Value {
    fn from(count: Option<u64>) -> Self {
        count.map_or(Self::None, Self::Count)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl Value {
    /// The value as data files have it; empty where there is none.
    pub fn plain(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Number(value) => value.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// Whether there is a value.
    pub fn is_some(&self) -> bool {
        *self != Self::None
    }
}

/// A value and how people read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The value.
    pub value: Value,
    /// The value as people read it; none where that is the value itself.
    pub text: Option<String>,
    /// Small print beside it, such as an interval.
    pub note: String,
    /// A sentence below it.
    pub why: String,
    /// A word that judges it, and whether the word is good or bad.
    pub badge: Option<(&'static str, Tone)>,
}

/// How a badge is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good.
    Good,
    /// Bad.
    Bad,
    /// Neither better nor worse.
    Same,
    /// Not known.
    Unsure,
}

impl From<&Verdict> for Tone {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            // Green is for what is good in itself. A lock that collapses may be better than another.
            Verdict::Better => Self::Same,
            Verdict::Worse => Self::Bad,
            Verdict::Same => Self::Same,
            Verdict::NotEnoughData(_) => Self::Unsure,
        }
    }
}

impl Told {
    /// A value that people read as it is.
    pub fn new(value: impl Into<Value>) -> Self {
        Self { value: value.into(), ..Self::default() }
    }

    /// A figure that people read as `show` writes it.
    pub fn number(value: Option<f64>, show: impl Fn(f64) -> String) -> Self {
        let value = Value::from(value);
        let text = match value {
            Value::Number(number) => Some(show(number)),
            _ => None,
        };
        Self { value, text, ..Self::default() }
    }

    /// No value.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Sets how people read the value, where there is one.
    #[must_use]
    pub fn read_as(self, text: impl Into<String>) -> Self {
        let text = self.value.is_some().then(|| text.into());
        Self { text, ..self }
    }

    /// Adds small print.
    #[must_use]
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Adds a sentence below.
    #[must_use]
    pub fn with_why(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    /// Adds a badge.
    #[must_use]
    pub fn with_badge(self, word: &'static str, tone: Tone) -> Self {
        Self { badge: Some((word, tone)), ..self }
    }

    /// Adds a verdict as a badge, and its reason as a sentence below.
    #[must_use]
    pub fn with_verdict(self, verdict: &Verdict) -> Self {
        self.with_why(verdict.reason().unwrap_or_default()).with_badge(verdict.word(), verdict.into())
    }

    /// The value as people read it; a dash where there is none.
    pub fn shown(&self) -> String {
        match (&self.text, &self.value) {
            (Some(text), _) => text.clone(),
            (None, Value::None) => "–".into(),
            (None, value) => value.plain(),
        }
    }
}

/// The unit of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words.
    Text,
    /// A count.
    Count,
    /// A fraction of a whole, or a ratio.
    Ratio,
    /// Acquisitions per second.
    PerSecond,
    /// Nanoseconds.
    Nanoseconds,
}

impl Unit {
    /// The unit's name in the docs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Count => "count",
            Self::Ratio => "ratio",
            Self::PerSecond => "acquisitions/s",
            Self::Nanoseconds => "ns",
        }
    }

    /// Whether values are numbers, which tables align to the right.
    pub fn is_number(self) -> bool {
        self != Self::Text
    }
}
