//! Finds where a series of nights changed lastingly.
//!
//! Seeded binary segmentation (Kovács, Bühlmann, Li and Munk 2023): a fixed set of intervals of all lengths is searched
//! for the split that divides it best, and of the splits that are too clear for chance those in the narrowest intervals are
//! kept (narrowest over threshold: Baranowski, Chen and Fryzlewicz 2019). What lies between them is searched once more, for
//! where changes follow each other closely no interval of the set may hold just one. E-divisive (Matteson and James 2014) tests
//! splits by permuting; this method tests them by Student's t, some thousand times faster, and also finds short regimes inside
//! long ones. Two things make it fit for nights: a single night far off counts for nothing, and the noise is known from
//! `night_noise.rs` and `kin.rs`, which neither take a step for noise nor noise that lasts from night to night for a step.

use super::night_noise::{MANY, NightNoise, without_outliers};
use super::shift::{RANKS_SAY, Shift};
use super::steps;
use super::two_sided;
use crate::record::Interval;

/// A change needs this many nights on either side; with fewer it might be a few bad nights.
pub const FEWEST_NIGHTS: usize = 5;
/// The size of a change is taken from this many nights next to it, on each side.
const NEAR: usize = 30;
/// Each layer of intervals is shorter than the one before by this factor.
const DECAY: f64 = std::f64::consts::SQRT_2;
/// The first pass takes a split for a step unless chance makes one as clear in every other series.
const LENIENT: f64 = 0.5;
/// The pass is repeated with the noise that the first one leaves, which is larger than that one assumed where noise lasts. What
/// this noise makes by chance in every fifth series is no step.
const LESS_LENIENT: f64 = 0.2;
/// Two steps at once are taken for steps only where chance makes them in one of a thousand series: noise that lasts looks like two
/// steps more often than like one.
const CLEAR_PAIR: f64 = 0.001;
/// A change divides the nights around it into this many stretches, in each of which a further change is searched.
const STRETCHES: f64 = 2.0;

/// A series of logarithms, prepared for being searched.
#[derive(Clone, Debug)]
pub struct Course {
    values: Vec<f64>,
    /// The values without outliers.
    clean: Vec<f64>,
    /// Sums of the clean values before each place.
    sums: Vec<f64>,
    noise: NightNoise,
    /// The standard deviation of a night is taken to be this at least.
    least_sigma: f64,
    /// Variance of the mean of so many nights, in units of the variance of one.
    of_mean: Vec<f64>,
}

/// A split of an interval: the first night after it, and the probability that chance makes one as clear.
#[derive(Clone, Copy)]
struct Split {
    start: usize,
    end: usize,
    at: usize,
    /// Among all splits of the series.
    p: f64,
    /// Among the splits of this interval, which other changes left to be searched.
    p_here: f64,
}

/// What makes a split a change.
#[derive(Clone, Copy)]
struct Wanted {
    /// Its probability by chance is at most this.
    level: f64,
    /// Logarithm of the least size; 0 in the passes that look for the noise, which ask for clearness alone.
    size: f64,
}

impl Course {
    /// Prepares a series; `None` if it is too short, or holds values that are not finite. A night strays by `least_sigma` at least,
    /// whatever the nights seem to say: few nights, or nights that repeat each other, say too little.
    pub fn new(values: &[f64], least_sigma: f64) -> Option<Self> {
        if values.len() < 2 * FEWEST_NIGHTS || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut noise = NightNoise::of_differences(values)?;
        noise.sigma = noise.sigma.max(least_sigma);
        let clean = without_outliers(values, &noise);
        let mut sums = vec![0.0];
        sums.extend(clean.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        }));
        let mut course =
            Self { values: values.to_vec(), clean, sums, noise, least_sigma, of_mean: Vec::new() };
        course.set_noise(noise);
        for level in [LENIENT, LESS_LENIENT] {
            let found = course.residual_noise(level);
            course.set_noise(NightNoise { freedom: MANY, ..found });
            course.noise = found;
        }
        Some(course)
    }

    /// Probability that a series without any change shows one as clear as this one's clearest that is larger than `margin`.
    pub fn strongest(&self, margin: f64) -> f64 {
        self.splits(margin.ln_1p()).iter().map(|split| split.p).fold(1.0, f64::min)
    }

    /// The first night after each change whose probability by chance is at most `level`, that is larger than `margin`, and whose
    /// ranks tell its sides apart.
    pub fn changes(&self, level: f64, margin: f64) -> Vec<usize> {
        self.search(Wanted { level, size: margin.ln_1p() })
    }

    /// Logarithm of the ratio of the nights after a change to those before, each side up to the next change, with its interval.
    pub fn step(&self, changes: &[usize], index: usize) -> Interval {
        self.shift(changes, index).step
    }

    pub(super) fn noise(&self) -> &NightNoise {
        &self.noise
    }

    pub(super) fn set_noise(&mut self, noise: NightNoise) {
        self.noise = noise;
        self.of_mean = (0..=self.values.len()).map(|nights| noise.of_mean(nights as f64)).collect();
    }

    /// The shift between the nights on either side of a change.
    fn shift(&self, changes: &[usize], index: usize) -> Shift {
        let (start, end) = self.around(changes, index);
        let at = changes[index];
        Shift::of(&self.values[start.max(at.saturating_sub(NEAR))..at], &self.values[at..end.min(at + NEAR)])
    }

    /// The noise of what is left when all that looks like a step is taken out. A single step may hide in the noise that it makes
    /// itself. So where nothing looks like one, the best split counts as a step as much as chance does not make it.
    fn residual_noise(&self, level: f64) -> NightNoise {
        let mut places = self.search(Wanted { level, size: 0.0 });
        if places.len() < 2 {
            places = steps::pair(&self.clean, FEWEST_NIGHTS, CLEAR_PAIR).map_or(places, Vec::from);
        }
        match self.best(0, self.values.len(), 0.0).filter(|_| places.is_empty()) {
            Some(split) => self.noise_around(&[]).mixed(self.noise_around(&[split.at]), split.p),
            None => self.noise_around(&places),
        }
    }

    fn noise_around(&self, places: &[usize]) -> NightNoise {
        NightNoise::of_residuals(self.stretches(places).map(|(start, end)| &self.clean[start..end]))
    }

    fn search(&self, wanted: Wanted) -> Vec<usize> {
        let mut splits: Vec<Split> =
            self.splits(wanted.size).into_iter().filter(|split| split.p <= wanted.level).collect();
        splits.sort_by(|a, b| (a.end - a.start).cmp(&(b.end - b.start)).then(a.p.total_cmp(&b.p)));
        let mut changes: Vec<usize> = Vec::new();
        for split in splits {
            if !changes.iter().any(|at| (split.start + 1..split.end).contains(at)) {
                changes.push(split.at);
            }
        }
        changes.sort_unstable();
        self.settle(&mut changes, wanted);
        // What is added may be dropped again; then nothing new was found.
        for _ in 0..self.values.len() {
            let mut more = changes.clone();
            let between =
                self.stretches(&changes).filter_map(|(start, end)| self.best(start, end, wanted.size));
            more.extend(between.filter(|split| split.p_here <= wanted.level).map(|split| split.at));
            more.sort_unstable();
            self.settle(&mut more, wanted);
            if more.len() <= changes.len() {
                break;
            }
            changes = more;
        }
        // What other changes leave is searched for less clear ones, but one must be clear among all splits of the series.
        let clear = |split: Split| split.p <= wanted.level;
        let any = (0..changes.len()).any(|index| {
            let (start, end) = self.around(&changes, index);
            self.best(start, end, wanted.size).is_some_and(clear)
        });
        if any { changes } else { Vec::new() }
    }

    /// Moves each change to the best split between its neighbours, and drops changes that are no changes there, the smallest
    /// first and one at a time. So a step that was split in two near its place is one again before it is judged.
    fn settle(&self, changes: &mut Vec<usize>, wanted: Wanted) {
        loop {
            for index in 0..changes.len() {
                let (start, end) = self.around(changes, index);
                if let Some(split) = self.best(start, end, wanted.size) {
                    changes[index] = split.at;
                }
            }
            let size = |index| self.step(changes, index).median.abs();
            let least = (0..changes.len())
                .filter(|&index| !self.is_change(changes, index, wanted))
                .min_by(|&a, &b| size(a).total_cmp(&size(b)));
            match least {
                Some(index) => drop(changes.remove(index)),
                None => return,
            }
        }
    }

    fn is_change(&self, changes: &[usize], index: usize, wanted: Wanted) -> bool {
        let (start, end) = self.around(changes, index);
        let clear = self.best(start, end, wanted.size).is_some_and(|split| split.p_here <= wanted.level);
        let large = || {
            let shift = self.shift(changes, index);
            shift.step.median.abs() >= wanted.size && shift.p <= wanted.level.max(RANKS_SAY)
        };
        clear && (wanted.size == 0.0 || large())
    }

    fn around(&self, changes: &[usize], index: usize) -> (usize, usize) {
        let start = if index == 0 { 0 } else { changes[index - 1] };
        (start, changes.get(index + 1).copied().unwrap_or(self.values.len()))
    }

    /// The stretches between changes.
    fn stretches(&self, changes: &[usize]) -> impl Iterator<Item = (usize, usize)> {
        let ends = changes.iter().copied().chain([self.values.len()]);
        std::iter::once(0).chain(changes.iter().copied()).zip(ends)
    }

    /// The best split of each seeded interval, as [`Self::best`] finds it.
    fn splits(&self, least: f64) -> Vec<Split> {
        let n = self.values.len();
        let mut splits = Vec::new();
        let mut length = n as f64;
        while length >= 2.0 * FEWEST_NIGHTS as f64 {
            let count = (2.0 * (n as f64 / length).ceil() - 1.0).max(1.0) as usize;
            let span = (length.ceil() as usize).min(n);
            for k in 0..count {
                let start = if count == 1 { 0 } else { (n - span) * k / (count - 1) };
                splits.extend(self.best(start, start + span, least));
            }
            length /= DECAY;
        }
        splits
    }

    /// The split of `start..end` whose sides lie farthest apart, in units of their standard error, among those whose sides lie
    /// `least` apart at least: the middle of a slow drift may be clearer than a step near an end of it, and is none.
    fn best(&self, start: usize, end: usize, least: f64) -> Option<Split> {
        let mean = |from: usize, to: usize| (self.sums[to] - self.sums[from]) / (to - from) as f64;
        let score = |at: usize| {
            let error = (self.of_mean[at - start] + self.of_mean[end - at]).sqrt();
            let apart = (mean(at, end) - mean(start, at)).abs();
            if apart < least { 0.0 } else { apart / error }
        };
        let at = (start + FEWEST_NIGHTS..(end + 1).saturating_sub(FEWEST_NIGHTS))
            .max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
        let sigma = self.noise.sigma.max(self.least_sigma);
        let by_chance = two_sided(score(at) / sigma, self.noise.freedom);
        let p = (tests(self.values.len()) * by_chance).min(1.0);
        Some(Split { start, end, at, p, p_here: (STRETCHES * tests(end - start) * by_chance).min(p) })
    }
}

/// The number of independent tests that all splits of a series amount to, as simulation shows: 1 of ten nights, 38 of thirty,
/// 1,056 of two hundred.
fn tests(nights: usize) -> f64 {
    (0.4 * (nights as f64 - 9.0).powf(1.5)).max(1.0)
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
        let course = Course::new(&values, 0.0).unwrap();
        let changes = course.changes(0.01, 0.05);
        assert_eq!(changes, [40, 90, 100]);
        assert!((course.step(&changes, 0).median + 0.2).abs() < 0.02);
    }

    #[test]
    fn outlier_nights_are_no_changes() {
        let mut random = Random::new(2);
        let mut values = noise(&mut random, 100, 0.02);
        for night in [20, 50, 51, 99] {
            values[night] -= 1.0;
        }
        assert!(Course::new(&values, 0.0).unwrap().changes(0.05, 0.05).is_empty());
    }

    #[test]
    fn five_new_nights_suffice_for_a_large_step() {
        let mut random = Random::new(3);
        let mut values = noise(&mut random, 60, 0.02);
        values[55..].iter_mut().for_each(|value| *value -= 0.25);
        assert_eq!(Course::new(&values, 0.0).unwrap().changes(0.001, 0.05), [55]);
    }

    #[test]
    fn a_slow_drift_is_no_step() {
        let mut random = Random::new(4);
        let mut values = noise(&mut random, 365, 0.02);
        values.iter_mut().enumerate().for_each(|(night, value)| *value += 0.0004 * night as f64);
        assert!(Course::new(&values, 0.0).unwrap().changes(0.05, 0.05).is_empty());
    }

    #[test]
    fn counts_that_differ_by_one_are_no_step() {
        let called = (0..200).filter(|&seed| {
            let mut random = Random::new(seed);
            let mut count = || if random.below(4) == 0 { 20.0_f64 } else { 21.0 };
            let values: Vec<f64> = (0..60).map(|_| count().ln()).collect();
            !Course::new(&values, 0.0).unwrap().changes(0.05, 0.04).is_empty()
        });
        assert!(called.count() <= 4);
    }

    #[test]
    fn a_step_between_40_and_60_nights_does_not_pass_for_noise() {
        for nights in [20, 30, 40, 45, 52, 60, 90] {
            let mut random = Random::new(6);
            let mut values = noise(&mut random, nights, 0.025);
            values[nights / 2..].iter_mut().for_each(|value| *value -= 0.1);
            let changes = Course::new(&values, 0.0).unwrap().changes(0.01, 0.05);
            assert_eq!(changes.len(), 1, "{nights} nights: {changes:?}");
            assert!(changes[0].abs_diff(nights / 2) <= 1, "{nights} nights: {changes:?}");
        }
    }

    #[test]
    fn changes_every_thirty_nights_do_not_pass_for_noise() {
        let mut random = Random::new(7);
        let mut values = noise(&mut random, 180, 0.025);
        let up = |night: usize| night / 30 % 2 == 1;
        values.iter_mut().enumerate().filter(|(night, _)| up(*night)).for_each(|(_, value)| *value += 0.2);
        let changes = Course::new(&values, 0.0).unwrap().changes(0.01, 0.05);
        assert_eq!(changes, [30, 60, 90, 120, 150]);
    }

    #[test]
    fn changes_that_follow_each_other_closely_are_found_though_no_interval_holds_just_one() {
        let found = (0..100).filter(|&seed| {
            let mut random = Random::new(seed);
            let mut values = noise(&mut random, 17, 0.02);
            values[5..].iter_mut().for_each(|value| *value -= 0.2);
            values[11..].iter_mut().for_each(|value| *value -= 0.2);
            Course::new(&values, 0.0).unwrap().changes(0.05, 0.05) == [5, 11]
        });
        assert!(found.count() >= 90);
    }

    #[test]
    fn noise_that_lasts_is_no_step_in_short_series_either() {
        for nights in [20, 30, 45] {
            let called = (0..200).filter(|&seed| {
                let mut random = Random::new(seed);
                let mut last = random.normal();
                let mut next = || {
                    last = 0.5 * last + 0.75_f64.sqrt() * random.normal();
                    0.1 * last
                };
                let values: Vec<f64> = (0..nights).map(|_| next()).collect();
                !Course::new(&values, 0.0).unwrap().changes(0.01, 0.05).is_empty()
            });
            let called = called.count();
            assert!(called <= 16, "{nights} nights: {called} of 200");
        }
    }

    #[test]
    fn a_step_split_in_two_near_its_place_does_not_vanish() {
        let mut random = Random::new(8);
        let mut values = noise(&mut random, 120, 0.04);
        values[57..62].copy_from_slice(&[0.0, -0.2, 0.05, 0.0, -0.2]);
        values[62..].iter_mut().for_each(|value| *value -= 0.2);
        let course = Course::new(&values, 0.0).unwrap();
        let wanted = Wanted { level: 0.05, size: 0.05 };
        let split = [57, 62];
        assert!((0..2).any(|index| !course.is_change(&split, index, wanted)));
        let mut changes = split.to_vec();
        course.settle(&mut changes, wanted);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!((57..=62).contains(&changes[0]) && course.is_change(&changes, 0, wanted));
    }

    #[test]
    fn degenerate_inputs() {
        assert!(Course::new(&[], 0.0).is_none() && Course::new(&[0.0; 9], 0.0).is_none());
        assert!(Course::new(&[f64::NAN; 20], 0.0).is_none());
        let constant = Course::new(&[3.0; 20], 0.0).unwrap();
        assert_eq!((constant.strongest(0.05), constant.changes(0.05, 0.0).len()), (1.0, 0));
        let mut step = vec![3.0; 20];
        step[10..].fill(4.0);
        assert_eq!(Course::new(&step, 0.0).unwrap().changes(0.05, 0.05), [10]);
    }
}
