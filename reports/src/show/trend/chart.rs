//! The large picture of a series: a dot with an interval for each night and the level between changes; what happened, when, stands
//! on a strip below, where it hides no dot.
//!
//! The picture is as wide as the page leaves room for: its parts stretch, and its texts are beside it and do not.

use std::fmt::Write;

use super::scale::{HEIGHT, Scale};
use crate::format::printable;
use crate::judge::history::{ChangePoint, History, Series, environment};
use crate::statistics::median;

/// Width of the values' column and height of the plot, in CSS pixels, as in the style sheet.
const LEFT: f64 = 68.0;
const PLOT_HEIGHT: f64 = 200.0;

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
        "<svg class=\"marks\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><path id=\"marks\" d=\"{path}\" vector-effect=\"non-scaling-stroke\"/>\
         <path id=\"commits\" d=\"{commits}\" vector-effect=\"non-scaling-stroke\"/></defs></svg>"
    )
}

/// Draws a series.
pub(super) fn chart(history: &History, series: &Series, changes: &[&ChangePoint], label: &str) -> String {
    let scale = Scale::of(series);
    let width = history.nights.len().saturating_sub(1).max(1);
    let (mut values, mut grid) = (String::new(), String::new());
    for tick in scale.ticks() {
        let y = scale.y(tick);
        let _ = write!(grid, "M0 {y}h{width}");
        let _ = write!(
            values,
            "<text x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            y as f64 / HEIGHT * PLOT_HEIGHT + 4.0,
            escaped(&series.metric.show(tick))
        );
    }
    let mut html = format!(
        "<div class=\"chart\"><svg class=\"values\" width=\"{LEFT}\" height=\"{PLOT_HEIGHT}\" aria-hidden=\"true\">{values}</svg><div>\
         <svg class=\"plot\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\
         <path class=\"grid\" d=\"{grid}\"/>",
        escaped(label)
    );
    bands(&mut html, series, changes);
    levels(&mut html, series, changes, scale);
    dots(&mut html, series, scale);
    let _ = write!(
        html,
        "</svg><svg class=\"strip\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <use class=\"mark commit\" href=\"#commits\"/><use class=\"mark\" href=\"#marks\"/>"
    );
    strokes(&mut html, series, changes);
    let dates: String = dates(history).iter().map(|date| format!("<span>{}</span>", escaped(date))).collect();
    let _ = write!(html, "</svg><p class=\"dates\" aria-hidden=\"true\">{dates}</p></div></div>");
    html
}

/// The first date, the last and a few between, as far apart as the nights are.
fn dates(history: &History) -> Vec<String> {
    let Some(last) = history.nights.len().checked_sub(1) else { return Vec::new() };
    let steps = last.min(4);
    (0..=steps).map(|step| history.nights[(last * step).checked_div(steps).unwrap_or(0)].date()).collect()
}

/// Draws a stroke on the strip for each change, new revision of the lock, and night in which the cell failed.
fn strokes(html: &mut String, series: &Series, changes: &[&ChangePoint]) {
    let changed = changes.iter().map(|change| (class(change), change.night));
    let revised = series.revisions().map(|(night, _)| ("revision", night));
    let failed = series.failures.iter().map(|(night, _)| ("failed", *night));
    for (class, night) in revised.chain(failed).chain(changed) {
        let _ = write!(html, "<path class=\"{class}\" d=\"M{night} 0v{HEIGHT}\"/>");
    }
}

/// Draws a faint band behind the dots for each change, from the last night before it to the first night after it.
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
}

fn escaped(text: &str) -> String {
    let mut bytes = Vec::new();
    // Writing into memory does not fail.
    let _ = crate::show::html::escape(&printable(text), &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}
