//! Advice from runs that were measured before.

mod fixture;

use lockbench_reports::derive::derive;
use lockbench_reports::judge::advice::{Question, rank};
use lockbench_reports::judge::verdicts::judge;
use lockbench_reports::record::{Kept, Results, Thresholds};

const QUESTION: Question = Question { vcpus: 4, pcpus: 2, section_ns: 120.0 };

fn run(seed: u64, started_at: &str) -> Results {
    let mut results = derive(fixture::lines(seed, 1.0).into_iter());
    results.started_at = started_at.into();
    judge(&mut results, Thresholds::default());
    results
}

#[test]
fn locks_are_ranked_by_verdict_and_then_by_rate() {
    let runs = [run(7, "2026-11-22T03:15:00Z")];
    let ranked = rank(&runs, &runs[0].machine, QUESTION);
    assert!(ranked.iter().all(|one| one.cell.axes.env == "kvm"), "real vCPUs where they were run");
    let label = |lock: &str| {
        let place = ranked.iter().position(|one| one.cell.axes.lock == lock).unwrap();
        (place, ranked[place].verdict().unwrap().rate)
    };
    assert_eq!(label("pv-queued"), (0, Kept::Degrades));
    assert_eq!(label("tas"), (1, Kept::CannotBeTold), "fast, but not known to hold");
    assert_eq!(label("pv-ticket"), (2, Kept::Collapses));
    assert_eq!(label("ticket").1, Kept::Collapses);
}

#[test]
fn the_newest_run_speaks_for_a_lock_and_other_machines_for_none() {
    let mut other = run(7, "2026-11-24T03:15:00Z");
    other.machine.cpu_model = "another processor".into();
    let runs = [run(7, "2026-11-21T03:15:00Z"), run(11, "2026-11-23T03:15:00Z"), other];
    let ranked = rank(&runs, &runs[0].machine, QUESTION);
    assert!(!ranked.is_empty());
    assert!(ranked.iter().all(|one| one.run.started_at.starts_with("2026-11-23")));
    let mut locks: Vec<&str> = ranked.iter().map(|one| one.cell.axes.lock.as_str()).collect();
    locks.sort_unstable();
    let all = locks.len();
    locks.dedup();
    assert_eq!(locks.len(), all, "each lock once");
}

#[test]
fn a_section_of_another_length_is_no_evidence() {
    let runs = [run(7, "2026-11-22T03:15:00Z")];
    let of = |question| rank(&runs, &runs[0].machine, question).len();
    assert_eq!(of(Question { section_ns: 50_000.0, ..QUESTION }), 0);
    assert_eq!(of(Question { vcpus: 5, ..QUESTION }), 0);
    assert_eq!(of(Question { pcpus: 1, ..QUESTION }), 0);
    let long = rank(&runs, &runs[0].machine, Question { section_ns: 1_700.0, ..QUESTION });
    assert!(!long.is_empty() && long.iter().all(|one| one.cell.axes.workload.section_ns == 1_600.0));
}
