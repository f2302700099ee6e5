//! What line plots share: series of medians with intervals over an axis.

use super::axis::Axis;
use super::canvas::{Frame, HEIGHT, Pen, picture};
use super::style::Style;
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::derive::Selection;
use crate::format::{rate, significant};
use crate::record::{Cell, Interval, Status};

/// One value of a series.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) interval: Interval,
    /// One value for each round.
    pub(super) rounds: Vec<f64>,
}

/// A named line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) style: Style,
    pub(super) points: Vec<Point>,
}

impl Series {
    /// The rates of cells, at places that `x` gives.
    pub(super) fn of_cells<'a>(
        name: &str,
        style: Style,
        cells: impl Iterator<Item = &'a Cell>,
        x: impl Fn(&Cell) -> f64,
    ) -> Option<Self> {
        let mut points: Vec<Point> = cells
            .filter(|cell| cell.status == Status::Ok)
            .filter_map(|cell| {
                Some(Point { x: x(cell), interval: cell.ops_per_second?, rounds: round_rates(cell) })
            })
            .collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        let series = Self { name: name.to_owned(), style, points };
        (!series.points.is_empty()).then_some(series)
    }
}

fn round_rates(cell: &Cell) -> Vec<f64> {
    Selection::of_rate(cell).iter().map(|selected| selected.window.rate()).collect()
}

/// What a line plot is made of.
pub(super) struct Lines<'a> {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) reading: &'a str,
    pub(super) x_title: &'a str,
    pub(super) x_label: fn(f64) -> String,
    pub(super) y_title: &'a str,
    pub(super) series: Vec<Series>,
    /// A value on the x axis that is marked, and the label of the mark.
    pub(super) mark: Option<(f64, String)>,
}

impl Lines<'_> {
    /// Draws the plot; with nothing to draw the figure is missing, with the reason `nothing`.
    pub(super) fn draw(self, nothing: &str) -> Result<Figure, Error> {
        let xs = self.series.iter().flat_map(|series| series.points.iter().map(|point| point.x));
        let ys = self.series.iter().flat_map(|series| &series.points).flat_map(|point| {
            [point.interval.median, point.interval.low, point.interval.high]
                .into_iter()
                .chain(point.rounds.clone())
        });
        let axes = Axis::log2(self.x_title, xs.chain(self.mark.as_ref().map(|mark| mark.0)), self.x_label)
            .zip(Axis::log10(self.y_title, ys, super::axis::trimmed));
        let Some((x, y)) = axes else { return Ok(Figure::missing(self.title, nothing)) };
        let svg = picture(&self.id, &self.title, &self.description(), HEIGHT, |pen| {
            let frame = pen.frame(x, y, None)?;
            if let Some((at, what)) = &self.mark {
                let (top, bottom) = frame.top_and_bottom();
                let (across, _) = frame.at(*at, 1.0);
                pen.mark((across, top), (across, bottom), true)?;
                let place = (across + 4.0, bottom - 8.0);
                pen.text(place, what, super::style::MUTED, plotters::style::text_anchor::HPos::Left)?;
            }
            self.series.iter().try_for_each(|series| draw_series(pen, &frame, series))
        })?;
        let legend = self.series.iter().map(|series| Key::new(&series.name, series.style, true)).collect();
        let data = self.table();
        Ok(Figure::Drawn(Plot {
            id: self.id,
            title: self.title,
            reading: self.reading.into(),
            svg,
            legend,
            open: false,
            data,
        }))
    }

    /// The description for screen readers.
    fn description(&self) -> String {
        let ends: Vec<String> = self
            .series
            .iter()
            .filter_map(|series| {
                let (first, last) = (series.points.first()?, series.points.last()?);
                let shown =
                    |point: &Point| format!("{} at {}", rate(point.interval.median), (self.x_label)(point.x));
                Some(format!("{} from {} to {}", series.name, shown(first), shown(last)))
            })
            .take(6)
            .collect();
        format!("Rate by {}: {}. The table below has every value.", self.x_title, ends.join("; "))
    }

    fn table(&self) -> Table {
        let columns = ["lock", self.x_title, "median per second", "low", "high", "rounds"];
        let rows = self.series.iter().flat_map(|series| {
            series.points.iter().map(|point| {
                vec![
                    series.name.clone(),
                    (self.x_label)(point.x),
                    significant(point.interval.median),
                    significant(point.interval.low),
                    significant(point.interval.high),
                    point.rounds.len().to_string(),
                ]
            })
        });
        Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() }
    }
}

fn draw_series(pen: &Pen<'_, '_>, frame: &Frame<'_, '_>, series: &Series) -> Result<(), Error> {
    let places: Vec<(f64, f64)> = series.points.iter().map(|p| frame.at(p.x, p.interval.median)).collect();
    pen.line(&places, series.style, 4)?;
    for (point, place) in series.points.iter().zip(&places) {
        for round in &point.rounds {
            pen.dot(frame.at(point.x, *round), series.style)?;
        }
        pen.bar(frame.at(point.x, point.interval.low), frame.at(point.x, point.interval.high), series.style)?;
        pen.marker(*place, series.style, false)?;
    }
    Ok(())
}
