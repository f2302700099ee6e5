//! What a column says of a cell.

use crate::statistics::Verdict;

/// A value as data.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// There is none.
    #[default]
    None,
    /// A figure.
    Number(f64),
    /// A count, exact beyond what a float holds.
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
    /// As it stands in a data file; empty where there is none.
    pub fn plain(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Number(value) => value.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// Whether there is any.
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
    /// What stands beside it in small print: an interval, say.
    pub note: String,
    /// A sentence below it.
    pub why: String,
    /// A word that says at a glance what to think of it.
    pub badge: Option<(&'static str, Tone)>,
}

/// What a badge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good.
    Good,
    /// Bad.
    Bad,
    /// No different.
    Same,
    /// Not known.
    Unsure,
}

impl From<&Verdict> for Tone {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Better => Self::Good,
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

    /// A figure that people read as `show` has it.
    pub fn number(value: Option<f64>, show: impl Fn(f64) -> String) -> Self {
        let value = Value::from(value);
        let text = match value {
            Value::Number(number) => Some(show(number)),
            _ => None,
        };
        Self { value, text, ..Self::default() }
    }

    /// Nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Read as `text`, where there is a value.
    #[must_use]
    pub fn read_as(self, text: impl Into<String>) -> Self {
        let text = self.value.is_some().then(|| text.into());
        Self { text, ..self }
    }

    /// With small print.
    #[must_use]
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// With a sentence below.
    #[must_use]
    pub fn with_why(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    /// With a badge.
    #[must_use]
    pub fn with_badge(self, word: &'static str, tone: Tone) -> Self {
        Self { badge: Some((word, tone)), ..self }
    }

    /// With a verdict in a word, and its reason below.
    #[must_use]
    pub fn with_verdict(self, verdict: &Verdict) -> Self {
        self.with_why(verdict.reason().unwrap_or_default()).with_badge(verdict.word(), verdict.into())
    }

    /// As people read it; a dash where there is no value.
    pub fn shown(&self) -> String {
        match (&self.text, &self.value) {
            (Some(text), _) => text.clone(),
            (None, Value::None) => "–".into(),
            (None, value) => value.plain(),
        }
    }
}

/// What a column is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words.
    Text,
    /// A count.
    Count,
    /// A part of a whole, or a multiple of something.
    Ratio,
    /// Acquisitions per second.
    PerSecond,
    /// Nanoseconds.
    Nanoseconds,
}

impl Unit {
    /// Its name in the docs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Count => "count",
            Self::Ratio => "ratio",
            Self::PerSecond => "acquisitions/s",
            Self::Nanoseconds => "ns",
        }
    }

    /// Whether it is a number, which tables set to the right.
    pub fn is_number(self) -> bool {
        self != Self::Text
    }
}
