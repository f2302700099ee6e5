//! A history as CSV: one row for each night, cell and metric.

use crate::derive::digest::Digest;
use crate::rfc4180::line;

const HEADINGS: &str = "machine,cpu_model,run_id,started_at,profile,kernel,lockbench,cell,lock,env,metric,median,low,high,windows\r\n";

/// The rows of one night as RFC 4180 CSV, with the headings above them if it is the first night.
pub fn csv(digest: &Digest, first: bool) -> String {
    let mut text = String::from(if first { HEADINGS } else { "" });
    let of = |name: &str| digest.environment.get(name).cloned().unwrap_or_default();
    let shared = [
        digest.machine.key(),
        digest.machine.cpu_model.clone(),
        digest.run_id.clone(),
        digest.started_at.clone(),
        digest.profile.clone(),
        of("kernel"),
        of("lockbench"),
    ];
    for cell in &digest.cells {
        for measure in cell.told() {
            let own = [
                cell.id.clone(),
                cell.lock.clone(),
                cell.env.clone(),
                measure.metric.name().into(),
                measure.median.to_string(),
                measure.low.to_string(),
                measure.high.to_string(),
                measure.windows.len().to_string(),
            ];
            text.push_str(&line(&[shared.as_slice(), &own].concat()));
        }
    }
    text
}
