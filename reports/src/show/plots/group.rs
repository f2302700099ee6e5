//! What a plot shows of one lock, as a group of the picture: its line, intervals, rounds and markers. A marker tells its value in a
//! title, which browsers show under the pointer.

use std::fmt::Write;

use super::canvas::{FINE, escape, marker_outline};
use super::style::{INK, Marker, PAPER, Style, hex};

/// A place in the picture's own units.
pub(super) type Place = (f64, f64);

/// Size of a marker: about half its width.
pub(super) const MARKER: f64 = 4.2;
/// Length of a dash and of the gap behind it.
const DASH: (f64, f64) = (6.0, 4.0);

/// A group of marks.
pub(super) struct Group {
    svg: String,
}

impl Group {
    /// The marks of a lock. The page's script finds them by the lock's name.
    pub(super) fn of_lock(lock: &str) -> Self {
        Self { svg: format!("<g data-lock=\"{}\">", escape(lock)) }
    }

    /// Marks that are not of one lock.
    pub(super) fn of_no_lock() -> Self {
        Self { svg: "<g>".into() }
    }

    /// A line through places.
    pub(super) fn line(&mut self, places: &[Place], style: Style) {
        if places.len() < 2 {
            return;
        }
        let dash = if style.dashed {
            format!(" stroke-dasharray=\"{} {}\"", fine(DASH.0), fine(DASH.1))
        } else {
            String::new()
        };
        self.path(&through(places), style, 4, &dash);
    }

    /// A thin line from a point to its label.
    pub(super) fn leader(&mut self, places: &[Place], style: Style) {
        self.path(&through(places), style, 2, " stroke-opacity=\".6\"");
    }

    /// Bars that stand for intervals.
    pub(super) fn bars(&mut self, bars: &[(Place, Place)], style: Style) {
        let path: String = bars.iter().map(|(from, to)| through(&[*from, *to])).collect();
        if !path.is_empty() {
            self.path(&path, style, 3, "");
        }
    }

    /// Small faint dots, each of which stands for a round.
    pub(super) fn dots(&mut self, places: &[Place], style: Style) {
        let path: String = places.iter().map(|place| format!("M{}h0", at(*place))).collect();
        if !path.is_empty() {
            self.path(&path, style, 6, " stroke-opacity=\".35\" stroke-linecap=\"round\"");
        }
    }

    /// A thin line of any colour, which does not stand between the pointer and what lies below.
    pub(super) fn thin(&mut self, places: &[Place], colour: (u8, u8, u8)) {
        if places.len() > 1 {
            let style = Style { colour, marker: Marker::Circle, dashed: false };
            self.path(&through(places), style, 2, " pointer-events=\"none\"");
        }
    }

    /// A filled rectangle with its value, if that is told; `strength` is its opacity, from 0 to 1.
    pub(super) fn rect(&mut self, from: Place, to: Place, colour: (u8, u8, u8), strength: f64, value: &str) {
        let title = match value {
            "" => String::new(),
            value => format!("<title>{}</title>", escape(value)),
        };
        let _ = write!(
            self.svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" fill-opacity=\"{strength:.2}\">{title}</rect>",
            fine(from.0),
            fine(from.1),
            fine(to.0 - from.0),
            fine(to.1 - from.1),
            hex(colour),
        );
    }

    fn path(&mut self, path: &str, style: Style, width: u32, more: &str) {
        let colour = hex(style.colour);
        let _ = write!(
            self.svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{more}/>"
        );
    }

    /// A marker with its value. A hollow one stands for a lower bound.
    pub(super) fn marker(&mut self, place: Place, style: Style, hollow: bool, value: &str) {
        let colour = hex(style.colour);
        let title = escape(value);
        let stroked = matches!(style.marker, Marker::Cross | Marker::Plus);
        let mut path = String::new();
        let corners = marker_outline(style.marker, MARKER);
        let corners: Vec<Place> = corners.iter().map(|(x, y)| (place.0 + x, place.1 + y)).collect();
        if stroked {
            corners.chunks(2).for_each(|ends| path.push_str(&through(ends)));
        } else {
            path = through(&corners) + "Z";
        }
        let look = match (stroked, hollow) {
            (true, _) => format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"4\""),
            (false, true) => format!("fill=\"{}\" stroke=\"{colour}\" stroke-width=\"3\"", hex(PAPER)),
            (false, false) => format!("fill=\"{colour}\""),
        };
        let _ = write!(self.svg, "<path d=\"{path}\" {look}><title>{title}</title></path>");
    }

    /// A label that begins at a place.
    pub(super) fn label(&mut self, place: Place, text: &str) {
        self.text(place, text, "");
    }

    /// Text around a place, through which the pointer reaches what lies below.
    pub(super) fn centred(&mut self, place: Place, text: &str) {
        self.text(place, text, " text-anchor=\"middle\" pointer-events=\"none\"");
    }

    fn text(&mut self, place: Place, text: &str, more: &str) {
        let _ = write!(
            self.svg,
            "<text{more} x=\"{}\" y=\"{}\" dy=\".35em\" font-family=\"sans-serif\" font-size=\"24\" fill=\"{}\">{}</text>",
            fine(place.0),
            fine(place.1),
            hex(INK),
            escape(text)
        );
    }

    /// The group as SVG.
    pub(super) fn finish(self) -> String {
        self.svg + "</g>"
    }
}

/// A path through places, in the units that pictures are drawn in.
fn through(places: &[Place]) -> String {
    let corners: Vec<String> = places.iter().map(|place| at(*place)).collect();
    format!("M{}", corners.join("L"))
}

fn at((x, y): Place) -> String {
    format!("{} {}", fine(x), fine(y))
}

fn fine(value: f64) -> i32 {
    (value * f64::from(FINE)).round().clamp(-1e5, 1e5) as i32
}
