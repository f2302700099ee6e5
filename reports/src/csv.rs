//! The cells as CSV, one row each, for spreadsheets and data frames.

use crate::comparison::word;
use crate::record::{Cell, Exclusion, Interval, Results};

const HEADINGS: &str = "run_id,cell,lock,baseline,env,workload,section_ns,lines,think,think_ns,placement,pinning,vcpus,\
pcpus,overcommit,params,status,reason,exclusion,ops_per_second,ops_low,ops_high,windows,windows_used,jain,min_share,\
max_share,longest_run,acquire_p50_ns,acquire_p90_ns,acquire_p99_ns,acquire_p999_ns,acquire_max_ns,at_least,\
on_cpu_share,interconnect_low_ns,interconnect_high_ns,notes\r\n";

/// The cells as RFC 4180 CSV: a heading, then one row a cell in plan order; empty where there is no value. Rates in
/// acquisitions per second, times in nanoseconds.
pub fn cells(results: &Results) -> String {
    let mut text = String::from(HEADINGS);
    for cell in &results.cells {
        let row: Vec<String> = row(&results.run_id, cell).iter().map(|value| field(value)).collect();
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}

fn row(run_id: &str, cell: &Cell) -> Vec<String> {
    let axes = &cell.axes;
    let ops = |pick: fn(Interval) -> f64| number(cell.ops_per_second.map(pick));
    let acquire = cell.acquire_ns.clone().unwrap_or_default();
    let params: Vec<String> = axes.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let pcpus: Vec<String> = axes.pcpus.iter().map(u32::to_string).collect();
    vec![
        run_id.into(),
        axes.id.clone(),
        axes.lock.clone(),
        axes.baseline.clone().unwrap_or_default(),
        axes.env.clone(),
        axes.workload.name.clone(),
        axes.workload.section_ns.to_string(),
        axes.workload.lines.to_string(),
        axes.workload.think.clone(),
        axes.workload.think_ns.to_string(),
        axes.placement.clone(),
        axes.pinning.clone(),
        axes.vcpus.to_string(),
        pcpus.join(" "),
        axes.overcommit.to_string(),
        params.join(" "),
        word(cell.status).into(),
        cell.reason.clone().unwrap_or_default(),
        exclusion(cell.exclusion).into(),
        ops(|interval| interval.median),
        ops(|interval| interval.low),
        ops(|interval| interval.high),
        cell.rounds.len().to_string(),
        cell.windows_used.to_string(),
        number(cell.fairness.jain),
        number(cell.fairness.min_share),
        number(cell.fairness.max_share),
        cell.fairness.longest_run.map(|run| run.to_string()).unwrap_or_default(),
        number(acquire.p50),
        number(acquire.p90),
        number(acquire.p99),
        number(acquire.p999),
        number(acquire.max),
        acquire.at_least.join(" "),
        number(cell.on_cpu_share),
        number(cell.interconnect_ns.map(|span| span[0])),
        number(cell.interconnect_ns.map(|span| span[1])),
        cell.notes.join("; "),
    ]
}

fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map(|value| value.to_string()).unwrap_or_default()
}

/// Whether mutual exclusion held, in a word.
pub(crate) fn exclusion(exclusion: Exclusion) -> &'static str {
    match exclusion {
        Exclusion::Held => "held",
        Exclusion::Violated => "violated",
        Exclusion::Unchecked => "unchecked",
    }
}

/// Quotes a field where needed. A field that a spreadsheet would take for a formula gets an apostrophe before it.
pub(crate) fn field(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && value.parse::<f64>().is_err();
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\r', '\n']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_quoted_and_defused() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(field("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(field("-1.5"), "-1.5");
    }
}
