//! Advice from runs that were measured before.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::digest::Digest;
use lockbench_reports::judge::advice;
use lockbench_reports::judge::advice::{Candidate, Evidence, Question, of_nights, of_runs};
use lockbench_reports::judge::verdicts::judge;
use lockbench_reports::record::{Kept, Machine, Results, Served, Thresholds};

use crate::fixture;

const QUESTION: Question = Question { vcpus: 4, pcpus: 2, section_ns: 120.0 };

fn rank(runs: &[Results], machine: &Machine, question: Question) -> Vec<Candidate> {
    advice::rank(of_runs(runs, machine, question), question)
}

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
    assert!(ranked.iter().all(|one| one.env == "kvm"), "real vCPUs where they were run");
    let label = |lock: &str| {
        let place = ranked.iter().position(|one| one.lock == lock).unwrap();
        (place, ranked[place].verdict.as_ref().unwrap().rate)
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
    assert!(ranked.iter().all(|one| one.started_at.starts_with("2026-11-23")));
    let mut locks: Vec<&str> = ranked.iter().map(|one| one.lock.as_str()).collect();
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
    assert!(!long.is_empty() && long.iter().all(|one| one.section_ns == 1_600.0));
}

#[test]
fn several_locks_are_no_evidence_for_one() {
    let mut several = run(7, "2026-11-22T03:15:00Z");
    for cell in &mut several.cells {
        (cell.axes.workload.section, cell.axes.workload.locks) = ("nested".into(), 2);
    }
    let machine = several.machine.clone();
    assert!(rank(&[several], &machine, QUESTION).is_empty());
}

/// The workloads of the fixture, as the harness reads their names.
fn section_ns(workload: &str) -> Option<f64> {
    (workload == "short+exp").then_some(100.0)
}

/// A history alone answers, names its night, and says the same of locks as the run that it was made from; of shares it knows nothing.
#[test]
fn a_history_is_evidence_beside_runs() {
    let runs = [run(7, "2026-11-22T03:15:00Z")];
    let machine = &runs[0].machine;
    let nights = |runs: &[Results]| runs.iter().map(Digest::of).collect::<Vec<_>>();
    let by_history =
        |runs: &[Results]| of_nights(&nights(runs), machine, QUESTION, &Thresholds::default(), section_ns);
    let ranked = advice::rank(by_history(&runs), QUESTION);
    let by_run = rank(&runs, machine, QUESTION);
    assert_eq!(ranked.len(), by_run.len());
    for one in &ranked {
        assert_eq!((one.from, one.started_at.as_str()), (Evidence::History, "2026-11-22T03:15:00Z"));
        let verdict = one.verdict.as_ref().unwrap();
        assert_eq!(verdict.service, Served::CannotBeTold);
        let same = by_run.iter().find(|run| run.lock == one.lock).unwrap();
        // The widest ratio that two intervals allow may span a threshold where ratios by round do not.
        let label = same.verdict.as_ref().unwrap().rate;
        assert!(verdict.rate == label || verdict.rate == Kept::CannotBeTold, "{}", one.lock);
        if label == Kept::Collapses {
            assert_eq!(verdict.rate, label, "{}", one.lock);
        }
    }
    // Of one run its directory speaks, of two runs the newer, wherever it lies.
    let both = || of_runs(&runs, machine, QUESTION).into_iter();
    let ranked = advice::rank(by_history(&runs).into_iter().chain(both()).collect(), QUESTION);
    assert!(ranked.iter().all(|one| one.from == Evidence::Run));
    let newer = by_history(&[run(11, "2026-11-23T03:15:00Z")]);
    let ranked = advice::rank(both().chain(newer).collect(), QUESTION);
    assert!(
        ranked.iter().all(|one| one.from == Evidence::History && one.started_at.starts_with("2026-11-23"))
    );
}

#[test]
fn a_night_of_another_machine_size_or_section_is_no_evidence() {
    let runs = [run(7, "2026-11-22T03:15:00Z")];
    let nights = [Digest::of(&runs[0])];
    let of = |machine: &Machine, question| {
        of_nights(&nights, machine, question, &Thresholds::default(), section_ns).len()
    };
    let here = &runs[0].machine;
    assert!(of(here, QUESTION) > 0);
    assert_eq!(of(here, Question { section_ns: 50_000.0, ..QUESTION }), 0);
    assert_eq!(of(here, Question { vcpus: 5, ..QUESTION }), 0);
    assert_eq!(of(&Machine { cpu_model: "another processor".into(), ..here.clone() }, QUESTION), 0);
}
