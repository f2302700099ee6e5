//! From lines to results, on a synthetic run.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::reasons::reasons;
use lockbench_reports::judge::comparison::compare;
use lockbench_reports::record::{
    Cell, Exclusion, Line, Measured, NodePages, Outcome, Purpose, Residence, Results, Round, Status,
    Throttling,
};
use lockbench_reports::show::{html, summary};
use lockbench_reports::statistics;

use crate::fixture;

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

/// Sections that touch pages may find them there already: then the rate is not that of sections with a page fault.
#[test]
fn the_share_of_sections_with_a_page_fault_is_said() {
    let id = "ticket/emulated/short+exp/2v:2p";
    let notes = |results: &Results| cell(results, id).notes.join("; ");
    assert!(!notes(&results()).contains("page fault"));
    let with = |faulted: u64, brought: Option<u64>, present: u64| {
        let mut lines: Vec<Line> = fixture::lines(7, 1.0);
        for line in &mut lines {
            if let Line::Round(Round { cell, outcome: Outcome::Measured(measured), .. }) = line
                && cell.starts_with(id)
            {
                measured.counters.insert("pages_faulted".into(), faulted);
                measured.counters.insert("pages_present".into(), present);
                measured.counters.extend(brought.map(|brought| ("pages_brought".into(), brought)));
            }
        }
        notes(&derive(lines.into_iter()))
    };
    let told = |faulted, present| with(faulted, None, present);
    let (some, all, none) = (told(300, 100), told(300, 0), told(0, 0));
    assert!(some.contains("75.0 % of the sections took a page fault; the others came before"), "{some}");
    assert!(all.contains("every section took a page fault"), "{all}");
    assert!(!none.contains("page fault"), "no section touched a page: {none}");
    let huge = with(2, Some(998), 0);
    assert!(
        huge.contains("0.200 % of the sections took a page fault; one fault brings a huge page"),
        "{huge}"
    );
    let late = with(2, Some(498), 500);
    assert!(late.contains("which many sections touch; 50.0 % came before there was a new page"), "{late}");
    assert!(told(u64::MAX, u64::MAX).contains("50.0 % of the sections"), "counts of no use do no harm");
}

/// The rate of several locks is the sum of theirs, and the cell says so. It is no reason why a figure is missing.
#[test]
fn a_rate_of_several_locks_says_what_it_counts() {
    let notes = |section: &str, locks: u32, measured: bool| {
        let mut lines: Vec<Line> = fixture::lines(7, 1.0);
        for line in &mut lines {
            match line {
                Line::Header(header) => {
                    for axes in &mut header.cells {
                        (axes.workload.section, axes.workload.locks) = (section.into(), locks);
                    }
                }
                Line::Round(Round { outcome: Outcome::Measured(window), .. }) => window.moved |= !measured,
                _ => {}
            }
        }
        cell(&derive(lines.into_iter()), "ticket/emulated/short+exp/2v:2p").notes.join("; ")
    };
    assert!(
        notes("nested", 2, true)
            .contains("the rate counts the acquisitions of both locks: half of the requests")
    );
    assert!(notes("many", 16, true).contains("the rate counts the acquisitions of all 16 locks together"));
    assert!(!notes("touch", 1, true).contains("acquisitions of"));
    assert!(!notes("many", 16, false).contains("acquisitions of"), "no window gave a figure");
}

#[test]
fn windows_that_moved_are_left_out_and_said() {
    let results = results();
    let queued = cell(&results, "queued/emulated/short+exp/6v:2p");
    assert_eq!(queued.windows_used, 4);
    assert!(queued.notes[0].starts_with("2 of 6 windows left out"), "{:?}", queued.notes);
}

#[test]
fn a_cell_that_was_measured_and_then_could_not_be_is_ok_with_a_note() {
    let id = "ticket/emulated/short+exp/2v:2p/compact/pinned";
    let with = |skipped: &[u32], passing: bool| {
        let mut lines = fixture::lines(7, 1.0);
        for line in &mut lines {
            let Line::Round(round) = line else { continue };
            if round.cell == id && skipped.contains(&round.round) {
                round.outcome = Outcome::Skipped { reason: "no file descriptor was free".into(), passing };
            }
        }
        let results = derive(lines.into_iter());
        let cell = results.cells.iter().find(|cell| cell.axes.id == id).unwrap().clone();
        (cell.status, cell.notes.into_iter().find(|note| note.starts_with("skipped")))
    };
    assert_eq!(with(&[], true), (Status::Ok, None));
    assert_eq!(
        with(&[1, 2, 4], true),
        (Status::Ok, Some("skipped in 3 of 6 rounds: no file descriptor was free".into()))
    );
    let (status, note) = with(&[5], false);
    assert_eq!(status, Status::Ok);
    assert!(note.unwrap().starts_with("skipped in 1 of 6 rounds and not tried again: "));
    assert_eq!(with(&[0, 1, 2, 3, 4, 5], true), (Status::Skipped, None), "none was measured");
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
fn where_the_arena_lay_and_what_is_to_be_said_of_it_reach_the_results_and_the_table() {
    let note = "local memory of CPU 3 is on node 0";
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        let Line::Round(round) = line else { continue };
        let last = round.round + 1 == fixture::ROUNDS;
        let Outcome::Measured(measured) = &mut round.outcome else { continue };
        measured.residence = Some(Residence {
            shared: vec![NodePages { node: 0, pages: if last { 3 } else { 2 } }],
            blocks: vec![vec![1], vec![0]],
            vcpu_nodes: vec![1, 0],
        });
        measured.notes = vec![note.into()];
    }
    // As in `rounds.jsonl`: the nodes are numbers there too.
    let kept: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    let results = derive(kept.iter().map(|line| serde_json::from_str(line).unwrap()));
    let ticket = cell(&results, "ticket/emulated/short+exp/2v:2p");
    let residence = ticket.residence.as_ref().unwrap();
    assert_eq!(residence.shared, [NodePages { node: 0, pages: 3 }], "the last window's");
    assert_eq!((&residence.blocks, &residence.vcpu_nodes), (&vec![vec![1], vec![0]], &vec![1, 0]));
    assert_eq!(ticket.notes.iter().filter(|said| *said == note).count(), 1, "{:?}", ticket.notes);
    let tables = summary::table(&results);
    for table in tables.split("\n\n") {
        assert_eq!(table.matches(note).count(), 1, "{table}");
    }
}

#[test]
fn windows_of_a_handful_of_acquisitions_are_not_called_steady() {
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        let Line::Round(round) = line else { continue };
        let Outcome::Measured(measured) = &mut round.outcome else { continue };
        measured.steady = statistics::steady(&measured.samples, 5);
    }
    let kept: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert!(!kept.iter().any(|line| line.contains("\"steady\"")), "left out where it cannot be told");
    let results = derive(kept.iter().map(|line| serde_json::from_str(line).unwrap()));
    let ticket = cell(&results, "ticket/emulated/short+exp/2v:2p");
    let told = "6 of 6 windows had too few acquisitions to tell whether they were steady";
    assert!(ticket.notes.iter().any(|note| note == told), "{:?}", ticket.notes);
}

/// The synthetic run after a change to the windows of one cell.
fn with(id: &str, mut change: impl FnMut(&Round, &mut Measured)) -> Results {
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        let Line::Round(round) = line else { continue };
        if round.cell == format!("{id}/compact/pinned") {
            let of = round.clone();
            let Outcome::Measured(measured) = &mut round.outcome else { continue };
            change(&of, measured);
        }
    }
    derive(lines.into_iter())
}

const TICKET: &str = "ticket/emulated/short+exp/2v:2p";

#[test]
fn windows_that_something_reached_into_are_left_out_and_said() {
    let undisturbed = results();
    let left_out = with(TICKET, |round, measured| {
        if round.round < 2 {
            measured.disturbed = Some("vCPU 1 was moved".into());
            measured.operations = vec![1, 0];
            measured.on_cpu_share = vec![0.01, 0.01];
            measured.longest_run = 1_000_000_000;
        }
    });
    let (before, after) = (cell(&undisturbed, TICKET), cell(&left_out, TICKET));
    assert_eq!((before.windows_used, after.windows_used), (6, 4));
    assert!(after.ops_per_second.unwrap().low > 0.5 * before.ops_per_second.unwrap().low);
    assert!(after.on_cpu_share > Some(0.9), "{:?}", after.on_cpu_share);
    assert!(after.fairness.longest_run < Some(1_000_000));
    let note = "2 of 6 windows left out: vCPU 1 was moved";
    assert!(after.notes.iter().any(|said| said == note), "{:?}", after.notes);
    assert!(!after.notes.iter().any(|said| said.contains("another distance")), "{:?}", after.notes);
    let disturbed = reasons(&left_out).into_iter().find(|reason| reason.state == "disturbed").unwrap();
    assert_eq!((disturbed.why.as_str(), disturbed.cells.len()), (note, 1));
    // Where every window was skipped, there is no figure.
    let none = with(TICKET, |_, measured| measured.disturbed = Some("the machine was suspended".into()));
    let ticket = cell(&none, TICKET);
    assert_eq!((ticket.status, ticket.ops_per_second), (Status::Skipped, None));
    let reason = ticket.reason.as_deref().unwrap();
    assert!(reason.ends_with("windows left out: the machine was suspended"), "{reason}");
}

const HELD: Throttling = Throttling { periods: 2, taken_ns: 160_000_000, idle_ns: 0 };

#[test]
fn windows_that_a_quota_throttled_are_left_out_beside_others() {
    let results = with(TICKET, |round, measured| measured.throttling = (round.round < 2).then_some(HELD));
    let ticket = cell(&results, TICKET);
    assert_eq!(ticket.windows_used, 4);
    let note = "2 of 6 windows left out: a CPU quota held their vCPUs up";
    assert!(ticket.notes.iter().any(|said| said == note), "{:?}", ticket.notes);
    let trifle = Throttling { taken_ns: 100_000, ..HELD };
    let results = with(TICKET, |_, measured| measured.throttling = Some(trifle));
    assert_eq!(cell(&results, TICKET).windows_used, 6);
}

#[test]
fn where_a_quota_throttled_every_window_the_figures_are_its_own_and_nothing_is_set_against_them() {
    let inferred = Throttling { idle_ns: 80_000_000, ..Throttling::default() };
    for (throttling, inferred) in [(HELD, false), (inferred, true)] {
        let results = with(TICKET, |_, measured| measured.throttling = Some(throttling));
        let (ticket, mcs) = (cell(&results, TICKET), cell(&results, "mcs/emulated/short+exp/2v:2p"));
        assert!(ticket.ops_per_second.is_some());
        let said =
            ticket.notes.iter().find(|note| note.contains("held the vCPUs up in every window")).unwrap();
        assert_eq!(said.contains("inferred"), inferred, "{said}");
        let comparison = compare(&results, mcs, ticket);
        assert_eq!(comparison.ratio, None);
        let reason = comparison.verdict.reason().unwrap();
        assert!(reason.contains("CPU quota") && reason.contains("ticket"), "{reason}");
        assert!(reasons(&results).iter().any(|reason| reason.state == "throttled"));
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

/// The dots of a plot are single rounds, its interval is that of their median: both must come from the same windows.
#[test]
fn dots_and_intervals_of_a_plot_come_from_the_same_windows() {
    let mut lines = fixture::lines(7, 1.0);
    let cell = "ticket/native/short+exp/2v:2p/compact/pinned";
    let mut far = 0;
    for line in &mut lines {
        if let Line::Round(round) = line
            && round.cell == cell
            && round.purpose == Purpose::Rate
            && let Outcome::Measured(measured) = &mut round.outcome
            && far < 2
        {
            // Two windows while the pCPUs were far apart, and a tenth as fast: of another class than the rest.
            far += 1;
            measured.interconnect_ns = Some([900.0, 900.0]);
            measured.operations.iter_mut().for_each(|count| *count /= 10);
        }
    }
    let results = derive(lines.into_iter());
    let found = results.cells.iter().find(|found| found.axes.id == cell).unwrap();
    assert_eq!((found.windows_used, found.rounds_used.len()), (4, 4));
    let page = html::render(&[results]).unwrap();
    let figure = page.split("id=\"r0-plot-vcpus-native\"").nth(1).unwrap();
    let row = figure.split("<tr>").find(|row| row.contains(">ticket</th><td>2</td>")).unwrap();
    assert!(row.contains("<td>4</td></tr>"), "so many dots stand beside the interval: {row}");
}
