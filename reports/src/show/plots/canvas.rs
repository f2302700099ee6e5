//! The plotters canvas: a picture with axes, drawn at twice its size because plotters rounds to whole pixels.

use std::cell::RefCell;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::dash::dashes;
use super::group::Group;
use super::style::{GRID, INK, MUTED, Marker};
use crate::Error;
use crate::format::printable;

/// Width of a picture in its own units, which are CSS pixels at full size. It is small, so that the text can still be read on a
/// phone.
pub(super) const WIDTH: u32 = 460;
/// Height of most pictures.
pub(super) const HEIGHT: u32 = 300;
/// Units of the drawing in one of the picture.
pub(super) const FINE: i32 = 2;
/// plotters divides every font size by this.
const FONT: f64 = 1.24;
const TEXT: f64 = 12.0;
/// Room right of a frame, where half a tick label may stand.
const RIGHT: u32 = 22;
/// Length of a dash and of the gap behind it.
const DASH: (f64, f64) = (6.0, 4.0);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Room left of a frame for row labels of this many letters, at the size that phones show.
pub(super) fn label_room(letters: usize) -> u32 {
    12 + letters as u32 * 8
}

/// Draws a picture and wraps it with a title and a description for screen readers.
pub(super) fn picture(
    id: &str,
    title: &str,
    description: &str,
    height: u32,
    draw: impl FnOnce(&Pen<'_, '_>) -> Result<(), Error>,
) -> Result<String, Error> {
    let mut svg = String::new();
    let groups;
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH * FINE as u32, height * FINE as u32))
            .into_drawing_area();
        let pen = Pen { area: &area, groups: RefCell::default() };
        draw(&pen)?;
        groups = pen.groups.take();
        area.present().map_err(failed)?;
    }
    let body = inside(&svg).to_owned() + &groups;
    Ok(wrap(id, title, description, WIDTH, height, FINE as u32, &body))
}

/// An `svg` element that scales with the page, named by its title.
pub(super) fn wrap(
    id: &str,
    title: &str,
    description: &str,
    width: u32,
    height: u32,
    fine: u32,
    body: &str,
) -> String {
    let (id, title, description) = (escape(id), escape(title), escape(description));
    format!(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" xmlns=\"http://www.w3.org/2000/svg\">\
         <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>{body}</svg>",
        width * fine,
        height * fine
    )
}

/// Text escaped for SVG and HTML.
pub(super) fn escape(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// The content between the outer tags that plotters writes.
fn inside(svg: &str) -> &str {
    let start = svg.find('>').map_or(0, |at| at + 1);
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    svg[start..end.max(start)].trim()
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Page(format!("a plot could not be drawn: {error}"))
}

fn rgb((r, g, b): (u8, u8, u8)) -> RGBColor {
    RGBColor(r, g, b)
}

/// Draws in the picture's own units.
pub(super) struct Pen<'p, 'a> {
    area: &'p Area<'a>,
    /// Groups of marks as SVG, which plotters cannot write.
    groups: RefCell<String>,
}

/// A plot's frame, which turns values into places.
pub(super) struct Frame<'c, 'a> {
    chart: Chart<'c, 'a>,
    x: Axis,
    y: Axis,
}

impl Frame<'_, '_> {
    /// The place of a pair of values, in the picture's own units.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (px, py) = self.chart.backend_coord(&(self.x.place(x), self.y.place(y)));
        (f64::from(px) / f64::from(FINE), f64::from(py) / f64::from(FINE))
    }

    /// The right end of the frame, in the picture's own units.
    pub(super) fn right(&self) -> f64 {
        let (columns, _) = self.chart.plotting_area().get_pixel_range();
        f64::from(columns.end) / f64::from(FINE)
    }

    /// Top and bottom of the frame, in the picture's own units.
    pub(super) fn top_and_bottom(&self) -> (f64, f64) {
        let (_, rows) = self.chart.plotting_area().get_pixel_range();
        (f64::from(rows.start) / f64::from(FINE), f64::from(rows.end) / f64::from(FINE))
    }
}

impl<'p, 'a> Pen<'p, 'a> {
    /// Draws axes, grid and titles, with room for the labels of rows left of the frame.
    pub(super) fn rows(&self, x: Axis, y: Axis, left: u32) -> Result<Frame<'p, 'a>, Error> {
        self.frame(x, y, left, RIGHT)
    }

    /// Draws axes, grid and titles, with room for the labels of lines right of the frame.
    pub(super) fn labelled(&self, x: Axis, y: Axis, right: u32) -> Result<Frame<'p, 'a>, Error> {
        let left = 14 + 7 * y.longest_label() as u32;
        self.frame(x, y, left, right.max(RIGHT))
    }

    fn frame(&self, x: Axis, y: Axis, left: u32, right: u32) -> Result<Frame<'p, 'a>, Error> {
        let mut chart = ChartBuilder::on(self.area)
            .margin_top(26 * FINE)
            .margin_right(right as i32 * FINE)
            .margin_bottom(20 * FINE)
            .margin_left(2 * FINE)
            .x_label_area_size(20 * FINE)
            .y_label_area_size(left as i32 * FINE)
            .build_cartesian_2d(x.clone(), y.clone())
            .map_err(failed)?;
        let label = font(TEXT, INK);
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(rgb(GRID).stroke_width(FINE as u32))
            .axis_style(rgb(MUTED).stroke_width(FINE as u32))
            .label_style(label)
            .x_labels(64)
            .y_labels(64)
            .draw()
            .map_err(failed)?;
        let (columns, rows) = chart.plotting_area().get_pixel_range();
        let centre = f64::from(columns.start + columns.end) / 2.0 / f64::from(FINE);
        let height = f64::from(rows.end) / f64::from(FINE) + 31.0;
        self.text((centre, height), &x.title, MUTED, HPos::Center)?;
        self.text((4.0, 11.0), &y.title, MUTED, HPos::Left)?;
        Ok(Frame { chart, x, y })
    }

    /// Adds a group of marks, which lies over everything that was drawn before or is drawn later.
    pub(super) fn add(&self, group: Group) {
        self.groups.borrow_mut().push_str(&group.finish());
    }

    fn line(&self, places: &[(f64, f64)], colour: (u8, u8, u8), dashed: bool) -> Result<(), Error> {
        if places.len() < 2 {
            return Ok(());
        }
        let stroke = rgb(colour).stroke_width(FINE as u32);
        let pieces = if dashed { dashes(places, DASH.0, DASH.1) } else { vec![places.to_vec()] };
        for piece in pieces {
            let pixels: Vec<(i32, i32)> = piece.into_iter().map(pixel).collect();
            self.area.draw(&PathElement::new(pixels, stroke)).map_err(failed)?;
        }
        Ok(())
    }

    /// Draws a thin muted line, to mark a value that means something.
    pub(super) fn mark(&self, from: (f64, f64), to: (f64, f64), dashed: bool) -> Result<(), Error> {
        self.line(&[from, to], MUTED, dashed)
    }

    /// Draws a filled rectangle between two corners; `strength` is its opacity, from 0 to 1.
    pub(super) fn rect(
        &self,
        from: (f64, f64),
        to: (f64, f64),
        colour: (u8, u8, u8),
        strength: f64,
    ) -> Result<(), Error> {
        let fill = rgb(colour).mix(strength).filled();
        self.area.draw(&Rectangle::new([pixel(from), pixel(to)], fill)).map_err(failed)
    }

    /// Draws a thin plain line of any colour.
    pub(super) fn thin(&self, places: &[(f64, f64)], colour: (u8, u8, u8)) -> Result<(), Error> {
        self.line(places, colour, false)
    }

    /// Draws text, vertically centred on its place.
    pub(super) fn text(
        &self,
        place: (f64, f64),
        text: &str,
        colour: (u8, u8, u8),
        to: HPos,
    ) -> Result<(), Error> {
        let style = font(TEXT, colour).pos(Pos::new(to, VPos::Center));
        self.area.draw(&Text::new(printable(text), pixel(place), style)).map_err(failed)
    }
}

fn font(size: f64, colour: (u8, u8, u8)) -> TextStyle<'static> {
    let (r, g, b) = colour;
    let font: FontDesc<'static> = ("sans-serif", size * FONT * f64::from(FINE)).into_font();
    let mut style = TextStyle::from(font);
    style.color = RGBColor(r, g, b).to_backend_color();
    style
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    let fine = |value: f64| (value * f64::from(FINE)).round().clamp(-1e5, 1e5) as i32;
    (fine(x), fine(y))
}

/// Corners of a marker around its centre; for crosses, the ends of each stroke in pairs.
pub(super) fn marker_outline(marker: Marker, size: f64) -> Vec<(f64, f64)> {
    let s = size;
    match marker {
        Marker::Circle => (0..12)
            .map(|i| f64::from(i) * std::f64::consts::TAU / 12.0)
            .map(|a| (s * a.cos(), s * a.sin()))
            .collect(),
        Marker::Square => [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
            .map(|(x, y)| (x * s * 0.9, y * s * 0.9))
            .into(),
        Marker::Triangle => vec![(0.0, -s * 1.15), (s * 1.1, s * 0.8), (-s * 1.1, s * 0.8)],
        Marker::Down => vec![(0.0, s * 1.15), (s * 1.1, -s * 0.8), (-s * 1.1, -s * 0.8)],
        Marker::Diamond => vec![(0.0, -s * 1.25), (s * 1.25, 0.0), (0.0, s * 1.25), (-s * 1.25, 0.0)],
        Marker::Cross => vec![(-s, -s), (s, s), (-s, s), (s, -s)],
        Marker::Plus => vec![(-s * 1.2, 0.0), (s * 1.2, 0.0), (0.0, -s * 1.2), (0.0, s * 1.2)],
    }
}
