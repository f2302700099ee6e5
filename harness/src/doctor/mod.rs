//! Whether this machine is fit to measure on, and what would improve it.

mod allowed;
mod noise;
mod quota;
mod settings;

use crate::suite::Session;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// As it should be.
    Fine,
    /// Numbers are to be taken with care.
    Care,
    /// Numbers taken here would mislead.
    Unfit,
}

/// The result of one check.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) what: &'static str,
    pub(crate) found: String,
    /// Advice; empty if there is nothing to do.
    pub(crate) advice: Option<String>,
}

impl Finding {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self { level: Level::Fine, what, found: found.into(), advice: None }
    }

    fn care(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Care, what, found: found.into(), advice: Some(advice.into()) }
    }

    fn unfit(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Unfit, what, found: found.into(), advice: Some(advice.into()) }
    }
}

/// Looks at everything; takes about two seconds.
pub(crate) fn examine(session: &Session) -> Vec<Finding> {
    let mut findings = allowed::examine(&session.topology);
    findings.extend(settings::examine(session));
    findings.extend(noise::examine(&session.topology));
    findings
}
