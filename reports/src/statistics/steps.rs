//! Two steps at once.
//!
//! A search for one split takes two steps down for one in the middle between them, where they are close and no interval holds just
//! one. Then what is left is no noise: it holds half of each step, and lasts. So pairs of places are tried as well.

use super::two_sided;

/// The two places that divide the values best, into stretches of `fewest` values at least, where a single place leaves more than
/// chance would: in one of `1 / level` series without any step at most. None for fewer values than three such stretches have.
pub(super) fn pair(values: &[f64], fewest: usize, level: f64) -> Option<[usize; 2]> {
    let last = values.len().checked_sub(fewest)?;
    let sums = Sums::of(values);
    let one = (fewest..=last).map(|at| sums.around(&[at])).fold(f64::INFINITY, f64::min);
    let pairs = (fewest..=last).flat_map(|first| (first + fewest..=last).map(move |second| [first, second]));
    let (mut best, mut left, mut tried) = (None, f64::INFINITY, 0.0);
    for pair in pairs {
        let around = sums.around(&pair);
        tried += 1.0;
        if around < left {
            (best, left) = (Some(pair), around);
        }
    }
    let freedom = values.len() as f64 - 3.0;
    let gained = ((one - left).max(0.0) * freedom / left).sqrt();
    best.filter(|_| gained.is_finite() && tried * two_sided(gained, freedom) <= level)
}

/// Sums of the values before each place, and of their squares.
struct Sums {
    plain: Vec<f64>,
    squares: Vec<f64>,
}

impl Sums {
    fn of(values: &[f64]) -> Self {
        // The squares are those of differences from the mean: squares of large numbers would lose the digits that count.
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let (mut plain, mut squares) = (vec![0.0], vec![0.0]);
        let (mut sum, mut square) = (0.0, 0.0);
        for value in values {
            sum += value - mean;
            square += (value - mean).powi(2);
            plain.push(sum);
            squares.push(square);
        }
        Self { plain, squares }
    }

    /// The sum of squares that is left when each stretch between these places is taken at its mean.
    fn around(&self, places: &[usize]) -> f64 {
        let ends = places.iter().copied().chain([self.plain.len() - 1]);
        let mut start = 0;
        let mut left = 0.0;
        for end in ends {
            let sum = self.plain[end] - self.plain[start];
            left += self.squares[end] - self.squares[start] - sum * sum / (end - start) as f64;
            start = end;
        }
        left.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    fn values(seed: u64, steps: [f64; 2]) -> Vec<f64> {
        let mut random = Random::new(seed);
        let step = |night: usize| {
            f64::from(u8::from(night >= 5)) * steps[0] + f64::from(u8::from(night >= 10)) * steps[1]
        };
        (0..15).map(|night| 3.0 + step(night) + 0.02 * random.normal()).collect()
    }

    #[test]
    fn two_steps_are_found_and_one_is_no_pair() {
        for seed in 0..20 {
            assert_eq!(pair(&values(seed, [-0.16, -0.19]), 5, 0.001), Some([5, 10]), "seed {seed}");
        }
        let called = |steps| (0..200).filter(|&seed| pair(&values(seed, steps), 5, 0.001).is_some()).count();
        let (of_one, of_none) = (called([-0.3, 0.0]), called([0.0, 0.0]));
        assert!(of_one <= 2 && of_none <= 2, "{of_one} and {of_none} of 200");
    }

    #[test]
    fn degenerate_inputs() {
        for few in [&[][..], &[1.0; 4], &[1.0; 14]] {
            assert_eq!(pair(few, 5, 0.5), None);
        }
        assert_eq!(pair(&[1.0; 40], 5, 0.5), None);
    }
}
