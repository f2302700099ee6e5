//! A history as OpenMetrics text, for dashboards.

use std::collections::HashSet;
use std::fmt::Write;

use super::{History, Judgement, State};
use crate::date;
use crate::derive::digest::{Digest, Metric};

/// A machine's history and what is found in it.
pub struct JudgedMachine {
    /// Key of the machine.
    pub machine: String,
    /// Its history.
    pub history: History,
    /// What is found in the whole of it.
    pub judgement: Judgement,
}

/// All nights, oldest first, as gauges with the time of each run, and how the series of each machine stand at its latest night;
/// the text ends with `# EOF`. Nights without a valid date are left out, for a sample without a time would count as taken now.
pub fn open_metrics(nights: &[Digest], machines: &[JudgedMachine]) -> String {
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
        head(&mut text, name, unit, help);
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
    standings(&mut text, machines);
    text.push_str("# EOF\n");
    text
}

/// How each series stands, and alerts that are 1 where `history show` ends with exit status 1 for it, else 0.
fn standings(text: &mut String, machines: &[JudgedMachine]) {
    let (mut ratios, mut alerts) = (String::new(), String::new());
    for JudgedMachine { machine, history, judgement } in machines {
        let latest = history.nights.last().and_then(|night| date::parse(&night.started_at).ok());
        let Some(time) = latest.map(|moment| moment.as_second()) else { continue };
        let mut cells = HashSet::new();
        for (index, series) in history.series.iter().enumerate() {
            let of = |what: &str| {
                let env = series.place.split('/').next().unwrap_or_default();
                let (cell, lock) = (&series.cell, &series.lock);
                labels(&[("machine", machine), ("cell", cell), ("lock", lock), ("env", env), ("what", what)])
            };
            if let Some(standing) = judgement.standing(index) {
                let (own, ratio) = (of(series.metric.name()), standing.ratio.median);
                let _ = writeln!(ratios, "lockbench_standing_ratio{{{own}}} {ratio} {time}");
                let alert = u8::from(standing.state == State::Worse);
                let _ = writeln!(alerts, "lockbench_alert{{{own}}} {alert} {time}");
            }
            if cells.insert(&series.cell) {
                let alert = u8::from(judgement.failures.iter().any(|failure| failure.cell == series.cell));
                let _ = writeln!(alerts, "lockbench_alert{{{}}} {alert} {time}", of("failed"));
            }
        }
    }
    for (name, unit, help, samples) in [
        (
            "lockbench_standing_ratio",
            "ratio",
            "Level of a series by what it is measured by; below 1 is worse.",
            ratios,
        ),
        (
            "lockbench_alert",
            "",
            "Whether a series stands worse, or its cell failed in the latest night.",
            alerts,
        ),
    ] {
        head(text, name, unit, help);
        text.push_str(&samples);
    }
}

fn head(text: &mut String, name: &str, unit: &str, help: &str) {
    let _ = writeln!(text, "# TYPE {name} gauge");
    if !unit.is_empty() {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let _ = writeln!(text, "# HELP {name} {help}");
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
