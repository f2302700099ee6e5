//! A history as JSON lines, which can be kept on a git branch.

use serde::{Deserialize, Serialize};

use super::Blessing;
use crate::derive::digest::{DIGEST_VERSION, Digest};
use crate::{Error, date};

/// One line of an exported history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub enum HistoryLine {
    /// A night.
    Run(Digest),
    /// A change that was accepted.
    Blessing(Blessing),
}

impl HistoryLine {
    /// The line as databases keep it: without NUL characters in texts that are looked up.
    #[must_use]
    pub fn without_nul(mut self) -> Self {
        match &mut self {
            Self::Run(digest) => digest.without_nul(),
            Self::Blessing(blessing) => blessing.without_nul(),
        }
        self
    }
}

/// What was read of an exported history.
#[derive(Debug, Default)]
pub struct Lines {
    /// Its complete lines.
    pub entries: Vec<HistoryLine>,
    /// Number of the last line, if it was cut off while it was written.
    pub cut_off: Option<usize>,
}

/// Reads JSON lines. A last line that was cut off is left out. Any other damage is an error, and nothing is read.
pub fn parse_lines(text: &str) -> Result<Lines, Error> {
    let mut lines = Lines::default();
    let mut rest = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    while let Some((index, line)) = rest.next() {
        match parse(line) {
            Ok(entry) => lines.entries.push(entry),
            Err(_) if rest.peek().is_none() && !text.ends_with('\n') => lines.cut_off = Some(index + 1),
            Err(what) => return Err(Error::Line { number: index + 1, what }),
        }
    }
    Ok(lines)
}

fn parse(line: &str) -> Result<HistoryLine, String> {
    #[derive(Deserialize)]
    struct Probe {
        digest_version: Option<u64>,
    }
    let damaged = |error: serde_json::Error| format!("is no line of a history: {error}");
    let probe: Probe = serde_json::from_str(line).map_err(damaged)?;
    match probe.digest_version {
        Some(found) if found > u64::from(DIGEST_VERSION) => Err(format!(
            "was written by a newer lockbench (digest {found}; this one reads up to {DIGEST_VERSION}): update lockbench"
        )),
        Some(0) => Err("states digest_version 0, which never existed".into()),
        _ => {
            let mut entry: HistoryLine = serde_json::from_str(line).map_err(damaged)?;
            if let HistoryLine::Run(digest) = &mut entry {
                let moment = date::parse(&digest.started_at);
                digest.started_at =
                    date::utc(moment.map_err(|why| format!("does not say when its run was started: {why}"))?);
            }
            Ok(entry)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLESSING: &str =
        r#"{"line":"blessing","machine":"m","cells":"*","run_id":"r","reason":"x","blessed_at":"t"}"#;

    #[test]
    fn a_cut_last_line_is_left_out_and_any_other_damage_refused() {
        let cut = parse_lines(&format!("{BLESSING}\n\n{{\"line\":\"run\",\"dig")).unwrap();
        assert_eq!((cut.entries.len(), cut.cut_off), (1, Some(3)));
        let damaged = parse_lines(&format!("{{\"line\":\"ru\n{BLESSING}\n")).unwrap_err().to_string();
        assert!(damaged.starts_with("line 1 is no line of a history"), "{damaged}");
        assert!(
            parse_lines("{\"line\":\"run\",\"digest_version\":9}\n")
                .unwrap_err()
                .to_string()
                .contains("newer lockbench")
        );
        assert!(parse_lines("\u{1b}[2J\n").unwrap_err().to_string().contains("line 1"));
        assert!(parse_lines("").unwrap().entries.is_empty());
    }
}
