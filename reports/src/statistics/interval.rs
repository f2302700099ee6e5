//! A confidence interval of the median that assumes nothing of the distribution.

use super::bootstrap::{BOOTSTRAP_FROM, bootstrap};
use super::median::{of_sorted, sorted};
use crate::record::Interval;

/// Coverage of an interval, where the number of values allows it.
const CONFIDENCE: f64 = 0.95;

/// Up to this number of values ranks are computed exactly; with a thousand the powers of one half would underflow.
const EXACT_UP_TO: usize = 200;

/// Median with an interval of at least 95 % where the number of values allows one.
///
/// Up to 11 values it is the order-statistic interval (with 6 values, smallest to largest: 96.9 %); from [`BOOTSTRAP_FROM`]
/// values up the bootstrap percentile interval. Fewer than 6 values give smallest to largest, whose [`coverage`] is below
/// 95 %; [`judge`](super::judge) takes that into account. `None` without a finite value.
pub fn interval(values: &[f64]) -> Option<Interval> {
    if values.iter().filter(|value| value.is_finite()).count() < BOOTSTRAP_FROM {
        return order_interval(values);
    }
    let sorted = sorted(values);
    let (low, high) = bootstrap(&sorted);
    Some(Interval { median: of_sorted(&sorted)?, low, high })
}

/// Median with its order-statistic interval, however many values there are. From [`BOOTSTRAP_FROM`] values up it is a little
/// wider than [`interval`] and some thousand times faster.
pub fn order_interval(values: &[f64]) -> Option<Interval> {
    let sorted = sorted(values);
    let median = of_sorted(&sorted)?;
    let cut = ranks_cut(sorted.len());
    Some(Interval { median, low: sorted[cut], high: sorted[sorted.len() - 1 - cut] })
}

/// Probability that the interval of `n` values holds the true median: 0.969 for 6, 0.75 for 3, 0 for 0 or 1.
pub fn coverage(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        _ if n >= BOOTSTRAP_FROM => CONFIDENCE,
        _ => 1.0 - 2.0 * tail(n, ranks_cut(n)),
    }
}

/// How many values may be cut off at either end with the coverage still at or above [`CONFIDENCE`].
fn ranks_cut(n: usize) -> usize {
    if n > EXACT_UP_TO {
        // With this many values the normal approximation (1.96 standard deviations) is right to within one rank.
        return ((n as f64 - 1.96 * (n as f64).sqrt()) / 2.0) as usize - 1;
    }
    (0..n.div_ceil(2))
        .take_while(|&cut| cut == 0 || 1.0 - 2.0 * tail(n, cut) >= CONFIDENCE)
        .last()
        .unwrap_or(0)
}

/// Probability that at most `k` of `n` values fall below the true median.
fn tail(n: usize, k: usize) -> f64 {
    let mut ways = 1.0;
    let mut sum = 1.0;
    for i in 1..=k {
        ways *= (n + 1 - i) as f64 / i as f64;
        sum += ways;
    }
    sum * 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX))
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

    fn ends(n: usize) -> (f64, f64) {
        let values: Vec<f64> = (1..=n).map(|i| i as f64).collect();
        let interval = interval(&values).unwrap();
        (interval.low, interval.high)
    }

    #[test]
    fn six_rounds_span_smallest_to_largest() {
        assert_eq!(ends(6), (1.0, 6.0));
        assert!((coverage(6) - 0.96875).abs() < 1e-12);
    }

    #[test]
    fn tabulated_ranks() {
        // Ranks and coverages of the sign-test interval, as any table of it gives them.
        assert_eq!(ends(8), (1.0, 8.0));
        assert_eq!(ends(9), (2.0, 8.0));
        assert_eq!(ends(11), (2.0, 10.0));
        assert!((coverage(9) - 0.9609375).abs() < 1e-12);
        assert!((coverage(5) - 0.9375).abs() < 1e-12);
        assert!((coverage(3) - 0.75).abs() < 1e-12);
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
    }

    #[test]
    fn order_statistics_at_any_number() {
        let ends = |n: usize| {
            let values: Vec<f64> = (1..=n).map(|i| i as f64).collect();
            let interval = order_interval(&values).unwrap();
            assert_eq!(interval.median, (n + 1) as f64 / 2.0);
            (interval.low, interval.high)
        };
        assert_eq!(ends(11), (2.0, 10.0));
        // From the same tables.
        assert_eq!(ends(20), (6.0, 15.0));
        assert_eq!(ends(100), (40.0, 61.0));
        assert_eq!(ends(200), (86.0, 115.0));
        assert_eq!(ends(201), (86.0, 116.0));
        assert_eq!(ends(10_000), (4_902.0, 5_099.0));
        assert_eq!(order_interval(&[f64::NAN]), None);
    }

    #[test]
    fn bootstrap_takes_over_and_repeats_itself() {
        let values: Vec<f64> = (1..=24).map(f64::from).collect();
        let first = interval(&values).unwrap();
        assert!(first.low < first.median && first.median < first.high);
        assert!(first.low >= 5.0 && first.high <= 20.0, "{first:?}");
        assert_eq!(Some(first), interval(&values));
    }
}
