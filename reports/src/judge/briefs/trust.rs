//! How far emulated vCPUs stand for real ones.

use super::Brief;
use crate::judge::trust;
use crate::record::Results;

const QUESTION: &str = "How far can emulated vCPUs be trusted?";

pub(super) fn brief(results: &Results) -> Brief {
    let (therefore, figures) = trust::parts(results);
    let mut letters = therefore.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    Brief::new("emulation", QUESTION, first + letters.as_str(), figures).in_short(None)
}
