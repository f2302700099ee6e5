//! Handovers between pCPUs: how many there are in each direction, and how long they take.

use plotters::style::text_anchor::HPos;

use super::axis::trimmed;
use super::canvas::{Pen, WIDTH, picture};
use super::group::Group;
use super::style::{COLOURS, INK, MUTED};
use super::traced::main;
use super::{Figure, Plot, Table};
use crate::Error;
use crate::format::{count, duration, percent, significant};
use crate::record::{Cell, Handovers, Results, Times};

/// With more pCPUs the squares would be too small to draw.
const MOST_PLACES: usize = 128;
/// Up to this number of pCPUs the squares have text in them.
const MOST_TOLD: usize = 4;
/// Up to this number of pCPUs the squares tell their values under the pointer; with more the page would grow too large.
const MOST_TITLED: usize = 32;
/// Room above a map's squares for the lock, the acquisitions to reacquire and the names of columns.
const HEAD: f64 = 56.0;
/// Strongest tint on which the page's text can still be read, in light and dark mode.
const STRONGEST: f64 = 0.55;

const ID: &str = "handovers";
const TITLE: &str = "Handovers from pCPU to pCPU";

/// One lock's map.
struct Map<'a> {
    cell: &'a Cell,
    matrix: &'a [Handovers],
    /// Acquisitions by any vCPU from one acquisition of a vCPU to its next.
    reacquire: Option<&'a Times>,
    /// Acquisitions in the windows that the handovers are from.
    acquisitions: u64,
}

/// A map for each lock.
pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let Some(traced) = main(results) else {
        return Ok(Figure::missing(TITLE, "No windows were traced."));
    };
    let maps = traced.locks.iter().map(|(cell, causes)| Map {
        cell,
        matrix: &causes.matrix,
        reacquire: causes.reacquire_turns.as_ref(),
        acquisitions: causes.operations,
    });
    let maps: Vec<Map<'_>> = maps.filter(|map| map.matrix.iter().any(|entry| entry.count > 0)).collect();
    let left_out = traced.locks.iter().find_map(|(_, causes)| causes.no_matrix.as_ref());
    let none = left_out.map_or_else(
        || "No lock went from one pinned vCPU to another.".into(),
        |why| format!("Handovers between pCPUs were not told apart: {why}."),
    );
    draw(&maps, &traced.place(), &none)
}

/// Draws the maps; `none` says why there are none.
fn draw(maps: &[Map<'_>], place: &str, none: &str) -> Result<Figure, Error> {
    let title = format!("{TITLE}, {place}");
    let mut places: Vec<u32> =
        maps.iter().flat_map(|map| map.matrix.iter().flat_map(|entry| [entry.from, entry.to])).collect();
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        return Ok(Figure::missing(title, none));
    }
    if places.len() > MOST_PLACES {
        return Ok(Figure::missing(title, format!("{} places are too many to draw.", places.len())));
    }
    let told = places.len() <= MOST_TOLD;
    let columns = if told { 2 } else { 1 };
    let shown = &maps[..maps.len().min(if told { 12 } else { 4 })];
    let panel = f64::from(WIDTH) / columns as f64;
    let room = 34.0;
    let across = (panel - room - 14.0) / places.len() as f64;
    let down = if told { across.min(44.0) } else { across };
    let panel_height = HEAD + down * places.len() as f64 + 12.0;
    let height = (shown.len().div_ceil(columns) as f64 * panel_height) as u32 + 4;
    let names: Vec<&str> = shown.iter().map(|map| map.cell.axes.lock.as_str()).collect();
    let description =
        format!("A square map for each of {}. The table below has every value.", names.join(", "));
    let svg = picture(ID, &title, &description, height, |pen| {
        for (index, map) in shown.iter().enumerate() {
            let corner = (panel * (index % columns) as f64, panel_height * (index / columns) as f64);
            let grid = Grid { places: &places, corner, room, across, down, told };
            grid.draw(pen, map)?;
        }
        Ok(())
    })?;
    let reading = "Rows are where the lock was released, columns where it went next; each lock's squares add up to \
                   100 %, and the stronger the tint, the more of its handovers. Shown are handovers to another vCPU that was \
                   already waiting, never a vCPU that takes the lock again itself; the table has their part of the \
                   acquisitions. On the diagonal the lock goes between two vCPUs of one pCPU. Acquisitions to reacquire: how \
                   many acquisitions later a vCPU has the lock again. 1 is twice in a row; in a FIFO lock that all vCPUs \
                   want it is the number of vCPUs.";
    let more =
        if told { " Below the share stands the median handover time." } else { " The table has the times." };
    Ok(Figure::Drawn(Plot {
        id: ID.into(),
        title,
        env: maps.first().map(|map| map.cell.axes.env.clone()),
        reading: format!("{reading}{more}"),
        svg,
        linear: None,
        legend: Vec::new(),
        open: false,
        data: table(maps),
    }))
}

/// Where the squares of one map are drawn.
struct Grid<'a> {
    places: &'a [u32],
    corner: (f64, f64),
    room: f64,
    across: f64,
    down: f64,
    told: bool,
}

impl Grid<'_> {
    fn draw(&self, pen: &Pen<'_, '_>, map: &Map<'_>) -> Result<(), Error> {
        let (x, y) = (self.corner.0 + self.room, self.corner.1 + HEAD);
        let lock: String = map.cell.axes.lock.chars().take(24).collect();
        pen.text((self.corner.0 + 4.0, self.corner.1 + 12.0), &lock, INK, HPos::Left)?;
        if let Some(median) = map.reacquire.and_then(|acquisitions| acquisitions.p50) {
            let back = format!("median acquisitions to reacquire: {}", trimmed(median));
            pen.text((self.corner.0 + 4.0, self.corner.1 + 26.0), &back, MUTED, HPos::Left)?;
        }
        let every = self.places.len().div_ceil(16);
        for (index, place) in self.places.iter().enumerate().step_by(every) {
            let (name, at) = (format!("P{place}"), index as f64 + 0.5);
            pen.text((x + at * self.across, y - 11.0), &name, MUTED, HPos::Center)?;
            pen.text((x - 6.0, y + at * self.down), &name, MUTED, HPos::Right)?;
        }
        let total: f64 = map.matrix.iter().map(|entry| entry.count as f64).sum();
        let strongest = map.matrix.iter().map(|entry| entry.count as f64).fold(1.0, f64::max);
        let at = |place: u32| self.places.iter().position(|other| *other == place).unwrap_or(0) as f64;
        let mut group = Group::of_lock(&map.cell.axes.lock);
        for entry in map.matrix.iter().filter(|entry| entry.count > 0) {
            let from = (x + at(entry.to) * self.across, y + at(entry.from) * self.down);
            let to = (from.0 + self.across, from.1 + self.down);
            let tint = STRONGEST * (entry.count as f64 / strongest);
            let share = format!("{} %", significant(entry.count as f64 / total * 100.0));
            let time = duration(entry.median_ns as f64);
            let value = format!("{lock}, P{} to P{}: {share}, median {time}", entry.from, entry.to);
            let value = if self.places.len() <= MOST_TITLED { value } else { String::new() };
            group.rect(from, to, COLOURS[1], tint.max(0.04), &value);
            if self.told {
                let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
                group.centred((middle.0, middle.1 - 8.0), &share);
                group.centred((middle.0, middle.1 + 8.0), &time);
            }
        }
        pen.add(group);
        let (right, bottom) =
            (x + self.places.len() as f64 * self.across, y + self.places.len() as f64 * self.down);
        pen.thin(&[(x, y), (right, y), (right, bottom), (x, bottom), (x, y)], MUTED)
    }
}

/// Median, 99th percentile and longest: `6; 6; 12`.
fn reacquired(acquisitions: &Times) -> String {
    let shown = |count: Option<f64>| count.map_or_else(|| "–".into(), trimmed);
    [acquisitions.p50, acquisitions.p99, acquisitions.max].map(shown).join("; ")
}

fn table(maps: &[Map<'_>]) -> Table {
    let columns = [
        "lock",
        "from",
        "to",
        "handovers",
        "share",
        "median time",
        "all shown, of the acquisitions",
        "longest run of one vCPU",
        "acquisitions to reacquire (median; p99; longest)",
    ];
    let rows = maps.iter().flat_map(|map| {
        let total: f64 = map.matrix.iter().map(|entry| entry.count as f64).sum();
        let run = map.cell.fairness.longest_run.map_or_else(|| "–".into(), count);
        let again = map.reacquire.map_or_else(|| "–".into(), reacquired);
        let shown = format!("{} of {}", count(total as u64), count(map.acquisitions));
        map.matrix.iter().map(move |entry| {
            vec![
                map.cell.axes.lock.clone(),
                format!("P{}", entry.from),
                format!("P{}", entry.to),
                count(entry.count),
                percent(entry.count as f64 / total.max(1.0)),
                duration(entry.median_ns as f64),
                shown.clone(),
                run.clone(),
                again.clone(),
            ]
        })
    });
    Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.take(2_000).collect() }
}
