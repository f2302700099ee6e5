//! The fourth question: does it matter for a lock on which NUMA nodes it and its vCPUs lie?

mod handovers;
mod lists;
mod words;

use std::cmp::Ordering::Equal;
use std::collections::BTreeSet;

use super::{Statement, against};
use crate::derive::nodes::{Nodes, count};
use crate::derive::setting::above;
use crate::format::{printable, range, ratio};
use crate::judge::numa::{Change, Contrast, contrasts};
use crate::record::{Interval, LockDescriptor, Results};
use crate::statistics::{MARGIN, Verdict};

/// A sentence names at most this many locks; the table has the others.
const MOST_NAMED: usize = 6;

pub(super) fn statements(results: &Results) -> Vec<Statement> {
    let nodes = count(results);
    if nodes < 2 {
        let mut statements = vec![Statement::new(without_nodes(nodes), None)];
        statements.extend(untold(results));
        return statements;
    }
    let nodes = Nodes::of(&results.machine);
    let contrasts: Vec<Contrast<'_>> =
        contrasts(results).into_iter().filter(|contrast| tells(contrast)).collect();
    let mut statements = vec![headline(&nodes, &contrasts)];
    if contrasts.len() > 1 {
        statements.extend(lists::lists(results, &contrasts));
    }
    statements.extend(handovers::handovers(results, &nodes));
    statements
}

fn without_nodes(nodes: usize) -> String {
    let why = match nodes {
        1 => "NUMA cannot be told here: one node.",
        _ => "NUMA cannot be told here: the record does not say how many nodes the machine has.",
    };
    format!(
        "{why} Run `lockbench suite` on a machine with several nodes; `lockbench suite --plan-only --topology FILE.xml` shows \
         what it would measure there."
    )
}

/// What cannot be told of the locks that prefer waiters by their NUMA node; none where no such lock was measured.
fn untold(results: &Results) -> Option<Statement> {
    let measured = |lock: &LockDescriptor| {
        results.cells.iter().any(|cell| cell.axes.lock == lock.name && cell.ops_per_second.is_some())
    };
    let by_node = results.locks.iter().filter(|lock| lock.by_node && measured(lock));
    let by_node: BTreeSet<&str> = by_node.map(|lock| lock.name.as_str()).collect();
    if by_node.is_empty() {
        return None;
    }
    let prefers = if by_node.len() == 1 { "prefers" } else { "prefer" };
    let text = format!(
        "{} {prefers} waiters of the holder's NUMA node: what that is worth cannot be told here.",
        names(&by_node)
    );
    Some(Statement::new(text, None))
}

/// Whether a contrast says something about nodes: two placements on the same pCPUs do so only if their cells differ.
fn tells(contrast: &Contrast<'_>) -> bool {
    !contrast.on_same_pcpus() || contrast.differs()
}

/// The answer in one sentence, with a clause for memory and one for placement; the one that decides comes first.
fn headline(nodes: &Nodes, contrasts: &[Contrast<'_>]) -> Statement {
    let kinds: Vec<Kind<'_, '_>> =
        [true, false].into_iter().filter_map(|memory| Kind::of(contrasts, memory)).collect();
    let differing = kinds.iter().find(|kind| !kind.differ.is_empty());
    let open = kinds.iter().find(|kind| !kind.open.is_empty());
    let (lead, deciding) = match (differing, open) {
        (Some(kind), _) => ("Yes", kind),
        (None, Some(kind)) => ("Cannot be told", kind),
        (None, None) => match kinds.first() {
            Some(kind) => ("No", kind),
            None => {
                let text = "Cannot be told: no cell was measured with its lock or its vCPUs on other nodes as well. \
                            `lockbench run --memory local,remote,interleave --placement compact,scatter` does so.";
                return Statement::new(text, Some(Verdict::NotEnoughData("nothing to compare".into())));
            }
        },
    };
    let first = std::iter::once(deciding);
    let rest = kinds.iter().filter(|kind| !std::ptr::eq(*kind, deciding));
    let clauses: Vec<String> = first.chain(rest).map(|kind| kind.told(nodes)).collect();
    let verdict = deciding.shown.comparison.verdict.clone();
    Statement::new(format!("{lead}: {}.", clauses.join("; ")), Some(verdict))
}

/// All contrasts of memory, or all of placement.
struct Kind<'c, 'a> {
    /// Locks for which a contrast shows a difference.
    differ: BTreeSet<&'a str>,
    /// Other locks for which a contrast cannot be told.
    open: BTreeSet<&'a str>,
    /// Locks for which all contrasts are the same.
    alike: BTreeSet<&'a str>,
    /// Whether a contrast above 1x cannot be told.
    open_above: bool,
    /// The contrast that says most: the clearest that differs, else the one farthest from 1 that cannot be told, else the one
    /// farthest from 1 of all, where one that takes the lock or the vCPUs far away comes first.
    shown: &'c Contrast<'a>,
}

impl<'c, 'a> Kind<'c, 'a> {
    fn of(contrasts: &'c [Contrast<'a>], memory: bool) -> Option<Self> {
        let all: Vec<&'c Contrast<'a>> =
            contrasts.iter().filter(|one| matches!(one.change, Change::Memory(_)) == memory).collect();
        // Above 1x the order in which vCPUs run decides more than where the lock lies, and A/A pairs scatter so much that
        // little can be told. So a difference seen above 1x counts, but none seen there counts for nothing.
        let plain = |one: &Contrast<'a>| !above(one.cell.axes.overcommit);
        let any_plain = all.iter().any(|one| plain(one));
        let (judged, rest): (Vec<_>, Vec<&Contrast<'a>>) =
            all.into_iter().partition(|one| !any_plain || plain(one) || one.differs());
        let locks = |wanted: &dyn Fn(&Contrast<'a>) -> bool| -> BTreeSet<&'a str> {
            judged.iter().filter(|one| wanted(one)).map(|one| one.cell.axes.lock.as_str()).collect()
        };
        let differ = locks(&|one| one.differs());
        let mut open = locks(&|one| !one.differs() && !one.same());
        open.retain(|lock| !differ.contains(lock));
        let mut alike = locks(&|one| one.same());
        alike.retain(|lock| !differ.contains(lock) && !open.contains(lock));
        let says_most =
            |one: &Contrast<'a>| (one.differs(), !one.same(), one.times.is_some(), one.far(), weight(one));
        let shown = judged.iter().max_by(|a, b| says_most(a).partial_cmp(&says_most(b)).unwrap_or(Equal))?;
        let open_above = rest.iter().any(|one| !one.same());
        Some(Self { differ, open, alike, open_above, shown })
    }

    /// The clause on the contrast that says most, followed by the locks for which it is not so.
    fn told(&self, nodes: &Nodes) -> String {
        let within = format!("within {}", margin());
        let mut told = words::clause(nodes, self.shown);
        if self.differ.is_empty() && self.open.is_empty() {
            told.push_str(&format!(", {within}"));
            if self.alike.len() > 1 {
                told.push_str(" like every other lock");
            }
            if self.open_above {
                told.push_str(", though above 1x it cannot be told");
            }
            return told;
        }
        if !self.alike.is_empty() {
            told.push_str(&format!(", {within} for {}", names(&self.alike)));
        }
        if !self.open.is_empty() && !self.differ.is_empty() {
            told.push_str(&format!(", which cannot be told for {}", names(&self.open)));
        }
        told
    }
}

/// How much a contrast says: the factor by which it differs at least, or, if no difference is shown, by which it may differ at
/// most; 0 if nothing is known.
fn weight(contrast: &Contrast<'_>) -> f64 {
    let Some(times) = contrast.times else { return 0.0 };
    match contrast.comparison.verdict {
        Verdict::Better => 1.0 / times.high,
        Verdict::Worse => times.low,
        _ => times.high.max(1.0 / times.low),
    }
}

fn times_of(times: Interval) -> String {
    format!("{} ({})", ratio(times.median), range(times, ratio))
}

fn margin() -> String {
    format!("{:.0} %", MARGIN * 100.0)
}

/// `ticket, mcs and 3 more`.
fn names(locks: &BTreeSet<&str>) -> String {
    let shown: Vec<String> = locks.iter().take(MOST_NAMED).map(|lock| printable(lock)).collect();
    match (shown.split_last(), locks.len() - shown.len()) {
        (Some((last, [])), 0) => last.clone(),
        (Some((last, rest)), 0) => format!("{} and {last}", rest.join(", ")),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
