//! When a run was started: moments that are read, checked and written in one way.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::format::printable;

/// How far a clock may be ahead of another: a day. Many clocks are wrong by an hour; one that is wrong by a day gets noticed.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Before this there was no lockbench: a clock that shows an earlier date was never set.
const EARLIEST: &str = "2025-01-01T00:00:00Z";

/// One sentence that says why a text is not the moment at which a run was started.
#[derive(Debug)]
pub struct Misdated(String);

impl fmt::Display for Misdated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misdated {}

/// Reads a moment as RFC 3339 writes it, in any time zone.
pub fn parse(text: &str) -> Result<Timestamp, Misdated> {
    let no_date =
        |_| Misdated(format!("`{}` is no date and time like 2026-11-22T03:15:00Z", printable(text)));
    text.parse().map_err(no_date)
}

/// Writes a moment as records do: in UTC, so that texts sort as their moments do.
pub fn utc(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads the moment at which a run was started; an error if such a run cannot be a night of a history, judged at `now`.
///
/// A run dated ahead would stay the latest for a long time, and no failure after it would be noticed.
pub fn night(text: &str, now: Timestamp) -> Result<Timestamp, Misdated> {
    let started = parse(text)?;
    misdated(started, now).map_or(Ok(started), |why| Err(Misdated(why)))
}

fn misdated(started: Timestamp, now: Timestamp) -> Option<String> {
    let earliest = EARLIEST.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    if started > now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX) {
        Some(format!(
            "it is dated {}, and here it is {}: one of the two clocks is wrong",
            utc(started),
            utc(now)
        ))
    } else if started < earliest {
        Some(format!("it is dated {}, before lockbench existed: the clock was never set", utc(started)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        parse(text).unwrap()
    }

    #[test]
    fn what_is_no_date_is_refused_in_a_sentence() {
        for text in [
            "notadate",
            "",
            "2026-11-22",
            "2026-13-01T00:00:00Z",
            "2027-02-29T03:15:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-22T25:00:00Z",
            "2026-11-22T03:15:00",
            "\u{1b}[2J",
        ] {
            let said = parse(text).unwrap_err().to_string();
            assert!(said.contains("is no date and time like") && !said.contains('\u{1b}'), "{said}");
        }
        assert!(parse("2028-02-29T03:15:00Z").is_ok(), "a leap day is a day");
    }

    #[test]
    fn moments_are_ordered_by_what_they_are_whatever_their_zone() {
        assert_eq!(utc(at("2026-11-22T01:30:00+02:00")), "2026-11-21T23:30:00Z");
        assert_eq!(utc(at("2026-11-22T03:15:00.987Z")), "2026-11-22T03:15:00Z");
        // When clocks are put back an hour comes twice: the texts repeat, the moments do not.
        assert!(at("2026-10-25T02:30:00+02:00") < at("2026-10-25T02:10:00+01:00"));
    }

    #[test]
    fn a_run_dated_ahead_or_before_all_clocks_is_misdated() {
        let now = at("2026-11-22T12:00:00Z");
        let why = |text: &str| night(text, now).err().map(|why| why.to_string());
        assert!(why("2099-01-01T00:00:00Z").unwrap().contains("one of the two clocks is wrong"));
        assert!(
            why("2026-11-23T12:00:01Z").is_some() && why("2026-11-23T11:59:59Z").is_none(),
            "a day is let pass"
        );
        assert!(why("1970-01-01T00:00:07Z").unwrap().contains("never set"));
        assert_eq!(why("2025-06-01T00:00:00Z"), None, "an old run may be added");
        assert!(misdated(Timestamp::MAX, Timestamp::MAX).is_none());
    }
}
