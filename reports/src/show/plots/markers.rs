//! Rows of markers on one axis, as in the plots of counters.

use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::{label_room, picture};
use super::dodge::aside;
use super::group::{Group, MARKER};
use super::style::{INK, Style};
use crate::Error;

const ROW: u32 = 22;
/// How far markers of nearly the same value move up or down in their row.
const ROOM: f64 = 7.0;
/// Letters of a row's label.
const MOST_LETTERS: usize = 24;

/// A marker in a row.
pub(super) struct Mark {
    /// The lock that it is of.
    pub(super) lock: String,
    pub(super) value: f64,
    pub(super) style: Style,
    /// What it tells under the pointer.
    pub(super) told: String,
}

/// Draws rows from the top down, each with its label.
pub(super) fn rows(
    id: &str,
    title: &str,
    description: &str,
    x: Axis,
    rows: &[(String, Vec<Mark>)],
) -> Result<String, Error> {
    let labels = rows.iter().map(|row| row.0.chars().count().min(MOST_LETTERS));
    let left = label_room(labels.max().unwrap_or(0));
    let count = rows.len() as f64;
    picture(id, title, description, 72 + rows.len() as u32 * ROW, |pen| {
        let frame = pen.rows(x, Axis::with_ticks("", 0.0..count, Vec::new()), left)?;
        for (index, (label, marks)) in rows.iter().enumerate() {
            let places: Vec<(f64, f64)> =
                marks.iter().map(|mark| frame.at(mark.value, count - index as f64 - 0.5)).collect();
            let (_, middle) = frame.at(1.0, count - index as f64 - 0.5);
            let label: String = label.chars().take(MOST_LETTERS).collect();
            pen.text((f64::from(left) - 2.0, middle), &label, INK, HPos::Right)?;
            let across: Vec<f64> = places.iter().map(|place| place.0).collect();
            for ((mark, place), down) in marks.iter().zip(places).zip(aside(&across, 2.0 * MARKER, ROOM)) {
                let mut group = Group::of_lock(&mark.lock);
                group.marker((place.0, place.1 + down), mark.style, false, &mark.told);
                pen.add(group);
            }
        }
        Ok(())
    })
}
