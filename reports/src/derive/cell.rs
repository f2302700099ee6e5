//! Makes the results of one cell from its rounds.

use std::collections::{BTreeMap, BTreeSet};

use super::disturbances::{disturbances, left_out, why_disturbed};
use super::{Selection, causes, latency, operations, schedule};
use crate::format::{count, counted, percent, rate};
use crate::record::{
    Cell, CellAxes, Distance, Exclusion, FAILED_ACQUISITIONS, Fairness, Interval, Outcome, Purpose, Round,
    Start, Status,
};
use crate::statistics::{Class, Spans, interval, jain, median, rate_interval, shares};

pub(super) fn derive(axes: CellAxes, mut rounds: Vec<Round>, class: &Class, ordered: bool) -> Cell {
    let (status, reason) = status(&rounds);
    let exclusion = exclusion(&rounds, status);
    let mut notes = if status == Status::Ok { skips(&rounds) } else { Vec::new() };
    // The second runs of A/A pairs belong to the noise floor; only their failures concern the cell.
    rounds.retain(|round| round.purpose != Purpose::Twin);
    // A lock that failed never yields a number, not even for its windows before the failure.
    let ok = status == Status::Ok;
    let used = ok.then(|| Selection::usable(&rounds, Purpose::Rate).in_class(class));
    let windows = used.as_ref().map_or_else(Vec::new, Selection::windows);
    let spans = Spans::of(windows.iter().map(|window| &window.trips));
    let (counters, counted_operations) = counters(&rounds);
    notes.extend(failed_acquisitions(&counters, counted_operations));
    if let Some(used) = &used {
        notes.extend(qualifications(&rounds, used));
        // Not a reason why there is no figure.
        notes.extend(what_counts(&axes).into_iter().chain(pages(&counters)).filter(|_| !windows.is_empty()));
    }
    let mut cell = Cell {
        status,
        reason,
        exclusion,
        ops_per_second: rate_interval(&windows),
        fairness: fairness(used.as_ref(), &rounds),
        acquire_ns: if ok { latency::acquire(&rounds) } else { None },
        causes: if ok { causes::causes(&rounds) } else { None },
        schedule: schedule::schedule(&rounds),
        verdict: None,
        law: None,
        counters,
        counted_operations,
        on_cpu_share: on_cpu_share(&rounds),
        windows_used: windows.len() as u32,
        rounds_used: windows.iter().map(|window| window.round).collect(),
        interconnect_ns: spans.first(),
        distances: distances(&spans),
        residence: rounds.iter().rev().find_map(|round| round.measured()?.residence.clone()),
        notes,
        rounds,
        axes,
    };
    if let Some(schedule) = &mut cell.schedule {
        schedule::keep_one_log(&mut cell.rounds, schedule, ordered);
    }
    cell
}

/// The worst that happened in any window, and its reason.
fn status(rounds: &[Round]) -> (Status, Option<String>) {
    let failed = |round: &Round| match &round.outcome {
        Outcome::Measured(_) => None,
        Outcome::Broken { reason } => Some((3, Status::Broken, reason.clone())),
        Outcome::Crashed { reason } => Some((2, Status::Crashed, reason.clone())),
        Outcome::Hung { reason } => Some((1, Status::Hung, reason.clone())),
        Outcome::Skipped { reason, .. } => Some((0, Status::Skipped, reason.clone())),
    };
    if rounds.is_empty() {
        return (Status::Skipped, Some("the run ended before this cell was measured".into()));
    }
    let Some((severity, status, reason)) =
        rounds.iter().filter_map(failed).reduce(|worst, next| if next.0 > worst.0 { next } else { worst })
    else {
        return undisturbed(rounds);
    };
    let alike = rounds.iter().filter_map(failed).filter(|failure| failure.0 == severity).count();
    let measured = rounds.iter().any(|round| matches!(round.outcome, Outcome::Measured(_)));
    if status == Status::Skipped && measured {
        return undisturbed(rounds);
    }
    if alike == rounds.len() {
        return (status, Some(reason));
    }
    (status, Some(format!("{reason} (in {alike} of {} windows)", rounds.len())))
}

/// `Ok` for a cell with at least one undisturbed window; skipped if something reached into every window.
fn undisturbed(rounds: &[Round]) -> (Status, Option<String>) {
    if rounds.iter().filter_map(Round::measured).any(|measured| measured.disturbed.is_none()) {
        return (Status::Ok, None);
    }
    (Status::Skipped, Some(why_disturbed(rounds)))
}

fn exclusion(rounds: &[Round], status: Status) -> Exclusion {
    let mut checked = rounds.iter().filter_map(|round| Some(round.measured()?.exclusion_checked));
    match status {
        Status::Broken => Exclusion::Violated,
        _ => match checked.next() {
            Some(true) if checked.all(|each| each) => Exclusion::Held,
            _ => Exclusion::Unchecked,
        },
    }
}

fn fairness(used: Option<&Selection<'_>>, rounds: &[Round]) -> Fairness {
    let over = |of: &dyn Fn(&[u64]) -> Option<f64>| {
        let windows = used.into_iter().flat_map(Selection::each);
        median(&windows.filter_map(|measured| of(&measured.operations)).collect::<Vec<_>>())
    };
    let quiet = rounds.iter().filter_map(Round::measured).filter(|measured| measured.disturbed.is_none());
    let longest_run = quiet.map(|measured| measured.longest_run).max().filter(|&run| run > 0);
    Fairness {
        jain: over(&jain),
        min_share: over(&|counts| shares(counts)?.into_iter().reduce(f64::min)),
        max_share: over(&|counts| shares(counts)?.into_iter().reduce(f64::max)),
        longest_run,
    }
}

fn counters(rounds: &[Round]) -> (BTreeMap<String, u64>, u64) {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    let mut counted = 0_u64;
    for measured in Selection::counted(rounds).each() {
        counted = counted.saturating_add(operations(measured));
        for (name, &count) in &measured.counters {
            let sum = sums.entry(name.clone()).or_default();
            *sum = sum.saturating_add(count);
        }
        if !measured.steal_ns.is_empty() {
            let sum = sums.entry("steal_ns".into()).or_default();
            *sum = measured.steal_ns.iter().fold(*sum, |sum, &ns| sum.saturating_add(ns));
        }
    }
    (sums, counted)
}

fn on_cpu_share(rounds: &[Round]) -> Option<f64> {
    let shares: Vec<f64> = Selection::counted(rounds)
        .each()
        .flat_map(|measured| measured.on_cpu_share.iter().copied())
        .filter(|share| share.is_finite())
        .collect();
    (!shares.is_empty())
        .then(|| shares.iter().sum::<f64>() / shares.len() as f64)
        .filter(|mean| mean.is_finite())
}

/// The distances of named pairs. Where the first two pCPUs are the only pair it has no name: `interconnect_ns` is its distance.
fn distances(spans: &Spans) -> Vec<Distance> {
    let named = spans.named();
    named.map(|(pair, [shortest_ns, longest_ns])| Distance { pair, shortest_ns, longest_ns }).collect()
}

/// Notes on skipped windows of a cell that was measured: each reason once, with the number of rounds.
pub(crate) fn skips(rounds: &[Round]) -> Vec<String> {
    let all: BTreeSet<u32> = rounds.iter().map(|round| round.round).collect();
    let mut reasons: Vec<(&str, bool, BTreeSet<u32>)> = Vec::new();
    for round in rounds {
        let Outcome::Skipped { reason, passing } = &round.outcome else { continue };
        match reasons.iter_mut().find(|(known, ..)| known == reason) {
            Some((.., skipped)) => _ = skipped.insert(round.round),
            None => reasons.push((reason, *passing, BTreeSet::from([round.round]))),
        }
    }
    let note = |(reason, passing, skipped): (&str, bool, BTreeSet<u32>)| {
        let again = if passing { "" } else { " and not tried again" };
        format!("skipped in {} of {} rounds{again}: {reason}", skipped.len(), all.len())
    };
    reasons.into_iter().map(note).collect()
}

/// What the rate counts, where that is not the acquisitions of one lock whose exclusion is checked; none otherwise.
fn what_counts(axes: &CellAxes) -> Option<String> {
    match (axes.workload.locks, axes.workload.section.as_str()) {
        (_, "alone") => Some("nothing was checked in the sections: one vCPU was alone".into()),
        (0 | 1, _) => None,
        (_, "nested") => Some(
            "the rate counts the acquisitions of both locks: half of the requests take the inner one inside the outer one, the others \
             the inner one alone"
                .into(),
        ),
        (locks, _) => Some(format!("the rate counts the acquisitions of all {locks} locks together")),
    }
}

/// How many of the sections that touched a page took a page fault; none where no section touched one.
fn pages(counters: &BTreeMap<String, u64>) -> Option<String> {
    let count = |name: &str| counters.get(name).copied();
    let (faulted, present) = (count("pages_faulted")?, count("pages_present").unwrap_or(0));
    let brought = count("pages_brought");
    let others: f64 = present as f64 + brought.unwrap_or(0) as f64;
    if others == 0.0 {
        return (faulted > 0).then(|| "every section took a page fault".into());
    }
    let why = match (brought, present) {
        (Some(_), 0) => "one fault brings a huge page, which many sections touch".into(),
        (Some(_), _) => format!(
            "one fault brings a huge page, which many sections touch; {} came before there was a new page",
            percent(present as f64 / (faulted as f64 + others))
        ),
        (None, _) => "the others came before there was a new page".to_owned(),
    };
    Some(format!(
        "{} of the sections took a page fault; {why}",
        percent(faulted as f64 / (faulted as f64 + others))
    ))
}

/// What a reader of the cell's figures must know.
fn qualifications(rounds: &[Round], used: &Selection<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let all = Selection::measured(rounds, &[Purpose::Rate]);
    let moved = all.each().filter(|measured| measured.moved && measured.disturbed.is_none()).count();
    if moved > 0 {
        notes.push(format!("{moved} of {} windows left out: the pCPUs moved apart or together", all.len()));
    }
    let other = all.len() - moved - used.len() - left_out(rounds);
    if other > 0 {
        notes.push(format!("{other} of {} windows left out: the pCPUs were at another distance", all.len()));
    }
    let own = || used.each().filter(|measured| !measured.throttled());
    let of = |steady| own().filter(|measured| measured.steady == steady).count();
    let (unsteady, untold) = (of(Some(false)), of(None));
    if unsteady > 0 {
        notes.push(format!("{unsteady} of {} windows not steady", used.len()));
    }
    if untold > 0 {
        notes.push(format!(
            "{untold} of {} windows had too few acquisitions to tell whether they were steady",
            used.len()
        ));
    }
    notes.extend(disturbances(rounds).into_iter().map(|(_, note)| note));
    notes.extend(starts_disagree(used));
    notes.extend(placement_notes(rounds).into_iter().cloned());
    notes
}

/// What is told of a lock that gives acquisitions up.
fn failed_acquisitions(counters: &BTreeMap<String, u64>, succeeded: u64) -> Option<String> {
    let failed = *counters.get(FAILED_ACQUISITIONS)?;
    (failed > 0).then(|| {
        format!(
            "{} failed, by a timeout or at a deadlock, beside {} that succeeded: the rate counts these alone",
            counted(failed as usize, "acquisition"),
            count(succeeded)
        )
    })
}

/// The windows' notes on their placement, each sentence once.
pub(crate) fn placement_notes(rounds: &[Round]) -> Vec<&String> {
    let mut notes = Vec::new();
    for note in rounds.iter().filter_map(Round::measured).flat_map(|measured| &measured.notes) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// Windows that began with every vCPU queued must agree with those that began with the lock free: otherwise the
/// warm-up was too short for one of them.
fn starts_disagree(used: &Selection<'_>) -> Option<String> {
    let of = |start: Start| -> Option<Interval> {
        let rates: Vec<f64> = used
            .iter()
            .filter(|selected| selected.measured.start == start)
            .map(|selected| selected.window.rate())
            .collect();
        if rates.len() < 2 { None } else { interval(&rates) }
    };
    let (free, queued) = (of(Start::Free)?, of(Start::Queued)?);
    // Two or three windows on each side scatter more than their extremes show, so only a factor of 1.5 shows that a warm-up
    // was too short.
    let apart = free.low > queued.high * 1.5 || queued.low > free.high * 1.5;
    apart.then(|| {
        format!(
            "starts disagree: {} from a free lock, {} from a full queue",
            rate(free.median),
            rate(queued.median)
        )
    })
}
