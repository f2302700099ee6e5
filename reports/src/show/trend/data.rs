//! The data of the pictures, for the script that shows the night under the pointer and for saving.

use serde_json::json;

use super::view::link;
use crate::Error;
use crate::format::printable;
use crate::judge::history::History;
use crate::show::html::embed;

/// `{"nights": [[date, run id, link or null]], "series": [[cell, metric, [[night, median, low, high, judged]]]]}`.
/// Medians have four digits and intervals three, which keeps the page small.
pub(super) fn json(history: &History) -> Result<String, Error> {
    let nights: Vec<_> = history
        .nights
        .iter()
        .map(|night| json!([night.date(), printable(&night.run_id), night.report.as_deref().and_then(link)]))
        .collect();
    let nights = embed::json(&nights)?;
    let mut text = format!("{{\"nights\":{nights},\"series\":[");
    for (index, series) in history.series.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&format!("[{},\"{}\",[", embed::json(&printable(&series.cell))?, series.metric.name()));
        for (index, point) in series.points.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            let judged = u8::from(point.judged);
            text.push_str(&format!(
                "[{},{:.3e},{:.2e},{:.2e},{judged}]",
                point.night, point.median, point.low, point.high
            ));
        }
        text.push_str("]]");
    }
    text.push_str("]}");
    Ok(text)
}
