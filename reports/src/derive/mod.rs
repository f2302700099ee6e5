//! Derives results from rounds.

mod causes;
mod cell;
pub mod digest;
mod disturbances;
mod latency;
pub mod log;
pub mod nodes;
pub(crate) mod noise;
mod quota;
pub mod reasons;
mod replay;
pub mod roster;
pub mod run_dir;
mod schedule;
mod selection;
pub mod setting;
pub mod sweep;
pub mod timeline;
pub mod timeslice;
mod told;

use std::collections::BTreeMap;

use crate::format::counted;
use crate::record::{CellAxes, Header, Line, Results, Round, SCHEMA_VERSION, of_cells};
use crate::statistics::Class;

pub(crate) use cell::{placement_notes, skips};
pub(crate) use disturbances::disturbances;
pub(crate) use latency::waits;
pub use noise::{OVERCOMMITTED, noise_group};
pub use schedule::logged_window;
pub(crate) use selection::{Selection, operations};

/// Derives the results from the lines of a run, finished or not.
///
/// Cells stand in plan order. Without an end line the run counts as interrupted; without a header there are no cells, for the
/// header says what they are.
pub fn derive(lines: impl Iterator<Item = Line>) -> Results {
    let mut results = empty();
    let mut planned: Vec<CellAxes> = Vec::new();
    let mut rounds: BTreeMap<String, Vec<Round>> = BTreeMap::new();
    for line in lines {
        match line {
            Line::Header(header) => planned = adopt(&mut results, header),
            Line::Round(round) => rounds.entry(round.cell.clone()).or_default().push(round),
            Line::End { interrupted, wall_seconds, measuring_share, stopped } => {
                results.stopped = stopped;
                results.interrupted = interrupted;
                results.wall_seconds = Some(wall_seconds);
                results.measuring_share = Some(measuring_share);
            }
        }
    }
    let classes = classes(&planned, &rounds);
    for axes in planned {
        let class = classes.get(&axes.pcpus).cloned().unwrap_or_default();
        let of_cell = rounds.remove(&axes.id).unwrap_or_default();
        results.noise_floor.extend(noise::floor(&axes, &of_cell));
        let ordered = roster::ordered(&results, &axes.lock);
        results.cells.push(cell::derive(axes, of_cell, &class, ordered));
    }
    if !rounds.is_empty() {
        let more = counted(rounds.len(), "cell");
        results.notes.push(format!("measured and not named by the plan, so left out: {more}"));
    }
    results
}

/// For each set of pCPUs, the distance class that most of the run's windows on them belong to.
fn classes(planned: &[CellAxes], rounds: &BTreeMap<String, Vec<Round>>) -> BTreeMap<Vec<u32>, Class> {
    let mut on: BTreeMap<Vec<u32>, Vec<&[Round]>> = BTreeMap::new();
    for axes in planned {
        on.entry(axes.pcpus.clone()).or_default().extend(rounds.get(&axes.id).map(Vec::as_slice));
    }
    on.into_iter().map(|(pcpus, cells)| (pcpus, Selection::class_of_most(cells.into_iter()))).collect()
}

fn empty() -> Results {
    Results {
        schema_version: SCHEMA_VERSION,
        run_id: String::new(),
        started_at: String::new(),
        command: String::new(),
        seed: 0,
        profile: String::new(),
        rounds: 0,
        second_stage: 0,
        window_ns: 0,
        machine: Default::default(),
        noise_floor: Vec::new(),
        dropped: Vec::new(),
        locks: Vec::new(),
        thresholds: None,
        cells: Vec::new(),
        interrupted: true,
        stopped: None,
        wall_seconds: None,
        measuring_share: None,
        notes: Vec::new(),
    }
}

fn adopt(results: &mut Results, header: Header) -> Vec<CellAxes> {
    results.run_id = header.run_id;
    results.started_at = header.started_at;
    results.command = header.command;
    results.seed = header.seed;
    results.profile = header.profile;
    results.rounds = header.rounds;
    results.second_stage = header.second_stage;
    results.window_ns = header.window_ns;
    results.machine = header.machine;
    results.dropped = header.dropped;
    results.locks = if header.locks.is_empty() { of_cells(&header.cells) } else { header.locks };
    header.cells
}
