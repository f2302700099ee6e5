//! Forest plots: a row for each figure, a marker with its interval, and a line at what would be no difference.

use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::picture;
use super::style::{INK, MUTED, Style};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::record::Interval;

/// Rows beyond this make no picture any more; the table has them all.
const MOST_ROWS: usize = 48;
const ROW: f64 = 19.0;

/// One row.
pub(super) struct Row {
    /// What stands left of it.
    pub(super) label: String,
    /// Which of the forest's groups it belongs to.
    pub(super) group: usize,
    pub(super) interval: Interval,
    /// What stands right of it, and in the table.
    pub(super) figure: String,
    /// What more the table has of it.
    pub(super) details: Vec<String>,
}

/// What a forest plot is made of.
pub(super) struct Forest<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) reading: &'a str,
    pub(super) axis: Option<Axis>,
    /// Value of the line.
    pub(super) line: Option<f64>,
    pub(super) groups: Vec<(String, Style)>,
    pub(super) rows: Vec<Row>,
    /// Headings of the table after label and group.
    pub(super) columns: &'a [&'a str],
}

impl Forest<'_> {
    pub(super) fn draw(self, nothing: &str) -> Result<Figure, Error> {
        let Some(axis) = self.axis.clone().filter(|_| !self.rows.is_empty()) else {
            return Ok(Figure::missing(self.title, nothing));
        };
        let rows = &self.rows[..self.rows.len().min(MOST_ROWS)];
        let height = 26 + 40 + (rows.len() as f64 * ROW) as u32 + 6;
        let labels = rows.iter().map(|row| row.label.chars().count().min(24)).max().unwrap_or(0) as u32;
        let left = 12 + labels * 13 / 2;
        let svg = picture(self.id, self.title, &self.description(), height, |pen| {
            let y = Axis::with_ticks("", 0.0..rows.len() as f64, Vec::new());
            let frame = pen.frame(axis, y, Some(left))?;
            let (top, bottom) = frame.top_and_bottom();
            if let Some(line) = self.line {
                let (across, _) = frame.at(line, 0.0);
                pen.mark((across, top), (across, bottom), false)?;
            }
            for (index, row) in rows.iter().enumerate() {
                let height = rows.len() as f64 - index as f64 - 0.5;
                let style = self.groups.get(row.group).map_or_else(|| super::style::nth(0), |group| group.1);
                let (low, high) = (frame.at(row.interval.low, height), frame.at(row.interval.high, height));
                let place = frame.at(row.interval.median, height);
                let label: String = row.label.chars().take(24).collect();
                pen.text((f64::from(left) - 2.0, place.1), &label, INK, HPos::Right)?;
                pen.bar(low, high, style)?;
                pen.marker(place, style, false)?;
                // Beside the interval, on whichever side has room.
                let room_right = high.0 + 8.0 + 6.2 * row.figure.chars().count() as f64 <= 456.0;
                let (x, to) =
                    if room_right { (high.0 + 8.0, HPos::Left) } else { (low.0 - 8.0, HPos::Right) };
                pen.text((x, place.1), &row.figure, MUTED, to)?;
            }
            Ok(())
        })?;
        Ok(Figure::Drawn(Plot {
            id: self.id.into(),
            title: self.title.into(),
            reading: self.reading.into(),
            svg,
            legend: self.groups.iter().map(|(name, style)| Key::new(name, *style, false)).collect(),
            data: self.table(),
        }))
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
