//! From lines to results, on a synthetic run.

mod fixture;

use lockbench_reports::derive::derive;
use lockbench_reports::record::{Cell, Exclusion, Line, Purpose, Results, Status};

fn results() -> Results {
    derive(fixture::lines(7, 1.0).into_iter())
}

fn cell<'a>(results: &'a Results, id: &str) -> &'a Cell {
    results.cells.iter().find(|cell| cell.axes.id == format!("{id}/compact/pinned")).expect(id)
}

#[test]
fn a_cell_is_the_median_of_its_rounds() {
    let results = results();
    let ticket = cell(&results, "ticket/emulated/short+exp/2v:2p");
    let ops = ticket.ops_per_second.unwrap();
    assert!(ops.low < ops.median && ops.median < ops.high);
    assert_eq!(
        (ticket.status, ticket.exclusion, ticket.windows_used),
        (Status::Ok, Exclusion::Held, fixture::ROUNDS)
    );
    assert!(ticket.fairness.jain.unwrap() > 0.99);
    assert!(ticket.acquire_ns.is_some() && ticket.interconnect_ns.is_some());
    assert!(
        ticket.rounds.iter().all(|round| round.purpose != Purpose::Twin),
        "twins live in the noise floor"
    );
}

#[test]
fn locks_that_failed_yield_no_number() {
    let results = results();
    for (id, status, reason) in [
        ("tas/emulated/short+exp/8v:2p", Status::Broken, "in 1 of 6 windows"),
        ("mcs/kvm/short+exp/8v:2p", Status::Hung, "no acquisition in 2 s"),
        ("mcs/kvm/short+exp/6v:2p", Status::Crashed, "SIGSEGV"),
        ("std-mutex/kvm/short+exp/1v:1p", Status::Skipped, "system calls"),
    ] {
        let cell = cell(&results, id);
        assert_eq!(cell.status, status, "{id}");
        assert!(cell.reason.as_ref().unwrap().contains(reason), "{:?}", cell.reason);
        assert_eq!(cell.ops_per_second, None);
        assert_eq!(cell.fairness.jain, None);
    }
    assert_eq!(cell(&results, "tas/emulated/short+exp/8v:2p").exclusion, Exclusion::Violated);
}

#[test]
fn windows_that_moved_are_left_out_and_said() {
    let results = results();
    let queued = cell(&results, "queued/emulated/short+exp/6v:2p");
    assert_eq!(queued.windows_used, 4);
    assert!(queued.notes[0].starts_with("2 of 6 windows left out"), "{:?}", queued.notes);
}

#[test]
fn the_noise_floor_comes_from_twins() {
    let results = results();
    let classes: Vec<&str> = results.noise_floor.iter().map(|floor| floor.class.as_str()).collect();
    assert_eq!(classes, ["one-vcpu", "contended", "overcommitted"]);
    for floor in &results.noise_floor {
        assert_eq!(floor.pairs.len(), 6);
        assert!(floor.floor.unwrap() > 0.0 && floor.floor.unwrap() < 0.3);
    }
}

#[test]
fn a_run_cut_short_keeps_what_it_measured() {
    let lines: Vec<Line> = fixture::lines(7, 1.0);
    let half = lines.len() / 2;
    let results = derive(lines.into_iter().take(half));
    assert!(results.interrupted);
    assert!(results.cells.iter().all(|cell| cell.status != Status::Ok || cell.windows_used <= 3));
    let first_only = derive(fixture::lines(7, 1.0).into_iter().take(1));
    assert!(first_only.cells.iter().all(|cell| cell.status == Status::Skipped));
}

#[test]
fn without_a_header_there_are_no_cells() {
    let results = derive(fixture::lines(7, 1.0).into_iter().skip(1));
    assert!(results.cells.is_empty());
    assert_eq!(results.notes.len(), 1);
}
