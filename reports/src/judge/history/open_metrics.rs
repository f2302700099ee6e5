//! A history as OpenMetrics text, for dashboards.

use std::fmt::Write;

use crate::date;
use crate::derive::digest::{Digest, Metric};

/// All nights, oldest first, as gauges with the time of each run; the text ends with `# EOF`. Nights without a valid date are
/// left out, for a sample without a time would count as taken now.
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
        // Samples with the same labels must stand together, in order of time.
        let mut samples: Vec<(String, i64, f64)> = Vec::new();
        for night in nights {
            let Ok(time) = date::parse(&night.started_at).map(|moment| moment.as_second()) else { continue };
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
        // Of two runs in one second the later one counts.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels(&[("cell", "a\"b\\c\nd")]), "cell=\"a\\\"b\\\\c\\nd\"");
    }
}
