//! Makes verdicts of estimates and spreads.

use super::estimate::Estimate;
use super::shift::left;
use super::spread::Spread;
use super::{OWN_SPREAD_FROM, Row, SPREADS};
use crate::format::ratio as shown;
use crate::record::Interval;
use crate::statistics::{FALSE_DISCOVERIES, Verdict, hierarchical, quantile, two_sided};

/// Weight of the noise group's spread beside the cell's own, as degrees of freedom.
const GROUP_WEIGHT: f64 = 4.0;
/// Degrees of freedom of a cell's own noise for each window beyond the first of an earlier run: a quarter, for the median of a run differs by
/// more than its windows do by chance, and by how much more varies from cell to cell.
const OF_A_WINDOW: f64 = 0.25;
/// If the windows of one side make a run as far off as the other side is more often than this, the difference says nothing.
const BY_MODES: f64 = 0.01;
/// Probability that the interval of a ratio misses the true one.
const MISSES: f64 = 0.05;
/// What runs differ by when nothing changed, or what the interval leaves possible, is at most this for *same*, as a fraction: beyond a
/// factor of two the word would say nothing.
const WIDEST_BOUND: f64 = 1.0;

/// Judges all estimates and returns their rows in the same order.
pub(super) fn rows(mut estimates: Vec<Estimate>, spreads: &[Spread], margin: f64) -> Vec<Row> {
    let bounds: Vec<Option<Bound>> =
        estimates.iter().map(|e| bound(e, spreads, left(e, &estimates, margin))).collect();
    let believed = believed(&mut estimates, &bounds);
    let judged = estimates.into_iter().zip(bounds).zip(believed);
    judged
        .map(|((mut estimate, bound), believed)| {
            if let Some(bound) = bound {
                verdict(&mut estimate, bound, believed, margin);
            }
            estimate.row
        })
        .collect()
}

/// What a cell's difference is compared with.
#[derive(Clone, Copy)]
struct Bound {
    /// Standard error of the logarithm of the ratio, between runs.
    error: f64,
    /// Degrees of freedom of that error.
    freedom: f64,
    /// What is left of the logarithm of the ratio when a small shift of all cells is taken off.
    left: f64,
    /// How many standard errors that is.
    t: f64,
    /// The ratio by which all cells of the noise group changed together; none if they did not.
    moved_together: Option<f64>,
}

fn bound(estimate: &Estimate, spreads: &[Spread], left: f64) -> Option<Bound> {
    if estimate.settled {
        return None;
    }
    let kin =
        |s: &&Spread| (s.metric, &s.class, &s.env) == (estimate.row.metric, &estimate.group, &estimate.env);
    let spread = spreads.iter().find(kin)?;
    // The spread is that of the ratio of two runs, so each run has half of that variance.
    let of_group = spread.sigma * spread.sigma / 2.0;
    let runs = estimate.base_logs.len() as f64;
    let (variance, freedom) = if estimate.base_logs.len() >= OWN_SPREAD_FROM {
        let own = runs - 1.0;
        let variance = (GROUP_WEIGHT * of_group + own * variance(&estimate.base_logs)) / (GROUP_WEIGHT + own);
        (variance, GROUP_WEIGHT + own)
    } else {
        (of_group, GROUP_WEIGHT)
    };
    // By chance that may be too little, and what the cell's windows differ by shows it.
    let error = |own: f64| (variance.max(own * own) * (1.0 + 1.0 / runs)).sqrt();
    let (own, both) = (&estimate.own, error(estimate.own.error));
    let freedom = freedom + OF_A_WINDOW * (estimate.windows as f64 - 1.0) * runs;
    let errors = |distance: f64, error: f64| if error > 0.0 { distance.abs() / error } else { 0.0 };
    // However much the windows of NEW differ, these are far off if the nearest of them is.
    let t = errors(left, both).max(errors(own.apart, error(own.error_of_base)));
    Some(Bound { error: both, freedom, left, t, moved_together: spread.moved_together })
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// Whether the cell's modes explain its difference.
fn by_modes(estimate: &Estimate) -> bool {
    estimate.own.by_modes > BY_MODES
}

/// Fills in the p-values and returns which of them survive control of false discoveries: families first, then their cells.
fn believed(estimates: &mut [Estimate], bounds: &[Option<Bound>]) -> Vec<bool> {
    let mut families: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, (estimate, bound)) in estimates.iter_mut().zip(bounds).enumerate() {
        let Some(bound) = bound else { continue };
        let p = two_sided(bound.t, bound.freedom);
        estimate.row.p = Some(if by_modes(estimate) { p.max(estimate.own.by_modes) } else { p });
        let name = &estimate.row.family;
        match families.iter_mut().find(|(known, _)| known == name) {
            Some((_, members)) => members.push(index),
            None => families.push((name.clone(), vec![index])),
        }
    }
    let p = |index: &usize| estimates[*index].row.p.unwrap_or(1.0);
    let members: Vec<Vec<f64>> =
        families.iter().map(|(_, members)| members.iter().map(p).collect()).collect();
    let mut believed = vec![false; estimates.len()];
    for ((_, members), yes) in families.iter().zip(hierarchical(&members, FALSE_DISCOVERIES)) {
        for (&index, yes) in members.iter().zip(yes) {
            believed[index] = yes;
        }
    }
    believed
}

/// The interval of the ratio. It allows for what runs differ by, in NEW and in BASE (Student's t with the freedom of that
/// estimate), and is never narrower than the one that the windows alone give. That one knows nothing of other runs: taken for
/// the interval of the ratio it would hold the truth in two rows of three.
fn interval(windows: Interval, by: Bound) -> Interval {
    let reach = (quantile(MISSES, by.freedom) * by.error).exp();
    let Interval { median, low, high } = windows;
    Interval { median, low: low.min(median / reach), high: high.max(median * reach) }
}

fn verdict(estimate: &mut Estimate, by: Bound, believed: bool, margin: f64) {
    let Some(windows) = estimate.windows_ratio else { return };
    let ratio = interval(windows, by);
    estimate.row.ratio = Some(ratio);
    // A/A pairs say what two windows of one run differ by. From some runs on the cell's own history says it of runs.
    let floor = estimate.floor.filter(|_| estimate.base_logs.len() < OWN_SPREAD_FROM);
    let practical = margin.max(floor.unwrap_or(0.0));
    let spread = (SPREADS * by.error).exp() - 1.0;
    let bound = practical.max(spread);
    estimate.row.bound = Some(bound);
    let not_enough = |why: String| Verdict::NotEnoughData(why);
    let beyond = by.left.abs() > bound.ln_1p();
    let clear = windows.low > 1.0 + practical || windows.high < 1.0 / (1.0 + practical);
    let within = windows.low >= 1.0 / (1.0 + bound) && windows.high <= 1.0 + bound;
    // The largest change that the interval leaves possible.
    let possible = ratio.high.max(1.0 / ratio.low) - 1.0;
    let usual = ratio.low <= 1.0 + margin && ratio.high >= 1.0 / (1.0 + margin);
    estimate.row.verdict = if let Some(moved) = by.moved_together {
        not_enough(format!(
            "all {} cells in {} changed together, by {}: with one run on each side a change of the machine cannot be told \
             from one of the code; a duel can tell them apart",
            estimate.group,
            estimate.env,
            shown(moved)
        ))
    } else if beyond && clear && believed {
        if ratio.median > 1.0 { Verdict::Better } else { Verdict::Worse }
    } else if beyond && clear && by_modes(estimate) {
        not_enough(
            "some windows of one side lie as far off as the other side does: the cell has two modes, and a run shows either by \
             chance"
                .into(),
        )
    } else if beyond && clear {
        not_enough("among so many cells, one differs this much by chance".into())
    } else if bound.min(possible) > WIDEST_BOUND {
        not_enough(
            "when nothing changed, runs of this noise group lie apart by the bound, which is more than a factor of two".into(),
        )
    } else if !beyond && (within || usual) {
        estimate.row.bound = Some(possible);
        Verdict::Same
    } else {
        not_enough(
            "the interval straddles the bound: what runs of this noise group differ by when nothing changed"
                .into(),
        )
    };
    if let Some(reason) = &estimate.untold {
        estimate.row.verdict.worse_at_most(reason);
    }
}
