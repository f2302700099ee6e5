//! Whether a window had left its warm-up behind.

use super::interval;

/// Samples below which nothing can be said of a window's course.
pub const STEADY_NEEDS: usize = 6;
/// Halves whose medians lie this close agree, however narrow their intervals: 2 %.
const CLOSE: f64 = 0.02;

/// Whether the two halves of a window agree: the intervals of their medians overlap, or the medians lie within 2 %.
///
/// `samples` are acquisitions per second in consecutive parts of the window. Fewer than [`STEADY_NEEDS`] cannot
/// show it, and count as not steady.
pub fn steady(samples: &[f64]) -> bool {
    if samples.len() < STEADY_NEEDS || samples.iter().any(|sample| !sample.is_finite()) {
        return false;
    }
    let (first, second) = samples.split_at(samples.len() / 2);
    let (Some(first), Some(second)) = (interval(first), interval(second)) else { return false };
    let overlap = first.low <= second.high && second.low <= first.high;
    let apart = (first.median - second.median).abs();
    overlap || apart <= CLOSE * first.median.abs().max(second.median.abs())
}

#[cfg(test)]
mod tests {
    use super::steady;

    #[test]
    fn noise_is_steady() {
        assert!(steady(&[10.0, 12.0, 9.0, 11.0, 10.0, 12.0, 10.5, 9.5]));
        assert!(steady(&[0.0; 10]), "a window without acquisitions is the same throughout");
    }

    #[test]
    fn a_burst_before_the_convoy_is_not() {
        assert!(!steady(&[2e6, 2e6, 1.9e6, 1.8e6, 500.0, 450.0, 470.0, 430.0]));
    }

    #[test]
    fn a_drift_of_a_percent_is() {
        assert!(steady(&[100.0, 100.1, 100.2, 101.0, 101.1, 101.2]));
        assert!(!steady(&[100.0, 100.1, 100.2, 110.0, 110.1, 110.2]));
    }

    #[test]
    fn too_few_samples_show_nothing() {
        assert!(!steady(&[]));
        assert!(!steady(&[1.0; 5]));
        assert!(!steady(&[1.0, 1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0]));
    }
}
