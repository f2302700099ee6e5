//! From estimates and spreads to verdicts.

use super::estimate::Estimate;
use super::spread::Spread;
use super::{OWN_SPREAD_FROM, Row, SPREADS};
use crate::format::{percent, ratio as shown};
use crate::statistics::{FALSE_DISCOVERIES, Verdict, hierarchical, two_sided};

/// Weight of the class's spread beside a cell's own, as degrees of freedom.
const CLASS_WEIGHT: f64 = 4.0;
/// Beyond a factor of two, "same" would say nothing.
const WIDEST_BOUND: f64 = 1.0;

/// Judges all estimates; in their order.
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

/// What a cell's difference is measured by.
#[derive(Clone, Copy)]
struct Bound {
    /// Standard error of the logarithm of the ratio, between runs.
    error: f64,
    /// Degrees of freedom behind it.
    freedom: f64,
    /// The whole class moved by this ratio.
    moved_together: Option<f64>,
}

fn bound(estimate: &Estimate, spreads: &[Spread]) -> Option<Bound> {
    if estimate.settled {
        return None;
    }
    let kin =
        |s: &&Spread| (s.metric, &s.class, &s.env) == (estimate.row.metric, &estimate.class, &estimate.env);
    let spread = spreads.iter().find(kin)?;
    // The spread is that of a ratio of two runs; each has its half of the variance.
    let of_class = spread.sigma * spread.sigma / 2.0;
    let runs = estimate.base_logs.len() as f64;
    let (variance, freedom) = if estimate.base_logs.len() >= OWN_SPREAD_FROM {
        let own = runs - 1.0;
        let variance = (CLASS_WEIGHT * of_class + own * variance(&estimate.base_logs)) / (CLASS_WEIGHT + own);
        (variance, CLASS_WEIGHT + own)
    } else {
        (of_class, CLASS_WEIGHT)
    };
    let error = (variance * (1.0 + 1.0 / runs)).sqrt();
    Some(Bound { error, freedom, moved_together: spread.moved_together })
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// Fills in the p-values and says which survive control of false discoveries: families first, then their cells.
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

fn verdict(estimate: &mut Estimate, by: Bound, believed: bool, margin: f64) {
    let Some(ratio) = estimate.row.ratio else { return };
    let practical = margin.max(estimate.floor.unwrap_or(0.0));
    let spread = (SPREADS * by.error).exp() - 1.0;
    let bound = practical.max(spread);
    estimate.row.bound = Some(bound);
    let not_enough = |why: String| Verdict::NotEnoughData(why);
    let beyond = ratio.median.max(1.0 / ratio.median) > 1.0 + bound;
    let clear = ratio.low > 1.0 + practical || ratio.high < 1.0 / (1.0 + practical);
    estimate.row.verdict = if let Some(moved) = by.moved_together {
        not_enough(format!(
            "all {} cells in {} moved together, by {}: one run each cannot tell the machine from the code, a duel can",
            estimate.class,
            estimate.env,
            shown(moved)
        ))
    } else if beyond && clear && believed {
        if ratio.median > 1.0 { Verdict::Better } else { Verdict::Worse }
    } else if beyond && clear {
        not_enough("among so many cells one differs as much by chance".into())
    } else if bound > WIDEST_BOUND {
        not_enough(format!("runs of this class lie up to {} apart when nothing changed", percent(bound)))
    } else if ratio.low >= 1.0 / (1.0 + bound) && ratio.high <= 1.0 + bound {
        Verdict::Same
    } else {
        not_enough(format!("the interval straddles the {} that runs of this class differ by", percent(bound)))
    };
    if let Some(reason) = &estimate.untold {
        estimate.row.verdict.worse_at_most(reason);
    }
}
