//! Contrasts: pairs of cells that differ only in where the lock lies, or in where the vCPUs run.

use super::groups;
use crate::derive::nodes::LOCAL;
use crate::derive::setting::above;
use crate::format::printable;
use crate::judge::comparison::{Comparison, compare, compare_across};
use crate::record::params::MEMORY;
use crate::record::{Cell, CellAxes, Interval, Results, Status};
use crate::statistics::{FALSE_DISCOVERIES, Verdict, benjamini_hochberg, inverse};

/// How a cell differs from the one that it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change<'a> {
    /// Its lock and data do not lie in local memory; this is the policy's name.
    Memory(&'a str),
    /// Its vCPUs run elsewhere; this is the placement's name.
    Placement(&'a str),
}

/// A cell and the one that differs from it only in memory or placement.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast<'a> {
    /// What is different.
    pub change: Change<'a>,
    /// The cell.
    pub cell: &'a Cell,
    /// The cell that it is compared with: the one with local memory, or on as few nodes as possible.
    pub near: &'a Cell,
    /// Time an acquisition takes in `cell` over that in `near`; above 1 where the change costs. None where it cannot be told.
    pub times: Option<Interval>,
    /// The comparison of their *rates*.
    pub comparison: Comparison,
}

impl Contrast<'_> {
    /// Whether the change is shown to make a difference.
    pub fn differs(&self) -> bool {
        matches!(self.comparison.verdict, Verdict::Better | Verdict::Worse)
    }

    /// Whether the change is shown to make no difference that matters.
    pub fn same(&self) -> bool {
        self.comparison.verdict == Verdict::Same
    }

    /// Whether the lock lies on another node than the vCPUs, or they are spread over nodes.
    pub fn far(&self) -> bool {
        match self.change {
            Change::Memory(policy) => policy == "remote",
            Change::Placement(placement) => rank(placement) == Some(SPREAD),
        }
    }

    /// What is compared with what: `remote to local memory`, `scatter to compact above 1x`.
    pub fn name(&self) -> String {
        let over = if above(self.cell.axes.overcommit) { " above 1x" } else { "" };
        match self.change {
            Change::Memory(policy) => format!("{} to local memory{over}", printable(policy)),
            Change::Placement(placement) => {
                format!("{} to {}{over}", printable(placement), printable(&self.near.axes.placement))
            }
        }
    }

    /// The verdict in words that fit a ratio of times, since the comparison's own verdict is on rates.
    pub fn verdict(&self) -> String {
        match &self.comparison.verdict {
            Verdict::Better => "faster".into(),
            Verdict::Worse => "slower".into(),
            other => other.to_string(),
        }
    }

    /// Whether both cells run on the same pCPUs though they are placed differently; that they do not differ then says nothing
    /// about nodes.
    pub fn on_same_pcpus(&self) -> bool {
        let sorted = |cell: &Cell| {
            let mut pcpus = cell.axes.pcpus.clone();
            pcpus.sort_unstable();
            pcpus
        };
        matches!(self.change, Change::Placement(_)) && sorted(self.cell) == sorted(self.near)
    }
}

/// Every contrast of a run: of memory, then of placement, each in plan order.
pub fn contrasts(results: &Results) -> Vec<Contrast<'_>> {
    let mut contrasts = Vec::new();
    for cells in groups(results, but_for_memory) {
        let Some(near) = cells.iter().find(|cell| memory(&cell.axes) == LOCAL) else { continue };
        let others = cells.iter().filter(|cell| memory(&cell.axes) != LOCAL);
        contrasts.extend(others.map(|cell| {
            contrast(Change::Memory(memory(&cell.axes)), cell, near, compare(results, cell, near))
        }));
    }
    for cells in groups(results, but_for_placement) {
        let packed = cells.iter().filter(|cell| rank(&cell.axes.placement) < Some(SPREAD));
        // A cell that was measured comes before one that was not, for others are compared with it.
        let near = packed.min_by_key(|cell| (cell.status != Status::Ok, rank(&cell.axes.placement)));
        let Some(near) = near else { continue };
        let others = cells.iter().filter(|cell| cell.axes.placement != near.axes.placement);
        contrasts.extend(others.map(|cell| {
            let change = Change::Placement(&cell.axes.placement);
            contrast(change, cell, near, compare_across(results, cell, near))
        }));
    }
    believed(&mut contrasts);
    contrasts
}

/// Takes back differences that may be chance, given how many contrasts there are.
fn believed(contrasts: &mut [Contrast<'_>]) {
    let chances: Vec<f64> =
        contrasts.iter().map(|contrast| contrast.comparison.chance.unwrap_or(1.0)).collect();
    let all = contrasts.len();
    for (contrast, believed) in contrasts.iter_mut().zip(benjamini_hochberg(&chances, FALSE_DISCOVERIES)) {
        if contrast.differs() && !believed {
            contrast.comparison.verdict = Verdict::NotEnoughData(format!(
                "the rounds scatter so much that, of {all} such comparisons, one may come out like this by chance"
            ));
        }
    }
}

fn but_for_memory(mut axes: CellAxes) -> Option<CellAxes> {
    axes.params.remove(MEMORY);
    Some(axes)
}

/// The axes without the placement and without the numbers of the pCPUs, which follow from it; how many pCPUs there are stays.
/// None for a placement that has nothing to do with nodes.
fn but_for_placement(mut axes: CellAxes) -> Option<CellAxes> {
    rank(&axes.placement)?;
    axes.placement.clear();
    axes.pcpus.fill(0);
    Some(axes)
}

fn contrast<'a>(change: Change<'a>, cell: &'a Cell, near: &'a Cell, comparison: Comparison) -> Contrast<'a> {
    let times = comparison.ratio.and_then(inverse);
    Contrast { change, cell, near, times, comparison }
}

/// Where a cell's lock was asked to lie.
fn memory(axes: &CellAxes) -> &str {
    axes.params.get(MEMORY).map_or(LOCAL, String::as_str)
}

/// Rank of placements that spread over nodes.
const SPREAD: u64 = u64::MAX - 1;

/// Ranks placements that concern nodes: those that take fewest nodes come first. None for other placements.
fn rank(placement: &str) -> Option<u64> {
    match placement {
        "compact" => Some(0),
        "node:first" => Some(1),
        "scatter" | "round-robin" => Some(SPREAD),
        other => other.strip_prefix("node:")?.parse::<u32>().ok().map(|node| u64::from(node) + 2),
    }
}
