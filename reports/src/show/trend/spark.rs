//! The small picture of a series: a line, and a stroke at each change.

use std::fmt::Write;

use super::scale::{HEIGHT, Scale, unbroken};
use crate::judge::history::{ChangePoint, Point, Series};

/// Draws a series over all nights. Coordinates are relative to the point before, which keeps the text short.
pub(super) fn spark(series: &Series, nights: usize, changes: &[&ChangePoint]) -> String {
    let scale = Scale::of_most(series);
    let mut path = String::new();
    let judged: Vec<Point> = series.points.iter().filter(|point| point.judged).copied().collect();
    for run in unbroken(&judged) {
        let mut from = None;
        for point in run {
            let y = scale.y(point.median);
            match from {
                None => {
                    let _ = write!(path, "M{} {y}l", point.night);
                }
                Some(from) => {
                    let _ = write!(path, "1 {} ", y - from);
                }
            }
            from = Some(y);
        }
        if run.len() == 1 {
            path.push_str("0 0");
        }
    }
    let mut svg = format!(
        "<svg class=\"spark\" viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        nights.saturating_sub(1).max(1)
    );
    for change in changes {
        let class = super::chart::class(change);
        let _ = write!(svg, "<path class=\"{class}\" d=\"M{} 0v{HEIGHT}\"/>", change.night);
    }
    let _ = write!(svg, "<path class=\"line\" d=\"{}\"/></svg>", path.trim_end());
    svg
}
