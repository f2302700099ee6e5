//! What the windows of runs say of how far the runs' medians stray.

use std::f64::consts::FRAC_PI_2;

use super::median;

/// The standard error of the median of one run, from how far the windows of each run lie from their median; none without a run. A
/// few windows far off, as of a second mode, count for nothing here.
pub fn error_of_medians<'a>(runs: impl Iterator<Item = &'a [f64]> + Clone) -> Option<f64> {
    let windows = median(&runs.clone().map(|run| run.len() as f64).collect::<Vec<_>>())?;
    let mut apart: Vec<f64> = Vec::new();
    for run in runs {
        let middle = median(run)?;
        apart.extend(run.iter().map(|window| (window - middle).abs()));
    }
    apart.sort_by(f64::total_cmp);
    // Half of them, or four of five, whichever says more.
    let half = 1.4826 * median(&apart)?;
    let most = apart[(apart.len() * 4 / 5).min(apart.len() - 1)] / 1.2816;
    Some(half.max(most) * (FRAC_PI_2 / (windows + 1.0)).sqrt())
}
