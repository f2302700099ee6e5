//! A share of counted events, with an interval that allows for the error of counting.

use crate::record::Interval;

/// Share `part` of `whole` with its 95 % score interval (Wilson 1927), which stays inside 0 and 1 and also holds for small
/// counts. `None` if `whole` is 0.
pub fn share_interval(part: u64, whole: u64) -> Option<Interval> {
    const Z: f64 = 1.96;
    if whole == 0 || part > whole {
        return None;
    }
    let n = whole as f64;
    let median = part as f64 / n;
    let spread = Z / n * (n * median * (1.0 - median) + Z * Z / 4.0).sqrt();
    let (centre, scale) = (median + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
    let end = |value: f64| (value / scale).clamp(0.0, 1.0);
    Some(Interval { median, low: end(centre - spread), high: end(centre + spread) })
}

#[cfg(test)]
mod tests {
    use super::share_interval;

    #[test]
    fn as_tables_give_it() {
        let half = share_interval(5, 10).unwrap();
        assert!((half.low - 0.2366).abs() < 1e-3 && (half.high - 0.7634).abs() < 1e-3, "{half:?}");
        let none = share_interval(0, 100).unwrap();
        assert!(none.low < 1e-9 && none.high > 0.03 && none.high < 0.04, "{none:?}");
        assert_eq!(share_interval(0, 0), None);
        assert_eq!(share_interval(3, 2), None);
    }
}
