//! Finds where a series of nights changed lastingly.
//!
//! Seeded binary segmentation (Kovács, Bühlmann, Li and Munk 2023): a fixed set of intervals of all lengths is searched
//! for the split that divides it best, and of the splits that are too clear for chance those in the narrowest intervals are
//! kept (narrowest over threshold: Baranowski, Chen and Fryzlewicz 2019). E-divisive tests splits by permuting; this method
//! tests them by Student's t, some thousand times faster, and also finds short regimes inside long ones. Three things make it
//! fit for nights: a single night far off is clipped to its neighbours; the noise is taken from successive differences, which
//! no step inflates; and noise that lasts from night to night widens what counts as chance.

use super::{median, two_sided};

/// A change needs this many nights on either side; with fewer it might be a few bad nights.
pub const FEWEST_NIGHTS: usize = 5;
/// The size of a change is taken from this many nights next to it, on each side.
const NEAR: usize = 30;
/// A night may lie this many standard deviations from its neighbours before it is clipped.
const CLIP: f64 = 3.0;
/// The splits that are tried amount to about this many independent tests a night, as simulation shows.
const TESTS_A_NIGHT: f64 = 2.0;
/// Nights in a block, for measuring noise that lasts.
const BLOCK: usize = 10;
/// Each layer of intervals is shorter than the one before by this factor.
const DECAY: f64 = std::f64::consts::SQRT_2;

/// A series of logarithms, prepared for being searched.
#[derive(Clone, Debug)]
pub struct Course {
    values: Vec<f64>,
    /// Sums of the clipped values before each place.
    sums: Vec<f64>,
    /// Standard deviation of a night, widened for noise that lasts.
    sigma: f64,
    freedom: f64,
}

/// A split of an interval: the first night after it, and the probability that chance makes one as clear.
#[derive(Clone, Copy)]
struct Split {
    start: usize,
    end: usize,
    at: usize,
    p: f64,
}

impl Course {
    /// Prepares a series; `None` if it is too short, or holds values that are not finite.
    pub fn new(values: &[f64]) -> Option<Self> {
        if values.len() < 2 * FEWEST_NIGHTS || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let differences: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        // A series that hardly ever moves still varies in the last digit that it was written with.
        let sigma = (spread(&differences)? / 2.0_f64.sqrt()).max(1e-4);
        let clipped = clipped(values, CLIP * sigma);
        let mut sums = vec![0.0];
        sums.extend(clipped.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        }));
        // A median of n differences is as precise as a mean of 0.37 n squares.
        let freedom = 0.37 * differences.len() as f64;
        let sigma = lasting(&clipped).map_or(sigma, |lasting| sigma.max(lasting));
        Some(Self { values: values.to_vec(), sums, sigma, freedom })
    }

    /// Probability that a series without any change shows one as clear as this one's clearest.
    pub fn strongest(&self) -> f64 {
        self.splits().iter().map(|split| split.p).fold(1.0, f64::min)
    }

    /// The first night after each change whose probability by chance is at most `level` and that is larger than `margin`.
    pub fn changes(&self, level: f64, margin: f64) -> Vec<usize> {
        self.search(level, margin.ln_1p())
    }

    /// Logarithm of the ratio of the nights after a change to those before, each side up to the next change.
    pub fn step(&self, changes: &[usize], index: usize) -> f64 {
        let (before, after) = self.sides(changes, index);
        median(after).unwrap_or(0.0) - median(before).unwrap_or(0.0)
    }

    /// The nights on either side of a change that say how large it is.
    pub fn sides(&self, changes: &[usize], index: usize) -> (&[f64], &[f64]) {
        let at = changes[index];
        let start = if index == 0 { 0 } else { changes[index - 1] };
        let end = changes.get(index + 1).copied().unwrap_or(self.values.len());
        (&self.values[start.max(at.saturating_sub(NEAR))..at], &self.values[at..end.min(at + NEAR)])
    }

    fn search(&self, level: f64, size: f64) -> Vec<usize> {
        let mut splits: Vec<Split> = self.splits().into_iter().filter(|split| split.p <= level).collect();
        splits.sort_by(|a, b| (a.end - a.start).cmp(&(b.end - b.start)).then(a.p.total_cmp(&b.p)));
        let mut changes: Vec<usize> = Vec::new();
        for split in splits {
            if !changes.iter().any(|at| (split.start + 1..split.end).contains(at)) {
                changes.push(split.at);
            }
        }
        changes.sort_unstable();
        self.settle(&mut changes, level, size);
        changes
    }

    /// Moves each change to the best split between its neighbours, and drops changes that are no longer clear or large enough
    /// there, the smallest first and one at a time.
    fn settle(&self, changes: &mut Vec<usize>, level: f64, size: f64) {
        loop {
            for index in 0..changes.len() {
                let (start, end) = self.around(changes, index);
                if let Some(split) = self.best(start, end) {
                    changes[index] = split.at;
                }
            }
            let least = (0..changes.len())
                .filter(|&index| {
                    let (start, end) = self.around(changes, index);
                    let clear = self.best(start, end).is_some_and(|split| split.p <= level);
                    !clear || self.step(changes, index).abs() < size
                })
                .min_by(|&a, &b| self.step(changes, a).abs().total_cmp(&self.step(changes, b).abs()));
            match least {
                Some(index) => drop(changes.remove(index)),
                None => return,
            }
        }
    }

    fn around(&self, changes: &[usize], index: usize) -> (usize, usize) {
        let start = if index == 0 { 0 } else { changes[index - 1] };
        (start, changes.get(index + 1).copied().unwrap_or(self.values.len()))
    }

    /// The best split of each seeded interval.
    fn splits(&self) -> Vec<Split> {
        let n = self.values.len();
        let mut splits = Vec::new();
        let mut length = n as f64;
        while length >= 2.0 * FEWEST_NIGHTS as f64 {
            let count = (2.0 * (n as f64 / length).ceil() - 1.0).max(1.0) as usize;
            let span = (length.ceil() as usize).min(n);
            for k in 0..count {
                let start = if count == 1 { 0 } else { (n - span) * k / (count - 1) };
                splits.extend(self.best(start, start + span));
            }
            length /= DECAY;
        }
        splits
    }

    /// The split of `start..end` whose sides lie farthest apart, in units of their standard error.
    fn best(&self, start: usize, end: usize) -> Option<Split> {
        let mean = |from: usize, to: usize| (self.sums[to] - self.sums[from]) / (to - from) as f64;
        let score = |at: usize| {
            let error = (1.0 / (at - start) as f64 + 1.0 / (end - at) as f64).sqrt();
            (mean(at, end) - mean(start, at)).abs() / error
        };
        let at = (start + FEWEST_NIGHTS..(end + 1).saturating_sub(FEWEST_NIGHTS))
            .max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
        let tests = TESTS_A_NIGHT * self.values.len() as f64;
        let p = (tests * two_sided(score(at) / self.sigma, self.freedom)).min(1.0);
        Some(Split { start, end, at, p })
    }
}

/// Standard deviation of differences of these sizes, by their median or by the mean of all but the largest tenth, whichever is
/// larger. The median alone would not do: counts of twenty or so mostly do not differ at all, and then by five per cent.
fn spread(sizes: &[f64]) -> Option<f64> {
    let mut sorted = sizes.to_vec();
    sorted.sort_by(f64::total_cmp);
    let most = &sorted[..(sorted.len() * 9).div_ceil(10)];
    let trimmed = most.iter().sum::<f64>() / most.len() as f64 / 0.657;
    Some((1.4826 * median(sizes)?).max(trimmed))
}

/// Moves each value to within `reach` of the median of itself and three neighbours on either side.
fn clipped(values: &[f64], reach: f64) -> Vec<f64> {
    let near = |at: usize| &values[at.saturating_sub(3)..(at + 4).min(values.len())];
    let clip = |(at, value): (usize, &f64)| {
        median(near(at)).map_or(*value, |middle| value.clamp(middle - reach, middle + reach))
    };
    values.iter().enumerate().map(clip).collect()
}

/// Standard deviation of a night, estimated from the means of neighbouring blocks of nights: larger than that from single
/// nights where noise lasts from one night to the next. Steps touch few blocks and so hardly change the median.
fn lasting(clipped: &[f64]) -> Option<f64> {
    let differences: Vec<f64> = clipped
        .windows(2 * BLOCK)
        .map(|both| {
            (both[BLOCK..].iter().sum::<f64>() - both[..BLOCK].iter().sum::<f64>()).abs() / BLOCK as f64
        })
        .collect();
    if differences.len() < 2 * BLOCK {
        return None;
    }
    Some(1.4826 * median(&differences)? * (BLOCK as f64 / 2.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    fn noise(random: &mut Random, nights: usize, sigma: f64) -> Vec<f64> {
        (0..nights).map(|_| sigma * random.normal()).collect()
    }

    #[test]
    fn finds_steps_where_they_are() {
        let mut random = Random::new(1);
        let mut values = noise(&mut random, 120, 0.02);
        values[40..].iter_mut().for_each(|value| *value -= 0.2);
        values[90..100].iter_mut().for_each(|value| *value += 0.3);
        let course = Course::new(&values).unwrap();
        let changes = course.changes(0.01, 0.05);
        assert_eq!(changes, [40, 90, 100]);
        assert!((course.step(&changes, 0) + 0.2).abs() < 0.02);
    }

    #[test]
    fn outlier_nights_are_no_changes() {
        let mut random = Random::new(2);
        let mut values = noise(&mut random, 100, 0.02);
        for night in [20, 50, 51, 99] {
            values[night] -= 1.0;
        }
        assert!(Course::new(&values).unwrap().changes(0.05, 0.05).is_empty());
    }

    #[test]
    fn five_new_nights_suffice_for_a_large_step() {
        let mut random = Random::new(3);
        let mut values = noise(&mut random, 60, 0.02);
        values[55..].iter_mut().for_each(|value| *value -= 0.25);
        assert_eq!(Course::new(&values).unwrap().changes(0.001, 0.05), [55]);
    }

    #[test]
    fn a_slow_drift_is_no_step() {
        let mut random = Random::new(4);
        let mut values = noise(&mut random, 365, 0.02);
        values.iter_mut().enumerate().for_each(|(night, value)| *value += 0.0004 * night as f64);
        assert!(Course::new(&values).unwrap().changes(0.05, 0.05).is_empty());
    }

    #[test]
    fn counts_that_differ_by_one_are_no_step() {
        let mut random = Random::new(5);
        let mut values: Vec<f64> =
            (0..60).map(|_| if random.below(4) == 0 { 20.0_f64 } else { 21.0 }.ln()).collect();
        values[30..38].fill(20.0_f64.ln());
        assert!(Course::new(&values).unwrap().changes(0.01, 0.04).is_empty());
    }

    #[test]
    fn degenerate_inputs() {
        assert!(Course::new(&[]).is_none() && Course::new(&[0.0; 9]).is_none());
        assert!(Course::new(&[f64::NAN; 20]).is_none());
        let constant = Course::new(&[3.0; 20]).unwrap();
        assert_eq!((constant.strongest(), constant.changes(0.05, 0.0).len()), (1.0, 0));
        let mut step = vec![3.0; 20];
        step[10..].fill(4.0);
        assert_eq!(Course::new(&step).unwrap().changes(0.05, 0.05), [10]);
    }
}
