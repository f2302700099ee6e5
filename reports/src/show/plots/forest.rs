//! Forest plots: a row for each figure, with a marker and an interval, and a line at the value that means no difference.

use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::{Frame, Pen, WIDTH, label_room, picture};
use super::group::Group;
use super::style::{INK, MUTED, Style, nth};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::format::{range, significant};
use crate::record::Interval;

/// A picture has at most this many lines; the table has them all.
const MOST_LINES: usize = 72;
/// Height of a line, and of each row where several share one.
const LINE: f64 = 21.0;
const ROW: f64 = 8.0;

/// One row.
pub(super) struct Row {
    /// The lock that it is of, if it is of one.
    pub(super) lock: Option<String>,
    /// Text left of the row.
    pub(super) label: String,
    /// Index of the forest's group that the row belongs to.
    pub(super) group: usize,
    pub(super) interval: Interval,
    /// Text beside the marker.
    pub(super) figure: String,
    /// The row's entries in the table.
    pub(super) details: Vec<String>,
}

impl Row {
    fn group_of_marks(&self) -> Group {
        self.lock.as_deref().map_or_else(Group::of_no_lock, Group::of_lock)
    }
}

/// What a forest plot is made of.
pub(super) struct Forest<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) reading: &'a str,
    pub(super) axis: Option<Axis>,
    /// Value at which the line is drawn.
    pub(super) line: Option<f64>,
    pub(super) groups: Vec<(String, Style)>,
    pub(super) rows: Vec<Row>,
    /// Headings of the table after label and group.
    pub(super) columns: &'a [&'a str],
    /// A table in place of the one made of the rows; it is open from the start.
    pub(super) table: Option<Table>,
}

impl Forest<'_> {
    pub(super) fn draw(self, nothing: &str) -> Result<Figure, Error> {
        let Some(axis) = self.axis.clone().filter(|_| !self.rows.is_empty()) else {
            return Ok(Figure::missing(self.title, nothing));
        };
        let lines = self.lines();
        let most = lines.iter().map(|line| line.len()).max().unwrap_or(1);
        let tall = LINE.max((most + 1) as f64 * ROW);
        let left_out = match self.rows.len() - lines.iter().map(|line| line.len()).sum::<usize>() {
            0 => String::new(),
            more => format!(" {more} more are in the table."),
        };
        let height = 26 + 40 + (lines.len() as f64 * tall) as u32 + 6;
        let labels = lines.iter().map(|line| line[0].label.chars().count().min(24)).max().unwrap_or(0);
        // Figures stand beside markers only where each row has a line of its own; the table has them all.
        let figures = lines.iter().all(|line| line.len() == 1);
        let left = label_room(labels);
        let svg = picture(self.id, self.title, &self.description(), height, |pen| {
            let y = Axis::with_ticks("", 0.0..lines.len() as f64, Vec::new());
            let frame = pen.rows(axis, y, left)?;
            let (top, bottom) = frame.top_and_bottom();
            if let Some(at) = self.line {
                let (across, _) = frame.at(at, 0.0);
                pen.mark((across, top), (across, bottom), false)?;
            }
            for (index, line) in lines.iter().enumerate() {
                let (_, middle) = frame.at(0.0, lines.len() as f64 - index as f64 - 0.5);
                let label: String = line[0].label.chars().take(24).collect();
                pen.text((f64::from(left) - 2.0, middle), &label, INK, HPos::Right)?;
                let mut group = line[0].group_of_marks();
                for (place, row) in line.iter().enumerate() {
                    let down = (place as f64 - (line.len() - 1) as f64 / 2.0) * ROW;
                    self.draw_row(pen, &mut group, &frame, row, middle + down, figures)?;
                }
                pen.add(group);
            }
            Ok(())
        })?;
        Ok(Figure::Drawn(Plot {
            id: self.id.into(),
            title: self.title.into(),
            reading: self.reading.to_owned() + &left_out,
            svg,
            env: None,
            linear: None,
            legend: self.groups.iter().map(|(name, style)| Key::new(name, *style, false)).collect(),
            open: self.table.is_some(),
            data: self.table(),
        }))
    }

    /// Successive rows with the same label share a line.
    fn lines(&self) -> Vec<&[Row]> {
        self.rows
            .chunk_by(|one, next| one.label == next.label && one.group != next.group)
            .take(MOST_LINES)
            .collect()
    }

    fn draw_row(
        &self,
        pen: &Pen<'_, '_>,
        group: &mut Group,
        frame: &Frame<'_, '_>,
        row: &Row,
        y: f64,
        figure: bool,
    ) -> Result<(), Error> {
        let of = self.groups.get(row.group);
        let style = of.map_or_else(|| nth(0), |of| of.1);
        let across = |value: f64| (frame.at(value, 0.0).0, y);
        let (low, high) = (across(row.interval.low), across(row.interval.high));
        group.bars(&[(low, high)], style);
        let name = of.map_or("", |of| of.0.as_str());
        let interval = range(row.interval, significant);
        let told = format!("{}, {name}: {} ({interval})", row.label, row.figure);
        group.marker(across(row.interval.median), style, false, &told);
        if !figure {
            return Ok(());
        }
        // The figure stands on the side of the interval that has room, or is left to the table.
        let long = 8.0 + 6.2 * row.figure.chars().count() as f64;
        if high.0 + long <= f64::from(WIDTH) - 4.0 {
            pen.text((high.0 + 9.0, y), &row.figure, MUTED, HPos::Left)
        } else if low.0 - long >= across(f64::MIN_POSITIVE).0 {
            pen.text((low.0 - 9.0, y), &row.figure, MUTED, HPos::Right)
        } else {
            Ok(())
        }
    }

    fn description(&self) -> String {
        let told: Vec<String> =
            self.rows.iter().take(6).map(|row| format!("{} {}", row.label, row.figure)).collect();
        format!(
            "{} figures with intervals, among them {}. The table below has every value.",
            self.rows.len(),
            told.join("; ")
        )
    }

    fn table(&self) -> Table {
        if let Some(table) = &self.table {
            return table.clone();
        }
        let mut columns = vec!["row".to_owned(), "group".to_owned()];
        columns.extend(self.columns.iter().map(|&column| column.to_owned()));
        let rows = self.rows.iter().map(|row| {
            let group = self.groups.get(row.group).map(|group| group.0.clone()).unwrap_or_default();
            let mut entries = vec![row.label.clone(), group];
            entries.extend(row.details.iter().cloned());
            entries
        });
        Table { columns, rows: rows.collect() }
    }
}
