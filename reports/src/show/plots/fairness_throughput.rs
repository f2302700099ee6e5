//! Fairness against throughput: whether a lock is fast at the price of fairness.

use super::axis::{Axis, trimmed};
use super::canvas::{HEIGHT, picture};
use super::fairness::contested;
use super::style::{Looks, Style};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::format::{overcommit, range, rate, significant};
use crate::record::{Cell, Interval, Results, Status};

const TITLE: &str = "Fairness against throughput";
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
    let y = Axis::with_ticks("Jain's index (1 is fair)", 0.0..1.05, ticks);
    let title = format!("{TITLE}, {}, {}", setting.axes().env, overcommit(k));
    let told: Vec<String> = points
        .iter()
        .take(6)
        .map(|p| format!("{} {} at {}", p.0.axes.lock, significant(p.3), rate(p.2.median)))
        .collect();
    let description =
        format!("Jain's index and rate by lock: {}. The table below has every value.", told.join("; "));
    let svg = picture("fairness-throughput", &title, &description, HEIGHT, |pen| {
        let frame = pen.frame(x, y, None)?;
        for (_, style, ops, jain) in &points {
            pen.bar(frame.at(ops.low, *jain), frame.at(ops.high, *jain), *style)?;
            pen.marker(frame.at(ops.median, *jain), *style, false)?;
        }
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
        reading: "The upper right corner is both fast and fair. A lock far right and low is fast because it lets the \
                  vCPU that runs take it again while the others wait."
            .into(),
        svg,
        legend: points.iter().map(|(cell, style, ..)| Key::new(&cell.axes.lock, *style, false)).collect(),
        open: false,
        data: Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() },
    }))
}
