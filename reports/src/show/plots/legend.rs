//! Legend entries: a small picture of line and marker, and a name beside it in HTML.

use serde::Serialize;

use super::canvas::marker_outline;
use super::style::{Marker, Style, hex};

/// One entry of a legend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Key {
    /// Line and marker as an `svg` element.
    pub swatch: String,
    /// What the swatch stands for; not yet escaped.
    pub name: String,
    /// Whether it stands for the lock of this name.
    pub lock: bool,
}

impl Key {
    /// An entry for a lock.
    pub(super) fn of_lock(lock: &str, style: Style) -> Self {
        Self { lock: true, ..Self::new(lock, style, true) }
    }

    /// An entry for a line with markers, or for markers alone.
    pub(super) fn new(name: impl Into<String>, style: Style, line: bool) -> Self {
        let colour = hex(style.colour);
        let mut swatch = String::from(
            "<svg class=\"swatch\" viewBox=\"0 0 30 14\" width=\"30\" height=\"14\" aria-hidden=\"true\">",
        );
        if line {
            let dash = if style.dashed { " stroke-dasharray=\"5 3\"" } else { "" };
            swatch.push_str(&format!("<path d=\"M1 7H29\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>"));
        }
        let points: Vec<(f64, f64)> =
            marker_outline(style.marker, 4.2).into_iter().map(|(x, y)| (x + 15.0, y + 7.0)).collect();
        let at = |point: &(f64, f64)| format!("{:.1} {:.1}", point.0, point.1);
        match style.marker {
            Marker::Cross | Marker::Plus => {
                let strokes: String =
                    points.chunks(2).map(|pair| format!("M{}L{}", at(&pair[0]), at(&pair[1]))).collect();
                swatch.push_str(&format!("<path d=\"{strokes}\" stroke=\"{colour}\" stroke-width=\"2\"/>"));
            }
            _ => {
                let corners: Vec<String> = points.iter().map(at).collect();
                swatch.push_str(&format!("<path d=\"M{}Z\" fill=\"{colour}\"/>", corners.join("L")));
            }
        }
        swatch.push_str("</svg>");
        Self { swatch, name: name.into(), lock: false }
    }
}
