//! Makes verdicts of estimates and spreads.

use super::estimate::Estimate;
use super::spread::Spread;
use super::{OWN_SPREAD_FROM, Row, SPREADS};
use crate::format::ratio as shown;
use crate::record::Interval;
use crate::statistics::{FALSE_DISCOVERIES, Verdict, hierarchical, quantile, two_sided};

/// Weight of the noise group's spread beside the cell's own, as degrees of freedom.
const GROUP_WEIGHT: f64 = 4.0;
/// Probability that the interval of a ratio misses the true one.
const MISSES: f64 = 0.05;
/// Widest bound for *same*, as a fraction: beyond a factor of two the word would say nothing.
const WIDEST_BOUND: f64 = 1.0;

/// Judges all estimates and returns their rows in the same order.
pub(super) fn rows(mut estimates: Vec<Estimate>, spreads: &[Spread], margin: f64) -> Vec<Row> {
    let bounds: Vec<Option<Bound>> = estimates.iter().map(|e| bound(e, spreads)).collect();
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
    /// The ratio by which all cells of the noise group changed together; none if they did not.
    moved_together: Option<f64>,
}

fn bound(estimate: &Estimate, spreads: &[Spread]) -> Option<Bound> {
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
    let error = (variance * (1.0 + 1.0 / runs)).sqrt();
    Some(Bound { error, freedom, moved_together: spread.moved_together })
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// Fills in the p-values and returns which of them survive control of false discoveries: families first, then their cells.
fn believed(estimates: &mut [Estimate], bounds: &[Option<Bound>]) -> Vec<bool> {
    let mut families: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, (estimate, bound)) in estimates.iter_mut().zip(bounds).enumerate() {
        let Some(bound) = bound else { continue };
        let t = if bound.error > 0.0 { estimate.log_ratio / bound.error } else { 0.0 };
        estimate.row.p = Some(two_sided(t, bound.freedom));
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
    let beyond = ratio.median.max(1.0 / ratio.median) > 1.0 + bound;
    let clear = windows.low > 1.0 + practical || windows.high < 1.0 / (1.0 + practical);
    let within = windows.low >= 1.0 / (1.0 + bound) && windows.high <= 1.0 + bound;
    let usual = ratio.low <= 1.0 && ratio.high >= 1.0;
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
    } else if beyond && clear {
        not_enough("among so many cells, one differs this much by chance".into())
    } else if bound > WIDEST_BOUND {
        not_enough(
            "when nothing changed, runs of this noise group lie apart by the bound, which is more than a factor of two".into(),
        )
    } else if !beyond && (within || usual) {
        // What the interval leaves possible.
        estimate.row.bound = Some(ratio.high.max(1.0 / ratio.low) - 1.0);
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
