//! The large picture of a series: a dot with an interval for each night, the level between changes, bands at changes.

use std::fmt::Write;

use super::scale::{HEIGHT, Scale};
use crate::format::printable;
use crate::judge::history::{ChangePoint, History, Series, environment};
use crate::statistics::median;

/// Width of the whole picture, then the room around the plot and the height of the plot.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 8.0;
const PLOT_HEIGHT: f64 = 200.0;
const BOTTOM: f64 = 24.0;

/// The part of the environment that may change every night, and is marked more faintly than the others.
const OFTEN: &str = "lockbench";

/// CSS class of a change's stroke and band.
pub(super) fn class(change: &ChangePoint) -> &'static str {
    match (change.blessed.is_some(), change.worse()) {
        (true, _) => "blessed",
        (false, true) => "worse",
        (false, false) => "better",
    }
}

/// Strokes where the environment changed, in a path of their own where only the commit did. They are drawn once, and every picture
/// refers to them.
pub(super) fn marks(history: &History) -> String {
    let (mut path, mut commits) = (String::new(), String::new());
    for night in 1..history.nights.len() {
        let changed = environment(history, night);
        let path = match changed.as_slice() {
            [] => continue,
            [only] if only.name == OFTEN => &mut commits,
            _ => &mut path,
        };
        let _ = write!(path, "M{night} 0v{HEIGHT}");
    }
    format!(
        "<svg class=\"marks\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><path id=\"marks\" d=\"{path}\"/>\
         <path id=\"commits\" d=\"{commits}\"/></defs></svg>"
    )
}

/// Draws a series.
pub(super) fn chart(history: &History, series: &Series, changes: &[&ChangePoint], label: &str) -> String {
    let scale = Scale::of(series);
    let nights = history.nights.len();
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
        TOP + PLOT_HEIGHT + BOTTOM,
        escaped(label)
    );
    let plot_width = WIDTH - LEFT - RIGHT;
    for tick in scale.ticks() {
        let y = TOP + scale.y(tick) as f64 / HEIGHT * PLOT_HEIGHT;
        let shown = series.metric.show(tick);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}h{plot_width}\"/><text class=\"y\" x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            escaped(&shown)
        );
    }
    for (x, anchor, date) in dates(history, plot_width) {
        let _ = write!(
            svg,
            "<text class=\"{anchor}\" x=\"{x:.1}\" y=\"{}\">{}</text>",
            TOP + PLOT_HEIGHT + 17.0,
            escaped(&date)
        );
    }
    let _ = write!(
        svg,
        "<svg class=\"plot\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{plot_width}\" height=\"{PLOT_HEIGHT}\" \
         viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\" overflow=\"visible\"><use class=\"mark\" href=\"#marks\"/><use class=\"mark commit\" href=\"#commits\"/>",
        nights.saturating_sub(1).max(1)
    );
    revisions(&mut svg, series);
    bands(&mut svg, series, changes);
    levels(&mut svg, series, changes, scale);
    dots(&mut svg, series, scale);
    svg.push_str("</svg></svg>");
    svg
}

/// The first date, the last and a few between, with the CSS class that anchors each.
fn dates(history: &History, width: f64) -> Vec<(f64, &'static str, String)> {
    let last = history.nights.len().saturating_sub(1);
    let steps = last.min(4);
    (0..=steps)
        .map(|step| {
            let night = (last * step).checked_div(steps).unwrap_or(0);
            let part = if last == 0 { 0.0 } else { night as f64 / last as f64 };
            let anchor = match (step, steps) {
                (0, _) => "x first",
                (step, steps) if step == steps => "x last",
                _ => "x",
            };
            (LEFT + part * width, anchor, history.nights[night].date())
        })
        .collect()
}

/// Draws a band for each change, from the last night before it to the first night after it.
fn bands(svg: &mut String, series: &Series, changes: &[&ChangePoint]) {
    for change in changes {
        let before = series.points.iter().filter(|p| p.judged && p.night < change.night).map(|p| p.night);
        let from = before.max().unwrap_or(change.night);
        let _ = write!(
            svg,
            "<rect class=\"{}\" x=\"{from}\" y=\"0\" width=\"{}\" height=\"{HEIGHT}\"/>",
            class(change),
            change.night - from
        );
    }
}

/// Draws a stroke where another revision of the lock begins.
fn revisions(svg: &mut String, series: &Series) {
    for (night, _) in series.revisions() {
        let _ = write!(svg, "<path class=\"mark revision\" d=\"M{night} 0v{HEIGHT}\"/>");
    }
}

/// Draws the median between each change, or new revision of the lock, and the next.
fn levels(svg: &mut String, series: &Series, changes: &[&ChangePoint], scale: Scale) {
    let mut path = String::new();
    let mut ends: Vec<usize> = changes.iter().map(|change| change.night).collect();
    ends.extend(series.revisions().map(|(night, _)| night));
    ends.push(usize::MAX);
    ends.sort_unstable();
    let mut start = 0;
    for end in ends {
        let inside = series.points.iter().filter(|p| p.judged && (start..end).contains(&p.night));
        let (nights, values): (Vec<usize>, Vec<f64>) = inside.map(|p| (p.night, p.median)).unzip();
        if let (Some(first), Some(last), Some(level)) = (nights.first(), nights.last(), median(&values)) {
            let _ = write!(path, "M{first} {}h{}", scale.y(level), last - first);
        }
        start = end;
    }
    let _ = write!(svg, "<path class=\"level\" d=\"{path}\"/>");
}

/// Draws the dots: lines of no length with round ends. Dots of nights that are not judged are in a path of their own.
fn dots(svg: &mut String, series: &Series, scale: Scale) {
    let (mut intervals, mut judged, mut others) = (String::new(), String::new(), String::new());
    for point in &series.points {
        let (low, y, high) = (scale.y(point.low), scale.y(point.median), scale.y(point.high));
        if low - high > 4 {
            let _ = write!(intervals, "M{} {high}V{low}", point.night);
        }
        let _ = write!(if point.judged { &mut judged } else { &mut others }, "M{} {y}h0", point.night);
    }
    for (class, path) in [("interval", intervals), ("dot", judged), ("dot other", others)] {
        if !path.is_empty() {
            let _ = write!(svg, "<path class=\"{class}\" d=\"{path}\"/>");
        }
    }
    for (night, _) in &series.failures {
        let _ = write!(svg, "<path class=\"dot failed\" d=\"M{night} {HEIGHT}h0\"/>");
    }
}

fn escaped(text: &str) -> String {
    let mut bytes = Vec::new();
    // Writing into memory does not fail.
    let _ = crate::show::html::escape(&printable(text), &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}
