//! A history as OpenMetrics text, for a dashboard that exists already.

use std::fmt::Write;

use crate::derive::digest::{Digest, Metric};

/// All nights, oldest first, as gauges with the time of each run; ends with `# EOF`. Nights whose start is no date are
/// left out, for a sample without its time would be read as now.
pub fn open_metrics(nights: &[Digest]) -> String {
    let mut text = String::new();
    for metric in Metric::ALL {
        let (name, unit, help) = match metric {
            Metric::Rate => {
                ("lockbench_acquisitions_per_second", "", "Median rate of a cell, all vCPUs together.")
            }
            Metric::Fairness => ("lockbench_fairness_ratio", "ratio", "Jain's index of the vCPUs' shares."),
            Metric::Tail => {
                ("lockbench_acquire_p99_seconds", "seconds", "99th percentile of the acquire time.")
            }
        };
        let _ = writeln!(text, "# TYPE {name} gauge");
        if !unit.is_empty() {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(text, "# HELP {name} {help}");
        // Samples of one set of labels stand together, in order of time.
        let mut samples: Vec<(String, i64, f64)> = Vec::new();
        for night in nights {
            let Some(time) = unix_seconds(&night.started_at) else { continue };
            for cell in &night.cells {
                for measure in cell.told().filter(|measure| measure.metric == metric) {
                    let labels = labels(&[
                        ("machine", &night.machine.key()),
                        ("cell", &cell.id),
                        ("lock", &cell.lock),
                        ("env", &cell.env),
                    ]);
                    let scale = if metric == Metric::Tail { 1e-9 } else { 1.0 };
                    samples.push((labels, time, measure.median * scale));
                }
            }
        }
        samples.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        // Two runs in one second: the later one counts.
        for (index, (labels, time, value)) in samples.iter().enumerate() {
            if samples.get(index + 1).is_none_or(|next| (&next.0, next.1) != (labels, *time)) {
                let _ = writeln!(text, "{name}{{{labels}}} {value} {time}");
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect::<Vec<_>>().join(",")
}

/// Seconds since 1970 of `2026-11-22T03:15:00Z`; only UTC is ever written.
fn unix_seconds(text: &str) -> Option<i64> {
    let digits = |from: usize, length: usize| text.get(from..from + length)?.parse::<i64>().ok();
    let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
    let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
    if !text.ends_with('Z') || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from the civil date, years beginning in March (Hinnant).
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
    let days =
        era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + (153 * month + 2) / 5 + day - 719_469;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-03-01T00:00:00Z"), Some(951_868_800));
        assert_eq!(unix_seconds("2026-11-22T03:15:00Z"), Some(1_795_317_300));
        assert_eq!(unix_seconds("yesterday"), None);
        assert_eq!(unix_seconds("2026-11-22T03:15:00+01:00"), None);
        assert_eq!(unix_seconds("2026-99-22T03:15:00Z"), None);
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels(&[("cell", "a\"b\\c\nd")]), "cell=\"a\\\"b\\\\c\\nd\"");
    }
}
