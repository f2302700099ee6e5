//! The trace of each traced cell's worst handover, to be saved from the page and opened in another program.

use serde::Serialize;

use super::embed;
use super::view::shown;
use crate::Error;
use crate::format::duration;
use crate::record::Results;
use crate::show::trace_export::{chrome_of_worst, traces};

/// A page carries at most this many characters of traces, compressed; `lockbench report --perfetto` writes them all.
const MOST: usize = 512 << 10;

/// A cell's traces.
#[derive(Serialize)]
pub(super) struct TraceView {
    /// Number of the cell, for the name of the file.
    index: usize,
    cell: String,
    worst: String,
    /// Address of the file.
    link: String,
}

/// The traces that fit, and the number of those that do not.
pub(super) fn views(results: &Results) -> Result<(Vec<TraceView>, usize), Error> {
    let (mut views, mut left, mut room): (Vec<TraceView>, usize, usize) = (Vec::new(), 0, MOST);
    for (index, cell) in results.cells.iter().enumerate() {
        let Some(worst) = traces(cell).map(|(_, trace)| trace.worst_handover_ns).max() else { continue };
        let Some(json) = chrome_of_worst(cell) else { continue };
        let link = embed::link(json.to_string().as_bytes())?;
        if link.len() > room {
            left += 1;
            continue;
        }
        room -= link.len();
        views.push(TraceView { index, cell: shown(&cell.axes.id), worst: duration(worst as f64), link });
    }
    Ok((views, left))
}
