//! Bootstrap percentile interval of the median.

use super::median::of_sorted;

/// Values from which the bootstrap is trusted; of fewer it resamples too small a world and comes out too narrow.
pub const BOOTSTRAP_FROM: usize = 12;
/// Resamples drawn.
pub const RESAMPLES: usize = 2_000;
/// Seed of the resampling. Fixed, and printed in each report, so that the same rounds always give the same interval.
pub const SEED: u64 = 0x6c6f_636b_6265_6e63;

/// 2.5 % and 97.5 % points of the medians of [`RESAMPLES`] resamples.
pub(super) fn bootstrap(sorted: &[f64]) -> (f64, f64) {
    let mut random = SplitMix(SEED);
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

/// Steele, Lea and Flood's SplitMix64: ample for resampling, and four lines.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, by multiplication: unbiased to within `n` in 2^64.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_sequence() {
        let mut random = SplitMix(1234567);
        assert_eq!(random.next(), 6457827717110365317);
        assert_eq!(random.next(), 3203168211198807973);
    }

    #[test]
    fn covers_the_median_of_a_skewed_sample() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(i).exp().min(1e12)).collect();
        let (low, high) = bootstrap(&values);
        let median = of_sorted(&values).unwrap();
        assert!(low <= median && median <= high && low > values[0] && high < values[39]);
    }
}
