//! What line plots share: series of medians with intervals over an axis.

use super::axis::Axis;
use super::canvas::{Frame, HEIGHT, picture};
use super::dodge::spread;
use super::group::{Group, Place};
use super::labels::{self, Label};
use super::style::Style;
use super::{Figure, Plot, Table};
use crate::Error;
use crate::derive::Selection;
use crate::format::{counted, range, rate, significant};
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
    pub(super) lock: String,
    /// The label of its line: the lock, or more where a plot has several lines of one.
    pub(super) name: String,
    pub(super) style: Style,
    pub(super) points: Vec<Point>,
}

impl Series {
    /// The rates of a lock's cells, at places that `x` gives.
    pub(super) fn of_cells<'a>(
        lock: &str,
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
        let series = Self { lock: lock.to_owned(), name: lock.to_owned(), style, points };
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
    /// The environment that all its cells are of, if they are of one.
    pub(super) env: Option<String>,
    pub(super) reading: &'a str,
    pub(super) x_title: &'a str,
    pub(super) x_label: fn(f64) -> String,
    /// What the y axis shows, without its scale.
    pub(super) y_title: &'a str,
    pub(super) series: Vec<Series>,
    /// A value on the x axis that is marked.
    pub(super) mark: Option<f64>,
}

impl Lines<'_> {
    /// Draws the plot; with nothing to draw the figure is missing, with the reason `nothing`.
    pub(super) fn draw(self, nothing: &str) -> Result<Figure, Error> {
        let xs = self.series.iter().flat_map(|series| series.points.iter().map(|point| point.x));
        let ys: Vec<f64> = self.series.iter().flat_map(|series| &series.points).flat_map(values).collect();
        let titled = |scale: &str| format!("{} ({scale} scale)", self.y_title);
        let x = Axis::log2(self.x_title, xs.chain(self.mark), self.x_label);
        let y = Axis::log10(&titled("log"), ys.iter().copied(), super::axis::trimmed);
        let even = Axis::from_zero(&titled("linear"), ys);
        let Some(((x, y), even)) = x.zip(y).zip(even) else {
            return Ok(Figure::missing(self.title, nothing));
        };
        let svg = self.view(&self.id, x.clone(), y)?;
        let linear = self.view(&format!("{}-linear", self.id), x, even)?;
        let data = self.table();
        Ok(Figure::Drawn(Plot {
            id: self.id,
            title: self.title,
            env: self.env,
            reading: self.reading.into(),
            svg,
            linear: Some(linear),
            legend: Vec::new(),
            open: false,
            data,
        }))
    }

    fn view(&self, id: &str, x: Axis, y: Axis) -> Result<String, Error> {
        let room = labels::room(self.series.iter().map(|series| series.name.as_str()));
        let height = labels::height(self.series.len(), HEIGHT);
        picture(id, &self.title, &self.description(), height, |pen| {
            let frame = pen.labelled(x, y, room)?;
            if let Some(at) = self.mark {
                let (top, bottom) = frame.top_and_bottom();
                let (across, _) = frame.at(at, 1.0);
                pen.mark((across, top), (across, bottom), true)?;
            }
            let places = self.places(&frame);
            let mut groups: Vec<Group> = Vec::new();
            for (series, places) in self.series.iter().zip(&places) {
                groups.push(self.group(&frame, series, places));
            }
            let ends: Vec<Option<Label>> = self
                .series
                .iter()
                .zip(&places)
                .map(|(series, places)| {
                    let (text, style) = (series.name.clone(), series.style);
                    Some(Label { text, end: *places.last()?, style })
                })
                .collect();
            labels::add(&frame, &mut groups, &ends);
            groups.into_iter().for_each(|group| pen.add(group));
            Ok(())
        })
    }

    /// Where each series' medians are drawn; medians that would lie on one another stand side by side.
    fn places(&self, frame: &Frame<'_, '_>) -> Vec<Vec<Place>> {
        let at = |point: &Point| frame.at(point.x, point.interval.median);
        let mut places: Vec<Vec<Place>> =
            self.series.iter().map(|series| series.points.iter().map(at).collect()).collect();
        spread(&mut places);
        places
    }

    fn group(&self, frame: &Frame<'_, '_>, series: &Series, places: &[Place]) -> Group {
        let mut group = Group::of_lock(&series.lock);
        group.line(places, series.style);
        let down = |place: &Place, value: f64| (place.0, frame.at(1.0, value).1);
        let rounds = series.points.iter().zip(places);
        let dots: Vec<Place> = rounds
            .clone()
            .flat_map(|(point, place)| point.rounds.iter().map(move |round| down(place, *round)))
            .collect();
        group.dots(&dots, series.style);
        let bars: Vec<(Place, Place)> = rounds
            .map(|(point, place)| (down(place, point.interval.low), down(place, point.interval.high)))
            .collect();
        group.bars(&bars, series.style);
        for (point, place) in series.points.iter().zip(places) {
            let value = format!(
                "{}, {}: {} ({}), {}",
                series.name,
                (self.x_label)(point.x),
                rate(point.interval.median),
                range(point.interval, rate),
                counted(point.rounds.len(), "round")
            );
            group.marker(*place, series.style, false, &value);
        }
        group
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

/// Every value that the y axis must have room for.
fn values(point: &Point) -> impl Iterator<Item = f64> {
    let Interval { median, low, high } = point.interval;
    [median, low, high].into_iter().chain(point.rounds.iter().copied())
}
