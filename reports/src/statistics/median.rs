//! The median.

/// Median of the finite values; of an even number, the mean of the middle two. `None` if there are none.
pub fn median(values: &[f64]) -> Option<f64> {
    of_sorted(&sorted(values))
}

/// Median of values that each stand for `count` others; sorts them. `None` without a count.
pub fn weighted_median(values: &mut [(f64, u64)]) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total = values.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    let mut seen = 0_u64;
    values.iter().find_map(|&(value, count)| {
        seen = seen.saturating_add(count);
        (count > 0 && seen >= total.div_ceil(2)).then_some(value)
    })
}

/// The median and the 99th percentile, each the nearest rank; sorts the values. `None` if there are none.
pub fn middle_and_99th(values: &mut [f64]) -> Option<[f64; 2]> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some([0.5, 0.99].map(|part| values[(last as f64 * part).round() as usize]))
}

/// The finite values in ascending order.
pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    finite
}

/// Median of finite values in ascending order.
pub(super) fn of_sorted(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted[sorted.len() / 2 - 1];
    // Halved before they are added: the sum of two huge values would be infinite.
    Some(lower / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests {
    use super::{median, middle_and_99th, weighted_median};

    #[test]
    fn known_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[7.0]), Some(7.0));
    }

    #[test]
    fn weights_count() {
        assert_eq!(weighted_median(&mut [(9.0, 1), (1.0, 10), (5.0, 3)]), Some(1.0));
        assert_eq!(weighted_median(&mut [(9.0, 30), (1.0, 10), (5.0, 3)]), Some(9.0));
        assert_eq!(weighted_median(&mut [(9.0, 0)]), None);
        assert_eq!(weighted_median(&mut []), None);
    }

    #[test]
    fn the_middle_and_the_99th_percentile_are_values_of_the_list() {
        let mut values: Vec<f64> = (0..=1_000).rev().map(f64::from).collect();
        assert_eq!(middle_and_99th(&mut values), Some([500.0, 990.0]));
        assert_eq!(middle_and_99th(&mut [4.0, 1.0]), Some([4.0, 4.0]));
        assert_eq!(middle_and_99th(&mut []), None);
    }

    #[test]
    fn nothing_to_say_of_nothing() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[f64::NAN, f64::INFINITY]), None);
    }

    #[test]
    fn values_that_are_not_finite_are_left_out() {
        assert_eq!(median(&[f64::NAN, 5.0, f64::NEG_INFINITY]), Some(5.0));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }
}
