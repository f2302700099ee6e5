//! Areas that differ by pattern as well as by colour.

use super::Key;
use super::canvas::Pen;
use super::group::{Group, Place};
use crate::Error;

/// How an area is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// Filled with the colour.
    Solid,
    /// Lines that rise to the right, on a tint.
    Rising,
    /// Lines that fall to the right, on a tint.
    Falling,
    /// Upright lines, on a tint.
    Upright,
    /// A tint only.
    Tint,
}

/// A colour and a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) colour: (u8, u8, u8),
    pub(super) fill: Fill,
}

/// Opacity of a tint.
const TINT: f64 = 0.28;
/// Distance between two lines of a pattern.
const STEP: f64 = 7.0;

impl Area {
    /// Fills a rectangle, given by its upper left and lower right corner.
    pub(super) fn draw(self, pen: &Pen<'_, '_>, from: (f64, f64), to: (f64, f64)) -> Result<(), Error> {
        let strength = if self.fill == Fill::Solid { 1.0 } else { TINT };
        pen.rect(from, to, self.colour, strength)?;
        pen.thin(&self.lines(from, to, STEP), self.colour)
    }

    /// Fills a rectangle in a group of marks, and tells its value under the pointer.
    pub(super) fn mark(self, group: &mut Group, from: Place, to: Place, told: &str) {
        let strength = if self.fill == Fill::Solid { 1.0 } else { TINT };
        group.rect(from, to, self.colour, strength, told);
        group.thin(&self.lines(from, to, STEP), self.colour);
    }

    /// The area's entry in a legend.
    pub(super) fn key(self, name: &str) -> Key {
        let (r, g, b) = self.colour;
        let colour = format!("#{r:02X}{g:02X}{b:02X}");
        let strength = if self.fill == Fill::Solid { 1.0 } else { TINT };
        let lines: Vec<String> =
            self.lines((1.0, 1.0), (29.0, 13.0), 6.0).iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let path = if lines.is_empty() { String::new() } else { format!("M{}", lines.join("L")) };
        Key {
            swatch: format!(
                "<svg class=\"swatch\" viewBox=\"0 0 30 14\" width=\"30\" height=\"14\" aria-hidden=\"true\">\
                 <rect x=\"1\" y=\"1\" width=\"28\" height=\"12\" fill=\"{colour}\" fill-opacity=\"{strength}\"/>\
                 <path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"1\"/></svg>"
            ),
            name: name.into(),
            lock: false,
        }
    }

    /// All lines of the pattern as one path, which runs up one line and down the next.
    fn lines(self, from: (f64, f64), to: (f64, f64), step: f64) -> Vec<(f64, f64)> {
        let (width, height) = (to.0 - from.0, to.1 - from.1);
        let lean = match self.fill {
            Fill::Solid | Fill::Tint => return Vec::new(),
            Fill::Upright => 0.0,
            Fill::Rising | Fill::Falling => height,
        };
        if width < 1.0 || height < 1.0 {
            return Vec::new();
        }
        let count = (((width + lean) / step) as usize).min(2_000);
        let mut line = Vec::with_capacity(2 * count);
        for index in 1..=count {
            let at = index as f64 * step;
            // The ends of the line at the bottom and at the top, both cut to the rectangle.
            let (low, high) = (at.min(width), (at - lean).max(0.0));
            let slant = |across: f64| if lean > 0.0 { (at - across) / lean * height } else { 0.0 };
            let bottom = (low, if lean > 0.0 { slant(low) } else { 0.0 });
            let top = (high, if lean > 0.0 { slant(high) } else { height });
            let ends = if index % 2 == 0 { [bottom, top] } else { [top, bottom] };
            line.extend(ends.map(|(x, up)| (from.0 + x, to.1 - up)));
        }
        if self.fill == Fill::Rising {
            // Rising lines are the mirror image of falling ones.
            line.iter_mut().for_each(|place: &mut (f64, f64)| place.0 = from.0 + to.0 - place.0);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::{Area, Fill};

    #[test]
    fn lines_stay_inside() {
        for fill in [Fill::Rising, Fill::Falling, Fill::Upright] {
            let lines = Area { colour: (0, 0, 0), fill }.lines((10.0, 20.0), (60.0, 34.0), 7.0);
            assert!(lines.len() > 10, "{fill:?}");
            for (x, y) in lines {
                assert!((10.0..=60.0).contains(&x) && (20.0..=34.0).contains(&y), "{fill:?} {x} {y}");
            }
        }
        assert!(Area { colour: (0, 0, 0), fill: Fill::Rising }.lines((0.0, 0.0), (0.5, 9.0), 7.0).is_empty());
    }
}
