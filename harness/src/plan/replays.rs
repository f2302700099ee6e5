//! Schedule logs of earlier runs, to be replayed.

use std::collections::HashMap;
use std::path::Path;

use lockbench_reports::derive::{logged_window, run_dir};
use lockbench_reports::record::{CellAxes, Line, Round};

use crate::Error;
use crate::cell::RecordedLog;

/// Reads the log that `RUN:CELL` names, or `RUN` where a run has logs of one cell. Of the cell's windows it is the one whose log the
/// report draws.
pub(crate) fn read(text: &str) -> Result<RecordedLog, Error> {
    // The ids of cells have colons too.
    let (run, cell) = match text.split_once(':') {
        Some((run, cell)) if !Path::new(text).exists() => (run, Some(cell)),
        _ => (text, None),
    };
    of_lines(run_dir::read_lines(Path::new(run))?, cell).map_err(|e| e.inside(format!("the run {run}")))
}

fn of_lines(lines: Vec<Line>, asked: Option<&str>) -> Result<RecordedLog, Error> {
    let (mut run_id, mut cells, mut rounds) = (String::new(), Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Header(header) => (run_id, cells) = (header.run_id, header.cells),
            Line::Round(round) => rounds.push(round),
            Line::End { .. } => {}
        }
    }
    // Each cell's rounds, which are not copied: a long run has large logs.
    let mut of_cell: HashMap<String, Vec<Round>> = HashMap::new();
    for round in rounds {
        of_cell.entry(round.cell.clone()).or_default().push(round);
    }
    let logged = |axes: &CellAxes| RecordedLog::of(&run_id, axes, logged_window(of_cell.get(&axes.id)?)?);
    let logs: Vec<(&CellAxes, RecordedLog)> =
        cells.iter().filter_map(|axes| Some((axes, logged(axes)?))).collect();
    let found = match (asked, &logs[..]) {
        (_, []) => {
            return Err(Error::usage(
                "it has no schedule log; only cells under a scheduler of the emulated hypervisor have one, such as --scheduler credit",
            ));
        }
        (None, [only]) => Some(only),
        (None, [(first, _), ..]) => {
            return Err(Error::usage(format!(
                "it has the logs of {} cells; name one, as RUN:CELL with the id of the cell, such as {}",
                logs.len(),
                first.id
            )));
        }
        (Some(id), _) => logs.iter().find(|(axes, _)| axes.id == id),
    };
    let Some((_, log)) = found else {
        let id = asked.unwrap_or_default();
        let known = logs.iter().map(|(axes, _)| axes.id.clone());
        return Err(if cells.iter().any(|axes| axes.id == id) {
            Error::usage(format!("its cell {id} has no schedule log"))
        } else {
            crate::error::unknown("cell with a schedule log", id, known)
        });
    };
    Ok(log.clone())
}

#[cfg(test)]
mod tests {
    use lockbench_reports::record::{Measured, Outcome, Purpose, Schedule, Stretch, StretchEnd};

    use super::*;
    use crate::axes::{Axes, Axis, Lists, Values};
    use crate::registry::Registry;

    fn axes(lock: &str, vcpus: u32) -> Axes {
        Axes::new(Registry::new(&[]).lock(lock).unwrap(), Values::usual(), vcpus, vec![4, 6], None)
    }

    /// A window of 1,000 ns in which vCPU `moving` has both pCPUs in turn.
    fn round(cell: &str, moving: Option<u32>) -> Line {
        let stretch =
            |pcpu, vcpu, from_ns, to_ns| Stretch::of_vcpu(pcpu, vcpu, from_ns, to_ns, StretchEnd::Paused);
        let mut log = vec![stretch(4, 0, -50, 300), stretch(4, 2, 310, 700), stretch(6, 1, -20, 500)];
        log.extend(moving.map(|vcpu| stretch(6, vcpu, 710, 1_200)));
        let schedule = Some(Schedule { slice_ns: 2_000_000, log, ..Schedule::default() });
        let measured = Measured { window_ns: 1_000, schedule, ..Measured::default() };
        Line::Round(Round {
            cell: cell.into(),
            round: 3,
            purpose: Purpose::Rate,
            outcome: Outcome::Measured(measured),
        })
    }

    fn lines(cells: &[&Axes], rounds: Vec<Line>) -> Vec<Line> {
        let cells: Vec<CellAxes> = cells.iter().map(|axes| axes.record()).collect();
        let header = serde_json::json!({
            "line": "header", "schema_version": 1, "run_id": "r", "started_at": "2026-11-22T03:15:00Z", "command": "c", "seed": 1,
            "profile": "p", "rounds": 6, "window_ns": 1, "machine": {}, "cells": cells,
        });
        let mut lines = vec![serde_json::from_value(header).unwrap()];
        lines.extend(rounds);
        lines
    }

    #[test]
    fn a_log_is_cut_to_its_window_and_known_by_its_hash() {
        let cell = axes("tas", 3);
        let of = |moving| of_lines(lines(&[&cell], vec![round(&cell.id, moving)]), None).unwrap();
        let log = of(None);
        assert_eq!(log.source, format!("run r, {}, round 3", cell.id));
        assert_eq!((log.vcpus, log.slice_ns, log.moves()), (3, 2_000_000, false));
        let turns = |log: &RecordedLog, pcpu: usize| {
            log.timetable.lanes()[pcpu]
                .iter()
                .map(|turn| (turn.vcpu, turn.from_ns, turn.to_ns))
                .collect::<Vec<_>>()
        };
        assert_eq!(turns(&log, 0), [(0, 0, 300), (2, 310, 700)]);
        let moving = of(Some(2));
        assert_eq!((turns(&moving, 1), moving.moves()), (vec![(1, 0, 500), (2, 710, 1_000)], true));
        assert_eq!((of(None).hash() == log.hash(), moving.hash() == log.hash()), (true, false));
    }

    #[test]
    fn what_cannot_be_replayed_is_told_in_a_sentence() {
        let (cell, other, unlogged) = (axes("tas", 3), axes("ticket", 3), axes("mcs", 3));
        let all =
            || lines(&[&cell, &other, &unlogged], vec![round(&cell.id, None), round(&other.id, Some(2))]);
        let said = |asked: Option<&str>| of_lines(all(), asked).unwrap_err().to_string();
        assert!(said(None).contains("has the logs of 2 cells; name one"));
        assert!(said(Some(&unlogged.id)).contains("has no schedule log"));
        assert!(said(Some(&cell.id.replace("tas", "taas"))).contains("did you mean"));
        let none = of_lines(lines(&[&cell], Vec::new()), None).unwrap_err().to_string();
        assert!(none.contains("it has no schedule log"), "{none}");

        let (log, moving) =
            (of_lines(all(), Some(&cell.id)).unwrap(), of_lines(all(), Some(&other.id)).unwrap());
        assert_eq!((log.refusal(&cell, true), moving.refusal(&cell, false)), (None, None));
        assert!(log.refusal(&axes("tas", 4), true).unwrap().contains("3 vCPUs on 2 pCPUs"));
        assert!(moving.refusal(&cell, true).unwrap().contains("--pinning floating"));
        assert_eq!(log.too_short_for(1_000), None);
        assert!(log.too_short_for(1_001).unwrap().contains("--window"));
    }

    #[test]
    fn a_group_that_replays_has_the_logs_size_unless_it_says_another() {
        let cell = axes("tas", 3);
        let log = of_lines(lines(&[&cell], vec![round(&cell.id, Some(2))]), None).unwrap();
        let mut group = crate::plan::CellGroup::default();
        group.replay(&std::sync::Arc::new(log));
        let Lists { size, on, pinning, slice, .. } = &group.lists;
        let shown = [size[0].show(), on[0].show(), pinning[0].show(), slice[0].show()];
        assert_eq!(shown, ["3v", "2", "floating", "2ms"]);
    }
}
