//! Whether a window was steady, which shows that its warm-up was long enough.

use super::interval;

/// With fewer samples it cannot be told whether a window was steady.
pub const STEADY_NEEDS: usize = 6;
/// With fewer acquisitions samples are chance: the halves of a perfectly even lock then differ twofold one time in nine.
pub const STEADY_NEEDS_ACQUISITIONS: u64 = 20;
/// Halves whose medians differ by no more than this fraction agree, however narrow their intervals.
const CLOSE: f64 = 0.02;

/// Whether the two halves of a window agree: the intervals of their medians overlap, or the medians lie within 2 %.
///
/// `samples` are acquisitions per second in consecutive parts of the window, `acquisitions` is the number of all acquisitions.
/// None with fewer than [`STEADY_NEEDS`] samples or [`STEADY_NEEDS_ACQUISITIONS`] acquisitions.
pub fn steady(samples: &[f64], acquisitions: u64) -> Option<bool> {
    let unusable = samples.len() < STEADY_NEEDS || samples.iter().any(|sample| !sample.is_finite());
    if unusable || acquisitions < STEADY_NEEDS_ACQUISITIONS {
        return None;
    }
    let (first, second) = samples.split_at(samples.len() / 2);
    let idle = |half: &[f64]| half.iter().all(|sample| *sample == 0.0);
    if idle(first) != idle(second) {
        return Some(false);
    }
    let (first, second) = (interval(first)?, interval(second)?);
    let overlap = first.low <= second.high && second.low <= first.high;
    let apart = (first.median - second.median).abs();
    Some(overlap || apart <= CLOSE * first.median.abs().max(second.median.abs()))
}

#[cfg(test)]
mod tests {
    use super::steady;

    const MANY: u64 = 1_000_000;

    #[test]
    fn noise_is_steady() {
        assert_eq!(steady(&[10.0, 12.0, 9.0, 11.0, 10.0, 12.0, 10.5, 9.5], MANY), Some(true));
    }

    #[test]
    fn a_burst_before_the_convoy_is_not() {
        assert_eq!(steady(&[2e6, 2e6, 1.9e6, 1.8e6, 500.0, 450.0, 470.0, 430.0], MANY), Some(false));
    }

    #[test]
    fn a_burst_before_nothing_is_not() {
        assert_eq!(steady(&[2e6, 0.0, 0.0, 0.0, 0.0, 0.0], MANY), Some(false));
        assert_eq!(steady(&[0.0, 0.0, 0.0, 0.0, 0.0, 2e6], MANY), Some(false));
    }

    #[test]
    fn a_drift_of_a_percent_is() {
        assert_eq!(steady(&[100.0, 100.1, 100.2, 101.0, 101.1, 101.2], MANY), Some(true));
        assert_eq!(steady(&[100.0, 100.1, 100.2, 110.0, 110.1, 110.2], MANY), Some(false));
    }

    #[test]
    fn too_few_samples_show_nothing() {
        assert_eq!(steady(&[], MANY), None);
        assert_eq!(steady(&[1.0; 5], MANY), None);
        assert_eq!(steady(&[1.0, 1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0], MANY), None);
    }

    #[test]
    fn of_a_handful_of_acquisitions_nobody_can_tell() {
        assert_eq!(steady(&[0.0; 10], 0), None);
        assert_eq!(steady(&[50.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 5), None);
        assert_eq!(steady(&[0.0; 10], 19), None);
        assert_eq!(steady(&[100.0; 10], 20), Some(true));
    }
}
