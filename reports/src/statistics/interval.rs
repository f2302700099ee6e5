//! A confidence interval of the median that assumes nothing of the distribution.

use super::median::{of_sorted, sorted};
use super::order_statistics::{CONFIDENCE, Cut, covered};
use crate::record::Interval;

/// From this number of values on an interval has its full confidence.
const FULL_FROM: usize = 6;

/// Median with an interval of about 95 % where the number of values allows one: interpolated order statistics.
///
/// Fewer than 6 values give smallest to largest, whose [`coverage`] is below 95 %; [`judge`](super::judge) takes that into
/// account. `None` without a finite value.
pub fn interval(values: &[f64]) -> Option<Interval> {
    let sorted = sorted(values);
    let median = of_sorted(&sorted)?;
    let (low, high) = Cut::of(sorted.len()).ends(&sorted);
    Some(Interval { median, low, high })
}

/// Probability that the interval of `n` values holds the true median: 0.95 from 6 on, 0.9375 for 5, 0.75 for 3, 0 for 0 or 1.
pub fn coverage(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        _ if n >= FULL_FROM => CONFIDENCE,
        _ => covered(n, 0),
    }
}

/// The interval of the inverse ratio; none where that is not finite.
pub fn inverse(interval: Interval) -> Option<Interval> {
    let all = [interval.median, interval.low, interval.high];
    let usable = all.iter().all(|value| *value > 0.0 && (1.0 / value).is_finite());
    usable.then(|| Interval {
        median: 1.0 / interval.median,
        low: 1.0 / interval.high,
        high: 1.0 / interval.low,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n: usize) -> Interval {
        let values: Vec<f64> = (1..=n).map(|i| i as f64).collect();
        interval(&values).unwrap()
    }

    #[test]
    fn fewer_than_six_values_span_smallest_to_largest() {
        assert_eq!((of(5).low, of(5).high), (1.0, 5.0));
        assert_eq!((of(2).low, of(2).high), (1.0, 2.0));
        for (n, expected) in [(5, 0.9375), (3, 0.75), (2, 0.5), (6, 0.95), (100, 0.95)] {
            assert!((coverage(n) - expected).abs() < 1e-12, "{n}");
        }
    }

    #[test]
    fn more_values_are_interpolated() {
        let six = of(6);
        assert!(six.low > 1.0 && six.low < 2.0 && six.high > 5.0 && six.high < 6.0, "{six:?}");
        for n in [6, 7, 12, 24, 200, 201, 10_000] {
            let Interval { median, low, high } = of(n);
            assert_eq!(median, (n + 1) as f64 / 2.0);
            // The ranks are symmetric.
            assert!((low + high - (n + 1) as f64).abs() < 1e-6 && low < median, "{n}");
        }
        assert!((of(24).low - 7.86).abs() < 0.05, "{:?}", of(24));
    }

    #[test]
    fn degenerate_inputs() {
        assert_eq!(interval(&[]), None);
        assert_eq!(interval(&[f64::NAN]), None);
        let one = interval(&[5.0]).unwrap();
        assert_eq!((one.median, one.low, one.high), (5.0, 5.0, 5.0));
        assert_eq!(coverage(1), 0.0);
        let same = interval(&[2.0; 30]).unwrap();
        assert_eq!((same.median, same.low, same.high), (2.0, 2.0, 2.0));
        let huge = interval(&[f64::MAX; 9]).unwrap();
        assert!(huge.low.is_finite() && huge.high.is_finite());
    }
}
