//! Bootstrap percentile interval of the median.

use super::median::of_sorted;
use super::random::Random;

/// The bootstrap is used from this number of values on; with fewer its interval is too narrow.
pub const BOOTSTRAP_FROM: usize = 12;
/// Number of resamples drawn.
pub const RESAMPLES: usize = 2_000;
/// Seed of the resampling. Fixed, and printed in each report, so that the same rounds always give the same interval.
pub const SEED: u64 = 0x6c6f_636b_6265_6e63;

/// The 2.5 % and 97.5 % points of the medians of [`RESAMPLES`] resamples.
pub(super) fn bootstrap(sorted: &[f64]) -> (f64, f64) {
    let mut random = Random::new(SEED);
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let mut drawn: Vec<f64> = (0..sorted.len()).map(|_| sorted[random.below(sorted.len())]).collect();
            drawn.sort_by(f64::total_cmp);
            of_sorted(&drawn)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    let cut = RESAMPLES / 40;
    (medians[cut], medians[RESAMPLES - 1 - cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_the_median_of_a_skewed_sample() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(i).exp().min(1e12)).collect();
        let (low, high) = bootstrap(&values);
        let median = of_sorted(&values).unwrap();
        assert!(low <= median && median <= high && low > values[0] && high < values[39]);
    }
}
