//! Handover times between NUMA nodes, and the distances that the firmware tells.

use std::collections::BTreeSet;

use plotters::style::text_anchor::HPos;

use super::canvas::{Pen, WIDTH, picture};
use super::group::Group;
use super::style::{COLOURS, INK, MUTED};
use super::{Figure, Plot, Table};
use crate::Error;
use crate::derive::nodes::{self, Distances, Nodes};
use crate::format::{count, distance, duration, overcommit, percent, vcpus_on};
use crate::judge::numa::{node_matrix, told_by_node, variant};
use crate::record::{Handovers, Results};

const ID: &str = "handovers-nodes";
const TITLE: &str = "Handover times from NUMA node to NUMA node";
/// With more nodes the squares would be too small to draw.
const MOST_PLACES: usize = 128;
/// Up to this number of nodes the squares have text in them.
const MOST_TOLD: usize = 8;
/// Up to this number of nodes the squares tell their values under the pointer; with more the page would grow too large.
const MOST_TITLED: usize = 32;
/// Up to this number of nodes two maps stand side by side.
const NARROW: usize = 3;
/// With more nodes there is no room for units beside figures.
const WITH_UNITS: usize = 5;
const MOST_MAPS: usize = 11;
/// Room above a map's squares for its name and the names of columns.
const HEAD: f64 = 42.0;
/// Room left of a map's squares for the names of rows.
const ROOM: f64 = 40.0;
/// Weakest and strongest tint; the page's text can still be read on the strongest, in light and dark mode.
const TINTS: [f64; 2] = [0.06, 0.55];

/// A square of a map.
struct Square {
    from: u32,
    to: u32,
    value: f64,
    told: String,
}

/// One lock's times, or the firmware's distances.
struct Map {
    /// The lock; none for the firmware's distances.
    lock: Option<String>,
    name: String,
    colour: (u8, u8, u8),
    squares: Vec<Square>,
}

/// The plot; none on a machine with one node. With several nodes and nothing to draw it is a missing figure with its reason.
pub(super) fn plot(results: &Results) -> Result<Option<Figure>, Error> {
    if nodes::count(results) < 2 {
        return Ok(None);
    }
    let machine = Nodes::of(&results.machine);
    let cells = told_by_node(results, &machine);
    let told: Vec<(&str, Vec<Handovers>)> =
        cells.iter().map(|cell| (cell.axes.lock.as_str(), node_matrix(cell, &machine))).collect();
    let places: BTreeSet<u32> =
        told.iter().flat_map(|(_, matrix)| matrix.iter().flat_map(|entry| [entry.from, entry.to])).collect();
    let places: Vec<u32> = places.into_iter().collect();
    let Some(axes) = cells.first().map(|cell| &cell.axes).filter(|_| places.len() > 1) else {
        return Ok(Some(Figure::missing(TITLE, none(results))));
    };
    let title = format!(
        "{TITLE}, {}, {}, {} ({})",
        axes.told_env(),
        variant(axes),
        vcpus_on(axes.vcpus, axes.pcpus.len()),
        overcommit(axes.overcommit)
    );
    if places.len() > MOST_PLACES {
        return Ok(Some(Figure::missing(title, format!("{} nodes are too many to draw.", places.len()))));
    }
    let units = places.len() <= WITH_UNITS;
    let firmware = machine.distances.as_ref().and_then(|distances| firmware(distances, &places));
    let of_locks = told.iter().take(MOST_MAPS).map(|(lock, matrix)| times(lock, matrix, units));
    let maps: Vec<Map> = firmware.into_iter().chain(of_locks).collect();
    let names: Vec<&str> = maps.iter().map(|map| map.name.as_str()).collect();
    let description =
        format!("A square map for each of {}. The table below has every value.", names.join(", "));
    let grid = Grid::new(&places);
    let svg = picture(ID, &title, &description, grid.height(maps.len()), |pen| {
        maps.iter().enumerate().try_for_each(|(index, map)| grid.draw(pen, index, map))
    })?;
    let mut reading = String::from(
        "Rows are the node on which the lock was released, columns the node to which it went; only handovers to a vCPU that \
         was already waiting are shown. Within each lock's map, the stronger the tint, the longer the median.",
    );
    reading.push_str(match (places.len() <= MOST_TOLD, machine.distances.is_some()) {
        (true, true) => " The first map has the distances that the firmware tells, 10 being a node to itself.",
        (false, true) => {
            " The first map has the distances that the firmware tells, 10 being a node to itself; the table has the values."
        }
        (_, false) => " The firmware tells no distances. The table has the values.",
    });
    Ok(Some(Figure::Drawn(Plot {
        id: ID.into(),
        title,
        env: Some(axes.env.clone()),
        reading,
        svg,
        linear: None,
        legend: Vec::new(),
        open: false,
        data: table(&told, machine.distances.as_ref()),
    })))
}

/// Why there are no handovers between nodes to show.
fn none(results: &Results) -> String {
    let causes = || results.cells.iter().filter_map(|cell| cell.causes.as_ref());
    if let Some(why) = causes().find_map(|causes| causes.no_node_matrix.as_ref()) {
        return format!("Handovers between NUMA nodes were not told apart: {why}.");
    }
    match causes().next() {
        None => "No windows were traced.".into(),
        Some(_) => "In no traced cell did the lock go from one node to another.".into(),
    }
}

fn times(lock: &str, matrix: &[Handovers], units: bool) -> Map {
    let told = |ns: u64| match (units, ns) {
        (true, _) => distance(ns as f64),
        (false, ..100_000) => ns.to_string(),
        (false, _) => format!("{}k", ns / 1_000),
    };
    let squares = matrix.iter().filter(|entry| entry.count > 0).map(|entry| Square {
        from: entry.from,
        to: entry.to,
        value: entry.median_ns as f64,
        told: told(entry.median_ns),
    });
    let name = if units { lock.into() } else { format!("{lock} (ns)") };
    Map { lock: Some(lock.into()), name, colour: COLOURS[1], squares: squares.collect() }
}

fn firmware(distances: &Distances, places: &[u32]) -> Option<Map> {
    let pairs = places.iter().flat_map(|from| places.iter().map(move |to| (*from, *to)));
    let squares: Vec<Square> = pairs
        .filter_map(|(from, to)| {
            let distance = distances.between(from, to)?;
            Some(Square { from, to, value: distance as f64, told: distance.to_string() })
        })
        .collect();
    (!squares.is_empty()).then(|| Map {
        lock: None,
        name: "distances told by the firmware".into(),
        colour: COLOURS[4],
        squares,
    })
}

/// Where the squares of all maps are drawn.
struct Grid<'a> {
    places: &'a [u32],
    columns: usize,
    across: f64,
    down: f64,
}

impl<'a> Grid<'a> {
    fn new(places: &'a [u32]) -> Self {
        let columns = if places.len() <= NARROW { 2 } else { 1 };
        let across = (f64::from(WIDTH) / columns as f64 - ROOM - 14.0) / places.len() as f64;
        let down = if places.len() <= MOST_TOLD { across.min(34.0) } else { across };
        Self { places, columns, across, down }
    }

    fn panel_height(&self) -> f64 {
        HEAD + self.down * self.places.len() as f64 + 14.0
    }

    fn height(&self, maps: usize) -> u32 {
        (maps.div_ceil(self.columns) as f64 * self.panel_height()) as u32 + 4
    }

    fn draw(&self, pen: &Pen<'_, '_>, index: usize, map: &Map) -> Result<(), Error> {
        let left = f64::from(WIDTH) / self.columns as f64 * (index % self.columns) as f64;
        let top = self.panel_height() * (index / self.columns) as f64;
        let (x, y) = (left + ROOM, top + HEAD);
        let name: String = map.name.chars().take(32).collect();
        pen.text((left + 4.0, top + 12.0), &name, INK, HPos::Left)?;
        let every = self.places.len().div_ceil(16);
        for (index, place) in self.places.iter().enumerate().step_by(every) {
            let (name, at) = (format!("N{place}"), index as f64 + 0.5);
            pen.text((x + at * self.across, y - 11.0), &name, MUTED, HPos::Center)?;
            pen.text((x - 6.0, y + at * self.down), &name, MUTED, HPos::Right)?;
        }
        let low = map.squares.iter().map(|square| square.value).fold(f64::INFINITY, f64::min);
        let high = map.squares.iter().map(|square| square.value).fold(0.0, f64::max);
        let mut group = map.lock.as_deref().map_or_else(Group::of_no_lock, Group::of_lock);
        for square in &map.squares {
            let at = |node: u32| self.places.binary_search(&node).unwrap_or(0) as f64;
            let from = (x + at(square.to) * self.across, y + at(square.from) * self.down);
            let to = (from.0 + self.across, from.1 + self.down);
            let part = if high > low { (square.value - low) / (high - low) } else { 0.0 };
            let value = match self.places.len() <= MOST_TITLED {
                true => format!("{}, node {} to {}: {}", map.name, square.from, square.to, square.told),
                false => String::new(),
            };
            group.rect(from, to, map.colour, TINTS[0] + part * (TINTS[1] - TINTS[0]), &value);
            if self.places.len() <= MOST_TOLD {
                group.centred(((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0), &square.told);
            }
        }
        pen.add(group);
        let n = self.places.len() as f64;
        let (right, bottom) = (x + n * self.across, y + n * self.down);
        pen.thin(&[(x, y), (right, y), (right, bottom), (x, bottom), (x, y)], MUTED)
    }
}

fn table(told: &[(&str, Vec<Handovers>)], distances: Option<&Distances>) -> Table {
    let columns = ["lock", "from", "to", "median time", "handovers", "share", "firmware distance"];
    let rows = told.iter().flat_map(|(lock, matrix)| {
        let total: f64 = matrix.iter().map(|entry| entry.count as f64).sum();
        matrix.iter().map(move |entry| {
            let distance = distances.and_then(|distances| distances.between(entry.from, entry.to));
            vec![
                (*lock).to_owned(),
                format!("N{}", entry.from),
                format!("N{}", entry.to),
                duration(entry.median_ns as f64),
                count(entry.count),
                percent(entry.count as f64 / total.max(1.0)),
                distance.map_or_else(|| "–".into(), |distance| distance.to_string()),
            ]
        })
    });
    Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.take(4_000).collect() }
}
