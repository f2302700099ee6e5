//! How far two samples are shifted against each other: Hodges and Lehmann's estimate, and what the ranks say of it.
//!
//! The estimate is the median of all differences between a value of one sample and a value of the other. Its interval leaves 0 out
//! where the rank-sum test (Wilcoxon, Mann and Whitney) tells the samples apart at 5 %; next to that level the two may disagree, for
//! each is an approximation of its own. Both hold for values of whatever distribution, so that a few nights in a second mode do not
//! pass for a change, and say more than medians of five values do.

use super::two_sided;
use crate::record::Interval;

/// Standard deviations of a normal distribution within which it has 95 %.
const NORMAL_95: f64 = 1.96;

/// The ranks of five values on either side can say this and hardly more, so no smaller level is asked of them.
pub(super) const RANKS_SAY: f64 = 0.01;

/// A shift from one sample to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    /// Its size with its interval; 0 where a sample is empty.
    pub(super) step: Interval,
    /// Probability that samples of one distribution have ranks as far apart.
    pub(super) p: f64,
}

impl Shift {
    /// The shift from `before` to `after`, whose values must be finite.
    pub(super) fn of(before: &[f64], after: &[f64]) -> Self {
        let mut apart: Vec<f64> =
            after.iter().flat_map(|new| before.iter().map(move |old| new - old)).collect();
        apart.sort_unstable_by(f64::total_cmp);
        let Some(last) = apart.len().checked_sub(1) else {
            return Self { step: Interval { median: 0.0, low: 0.0, high: 0.0 }, p: 1.0 };
        };
        let (one, other) = (before.len() as f64, after.len() as f64);
        let deviation = (one * other * (one + other + 1.0) / 12.0).sqrt();
        let expected = one * other / 2.0;
        // A conversion of a negative number gives 0.
        let cut = ((expected - 0.5 - NORMAL_95 * deviation) as usize).min(last / 2);
        let step = Interval {
            median: f64::midpoint(apart[last / 2], apart[last.div_ceil(2)]),
            low: apart[cut],
            high: apart[last - cut],
        };
        let above = apart.iter().map(|apart| f64::midpoint(1.0, sign(*apart))).sum::<f64>();
        let z = (((above - expected).abs() - 0.5) / deviation).max(0.0);
        Self { step, p: by_chance(z, one + other) }
    }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// Two-sided probability of a standardised rank sum of so many values: the mean of what the normal distribution and Student's t of
/// the ranks say, of which one is too large and the other too small (Iman 1976).
fn by_chance(z: f64, values: f64) -> f64 {
    let left = values - 1.0 - z * z;
    let of_t = if left > 0.0 { two_sided(z * ((values - 2.0) / left).sqrt(), values - 2.0) } else { 0.0 };
    f64::midpoint(two_sided(z, f64::from(u32::MAX)), of_t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    #[test]
    fn probabilities_as_tables_of_the_rank_sum_give_them() {
        let of = |before: &[f64], after: &[f64]| Shift::of(before, after).p;
        // Five against five, wholly apart: 2 of 252 orders. One pair the other way round: 4 of 252.
        let apart = of(&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]);
        let crossed = of(&[1.0, 2.0, 3.0, 4.0, 6.0], &[5.0, 7.0, 8.0, 9.0, 10.0]);
        assert!((apart - 2.0 / 252.0).abs() < 0.002 && apart <= RANKS_SAY, "{apart}");
        assert!((crossed - 4.0 / 252.0).abs() < 0.003 && crossed > RANKS_SAY, "{crossed}");
        assert_eq!(of(&[3.0; 6], &[3.0; 9]), 1.0);
        assert_eq!(of(&[], &[3.0]), 1.0);
    }

    #[test]
    fn intervals_hold_the_shift_and_leave_0_out_if_the_ranks_do() {
        let mut random = Random::new(1);
        for (one, other) in [(5, 5), (5, 30), (12, 7), (30, 30)] {
            let mut held = 0;
            for _ in 0..500 {
                let mut draw = |count: usize, middle: f64| -> Vec<f64> {
                    (0..count).map(|_| middle + random.normal()).collect()
                };
                let Shift { step, p } = Shift::of(&draw(one, 0.0), &draw(other, 1.0));
                held += usize::from(step.low <= 1.0 && 1.0 <= step.high);
                let leaves_out = step.low > 0.0 || step.high < 0.0;
                // Where the two lie on either side of 5 %, they are next to it: the probability is an approximation.
                assert!(leaves_out == (p <= 0.05) || (p - 0.05).abs() < 0.02, "{one}, {other}: {step:?} {p}");
            }
            assert!(held >= 460, "{one}, {other}: {held} of 500");
        }
    }
}
