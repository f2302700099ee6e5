//! Where a lock's time goes: five parts that together are the window.

use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::{label_room, picture};
use super::group::Group;
use super::hatch::{Area, Fill};
use super::style::{COLOURS, INK, MUTED};
use super::traced::{Traced, by_environment, untold};
use super::{Figure, Plot, Table};
use crate::Error;
use crate::format::{percent, significant};
use crate::record::{Cell, CellCauses, Results, TimeShares};

const TITLE: &str = "Where a lock's time goes";
const ROW: u32 = 24;
const PARTS: [(&str, Area); 5] = [
    ("held usefully", Area { colour: COLOURS[2], fill: Fill::Solid }),
    ("held, holder preempted", Area { colour: COLOURS[4], fill: Fill::Upright }),
    ("granted, new holder not running", Area { colour: COLOURS[0], fill: Fill::Rising }),
    ("free though somebody waits", Area { colour: COLOURS[5], fill: Fill::Falling }),
    ("nobody wants it", Area { colour: MUTED, fill: Fill::Tint }),
];

/// Which parts are known only where preemptions could be counted.
const NEED_PREEMPTIONS: [bool; 5] = [false, true, true, false, false];

/// The five parts in the order of [`PARTS`]. Where preemptions are not known (`told` is false) all time in which the lock was held
/// counts as held usefully, and all time in which it was granted counts as free.
fn parts(time: &TimeShares, told: bool) -> [f64; 5] {
    if told {
        [time.held, time.held_off, time.granted_off, time.free, time.idle]
    } else {
        [time.held + time.held_off, 0.0, 0.0, time.granted_off + time.free, time.idle]
    }
}

/// A plot for each environment that was traced.
pub(super) fn plots(results: &Results) -> Result<Vec<Figure>, Error> {
    let drawn: Result<Vec<Option<Figure>>, Error> =
        by_environment(results).iter().map(|traced| of_environment(results, traced)).collect();
    let drawn: Vec<Figure> = drawn?.into_iter().flatten().collect();
    if drawn.is_empty() {
        return Ok(vec![Figure::missing(TITLE, "No windows were traced.")]);
    }
    Ok(drawn)
}

fn of_environment(results: &Results, traced: &Traced<'_>) -> Result<Option<Figure>, Error> {
    let locks: Vec<(&Cell, &CellCauses, TimeShares)> = traced
        .locks
        .iter()
        .filter_map(|(cell, causes)| Some((*cell, *causes, causes.time?)))
        .take(40)
        .collect();
    let title = format!("{TITLE}, {}", traced.place());
    let why = untold(&results.machine, traced);
    if locks.is_empty() {
        return Ok(why.map(|why| Figure::missing(title, why)));
    }
    let longest = locks.iter().map(|(cell, ..)| cell.axes.lock.chars().count().min(24)).max().unwrap_or(0);
    let left = label_room(longest);
    let told = why.is_none();
    let each = locks.iter().take(6).map(|(cell, _, time)| {
        let [held, _, granted_off, ..] = parts(time, told).map(percent);
        let lock = &cell.axes.lock;
        if told {
            format!("{lock} {granted_off} granted to a vCPU that was not running")
        } else {
            format!("{lock} held {held}")
        }
    });
    let each: Vec<String> = each.collect();
    let description =
        format!("Parts of the time by lock: {}. The table below has every value.", each.join("; "));
    let ticks = [0.0, 25.0, 50.0, 75.0, 100.0].map(|tick| (tick, format!("{tick}"))).to_vec();
    let x = Axis::with_ticks("per cent of the window", 0.0..100.0, ticks);
    let height = 72 + locks.len() as u32 * ROW;
    let id = format!("lock-time-{}", traced.env);
    let svg = picture(&id, &title, &description, height, |pen| {
        let frame = pen.rows(x, Axis::with_ticks("", 0.0..locks.len() as f64, Vec::new()), left)?;
        for (index, (cell, _, time)) in locks.iter().enumerate() {
            let row = locks.len() as f64 - index as f64 - 0.5;
            let (_, y) = frame.at(0.0, row);
            let label: String = cell.axes.lock.chars().take(24).collect();
            pen.text((f64::from(left) - 2.0, y), &label, INK, HPos::Right)?;
            let mut done = 0.0;
            let mut group = Group::of_lock(&cell.axes.lock);
            for (part, (name, area)) in parts(time, told).into_iter().zip(PARTS) {
                let (from, to) = (frame.at(done * 100.0, row).0, frame.at((done + part) * 100.0, row).0);
                done += part;
                if to > from {
                    let told = format!("{}, {name}: {}", cell.axes.lock, percent(part));
                    area.mark(&mut group, (from, y - 8.0), (to, y + 8.0), &told);
                }
            }
            pen.add(group);
        }
        Ok(())
    })?;
    Ok(Some(Figure::Drawn(Plot {
        id,
        title,
        env: Some(traced.env.to_owned()),
        reading: format!("Each bar is the whole of a lock's time in traced windows. {}", why.as_deref().map_or_else(
            || {
                "Solid is work; the hatched parts are time in which nobody could have the lock because its holder \
                 (upright) or the vCPU next in line (rising) was preempted."
                    .to_owned()
            },
            |why| {
                format!(
                    "{why} Such time is in the bars as held, or as free though somebody waits."
                )
            },
        )),
        svg,
        linear: None,
        legend: PARTS
            .iter()
            .zip(NEED_PREEMPTIONS)
            .filter(|(_, needs)| told || !needs)
            .map(|((name, area), _)| area.key(name))
            .collect(),
        open: false,
        data: table(&locks, told),
    })))
}

fn table(locks: &[(&Cell, &CellCauses, TimeShares)], told: bool) -> Table {
    let mut columns = vec!["lock".to_owned()];
    columns.extend(PARTS.map(|(name, _)| name.to_owned()));
    columns.extend(
        [
            "all parts, of the windows",
            "holder preemptions per million",
            "waiter preemptions per million",
            "acquisitions",
        ]
        .map(str::to_owned),
    );
    let figure = |value: Option<f64>| value.filter(|_| told).map_or_else(|| "–".into(), significant);
    let rows = locks.iter().map(|(cell, causes, time)| {
        let mut row = vec![cell.axes.lock.clone()];
        let parts = parts(time, told).into_iter().zip(NEED_PREEMPTIONS);
        row.extend(parts.map(|(part, needs)| if told || !needs { percent(part) } else { "–".into() }));
        row.push(percent(time.covered));
        row.extend([figure(causes.lhp_per_million), figure(causes.lwp_per_million)]);
        row.push(crate::format::count(causes.operations));
        row
    });
    Table { columns, rows: rows.collect() }
}
