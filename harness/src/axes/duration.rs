//! Durations as users write them.

use std::time::Duration;

use crate::Error;

/// Reads `250ns`, `30us`, `2ms`, `90s`, `4m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, Error> {
    humantime::parse_duration(text).map_err(|_| {
        Error::usage(format!(
            "`{}` is no duration; write it like 250ns, 30us, 2ms, 90s or 4m",
            text.escape_debug()
        ))
    })
}

/// Writes a duration as [`parse_duration`] reads it, in the largest unit that leaves a whole number: one spelling each.
pub(crate) fn show_duration(ns: u64) -> String {
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")];
    let unit = units.into_iter().find(|(unit, _)| ns > 0 && ns.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "ns"));
    format!("{}{name}", ns / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_one_spelling() {
        for (ns, shown) in [(0, "0ns"), (1500, "1500ns"), (4_000_000, "4ms"), (60_000_000_000, "60s")] {
            assert_eq!(show_duration(ns), shown);
            assert_eq!(parse_duration(shown).unwrap().as_nanos(), u128::from(ns));
        }
    }
}
