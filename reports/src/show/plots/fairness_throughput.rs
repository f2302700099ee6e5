//! Fairness against throughput: whether a lock is fast at the price of fairness.

use super::axis::{Axis, trimmed};
use super::canvas::{Frame, HEIGHT, picture};
use super::dodge::aside;
use super::fairness::contested;
use super::group::{Group, MARKER, Place};
use super::labels::{self, Label};
use super::style::{Looks, Style};
use super::{Figure, Plot, Table};
use crate::Error;
use crate::format::{overcommit, range, rate, significant};
use crate::record::{Cell, Interval, Results, Status};

const TITLE: &str = "Fairness against throughput";
/// How far points may move up or down.
const ROOM: f64 = 20.0;
const NOTHING: &str = "No lock has both a rate and a fairness.";

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let Some((setting, k)) = contested(results) else { return Ok(Figure::missing(TITLE, NOTHING)) };
    let locks = setting.locks();
    let looks = Looks::of(results);
    let points: Vec<(&Cell, Style, Interval, f64)> = locks
        .iter()
        .filter_map(|lock| {
            let cell = setting.at(lock, k).filter(|cell| cell.status == Status::Ok)?;
            Some((cell, looks.lock(lock), cell.ops_per_second?, cell.fairness.jain?))
        })
        .collect();
    let rates = points.iter().flat_map(|(_, _, ops, _)| [ops.low, ops.median, ops.high]);
    let Some(x) = Axis::log10("acquisitions per second (log scale)", rates, trimmed) else {
        return Ok(Figure::missing(TITLE, NOTHING));
    };
    let ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|tick| (tick, trimmed(tick))).to_vec();
    let y = Axis::with_ticks("Jain's index (1 is fair)", 0.0..1.15, ticks);
    let title = format!("{TITLE}, {}, {}", setting.axes().told_env(), overcommit(k));
    let told: Vec<String> = points
        .iter()
        .take(6)
        .map(|p| format!("{} {} at {}", p.0.axes.lock, significant(p.3), rate(p.2.median)))
        .collect();
    let description =
        format!("Jain's index and rate by lock: {}. The table below has every value.", told.join("; "));
    let room = labels::room(points.iter().map(|point| point.0.axes.lock.as_str()));
    let height = labels::height(points.len(), HEIGHT);
    let svg = picture("fairness-throughput", &title, &description, height, |pen| {
        let frame = pen.labelled(x, y, room)?;
        let (mut groups, mut ends) = (Vec::new(), Vec::new());
        for ((cell, style, ops, jain), down) in points.iter().zip(down(&frame, &points)) {
            let lock = &cell.axes.lock;
            let place = |rate: f64| {
                let (across, height) = frame.at(rate, *jain);
                (across, height + down)
            };
            let mut group = Group::of_lock(lock);
            group.bars(&[(place(ops.low), place(ops.high))], *style);
            let told =
                format!("{lock}: {} ({}), Jain {}", rate(ops.median), range(*ops, rate), significant(*jain));
            group.marker(place(ops.median), *style, false, &told);
            groups.push(group);
            ends.push(Some(Label { text: lock.clone(), end: place(ops.median), style: *style }));
        }
        labels::add(&frame, &mut groups, &ends);
        groups.into_iter().for_each(|group| pen.add(group));
        Ok(())
    })?;
    let columns = ["lock", "median rate", "interval", "Jain", "largest share", "smallest share"];
    let share = |share: Option<f64>| share.map_or_else(|| "–".into(), significant);
    let rows = points.iter().map(|(cell, _, ops, jain)| {
        vec![
            cell.axes.lock.clone(),
            rate(ops.median),
            range(*ops, rate),
            significant(*jain),
            share(cell.fairness.max_share),
            share(cell.fairness.min_share),
        ]
    });
    Ok(Figure::Drawn(Plot {
        id: "fairness-throughput".into(),
        title,
        env: Some(setting.axes().env.clone()),
        reading: "The upper right corner is both fast and fair. A lock far right and low is fast because it lets the \
                  vCPU that runs take it again while the others wait."
            .into(),
        svg,
        linear: None,
        legend: Vec::new(),
        open: false,
        data: Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() },
    }))
}

/// How far each point moves down, so that points of equal fairness and nearly equal rates do not lie on one another.
fn down(frame: &Frame<'_, '_>, points: &[(&Cell, Style, Interval, f64)]) -> Vec<f64> {
    let places: Vec<Place> = points.iter().map(|point| frame.at(point.2.median, point.3)).collect();
    let mut down = vec![0.0; places.len()];
    // Rows of points that are no more than a marker apart, from the top down.
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].1.total_cmp(&places[*b].1));
    for row in order.chunk_by(|one, next| places[*next].1 - places[*one].1 < 2.0 * MARKER) {
        let across: Vec<f64> = row.iter().map(|index| places[*index].0).collect();
        row.iter().zip(aside(&across, 2.0 * MARKER, ROOM)).for_each(|(index, shift)| down[*index] = shift);
    }
    down
}
