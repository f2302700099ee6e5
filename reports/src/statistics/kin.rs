//! Steadies the noise of a series by that of its kin, the series of its noise group.
//!
//! Twenty nights tell the noise of one series badly, that of a hundred series well. How much alike the series of a group are
//! is seen from how far their variances lie apart beyond chance, and each variance is drawn towards the group's as much as
//! that supports: empirical Bayes (Smyth 2004, "Linear models and empirical Bayes methods"). Groups whose series differ much
//! are hardly steadied. A series far noisier than its group would be judged too kindly by it, so it keeps its own noise
//! (Phipson and others 2016 make such exceptions in the same way).

use super::change_points::Course;
use super::gamma::{digamma, trigamma, trigamma_inverse};
use super::night_noise::{MANY, NightNoise};
use super::student::f_tail;

/// With fewer kin it cannot be told how much alike they are.
pub const FEWEST_KIN: usize = 6;
/// Part of the series that may be left out of their group by chance.
const EXCEPTION: f64 = 0.001;
/// Standard deviations beyond which that part of normal values lies, on one side.
const EXCEPTION_Z: f64 = 3.09;

/// Steadies the noise of courses that are kin by each other; leaves it as it is if there are too few.
pub fn steady_by_kin(courses: &mut [&mut Course]) {
    if courses.len() < FEWEST_KIN {
        return;
    }
    let noises: Vec<NightNoise> = courses.iter().map(|course| *course.noise()).collect();
    let variances = Variances::of(&noises);
    let correlations = Correlations::of(&noises);
    for (course, noise) in courses.iter_mut().zip(noises) {
        course.set_noise(correlations.steady(variances.steady(noise)).counting_uncertainty());
    }
}

/// The variances of a group: as if each had been seen with `freedom` degrees of freedom before, and found to be `typical`.
struct Variances {
    typical: f64,
    freedom: f64,
}

impl Variances {
    fn of(noises: &[NightNoise]) -> Self {
        let all = Self::fit(noises.iter());
        // Those that are no kin must not blur how much alike the others are.
        let kin: Vec<&NightNoise> = noises.iter().filter(|noise| !all.excepts(noise)).collect();
        if kin.len() < FEWEST_KIN { all } else { Self::fit(kin.into_iter()) }
    }

    /// Smyth's estimate: the logarithm of a variance with d degrees of freedom has a known mean and a known variance, the digamma
    /// and trigamma function of d / 2; what the logarithms vary by beyond that are differences between series.
    fn fit<'a>(noises: impl Iterator<Item = &'a NightNoise> + Clone) -> Self {
        let logs: Vec<f64> = noises
            .clone()
            .map(|n| 2.0 * n.sigma.ln() - digamma(n.freedom / 2.0) + (n.freedom / 2.0).ln())
            .collect();
        let by_chance: Vec<f64> = noises.map(|n| trigamma(n.freedom / 2.0)).collect();
        let beyond = variance(&logs) - mean(&by_chance);
        let freedom = 2.0 * trigamma_inverse(beyond.max(0.0), MANY / 2.0);
        Self { typical: (mean(&logs) + digamma(freedom / 2.0) - (freedom / 2.0).ln()).exp(), freedom }
    }

    fn excepts(&self, noise: &NightNoise) -> bool {
        f_tail(noise.sigma.powi(2) / self.typical, noise.freedom, self.freedom) < EXCEPTION
    }

    fn steady(&self, noise: NightNoise) -> NightNoise {
        if self.excepts(&noise) {
            return noise;
        }
        let freedom = self.freedom + noise.freedom;
        let variance = (self.freedom * self.typical + noise.freedom * noise.sigma.powi(2)) / freedom;
        NightNoise { sigma: variance.sqrt(), freedom: freedom.min(MANY), ..noise }
    }
}

/// The correlations of a group: normal around a mean.
struct Correlations {
    mean: f64,
    /// Variance between series.
    between: f64,
}

impl Correlations {
    fn of(noises: &[NightNoise]) -> Self {
        let found: Vec<f64> = noises.iter().map(|noise| noise.correlation).collect();
        let by_chance: Vec<f64> = noises.iter().map(|noise| noise.uncertainty).collect();
        Self { mean: mean(&found), between: (variance(&found) - mean(&by_chance)).max(0.0) }
    }

    fn steady(&self, noise: NightNoise) -> NightNoise {
        let apart = (self.between + noise.uncertainty).sqrt();
        if noise.correlation > self.mean + EXCEPTION_Z * apart || apart == 0.0 {
            return noise;
        }
        let own = self.between / (self.between + noise.uncertainty);
        NightNoise {
            correlation: own * noise.correlation + (1.0 - own) * self.mean,
            uncertainty: own * noise.uncertainty,
            ..noise
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let middle = mean(values);
    values.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    fn seen(random: &mut Random, sigma: f64, freedom: usize) -> NightNoise {
        let squares = (0..freedom).map(|_| (sigma * random.normal()).powi(2)).sum::<f64>();
        NightNoise {
            sigma: (squares / freedom as f64).sqrt(),
            freedom: freedom as f64,
            correlation: 0.2 * random.normal(),
            uncertainty: 0.04,
        }
    }

    #[test]
    fn series_that_are_alike_share_their_noise() {
        let mut random = Random::new(1);
        let noises: Vec<NightNoise> = (0..100).map(|_| seen(&mut random, 0.03, 15)).collect();
        let group = Variances::of(&noises);
        assert!(group.freedom > 60.0 && (group.typical.sqrt() - 0.03).abs() < 0.001, "{}", group.freedom);
        let steadied = group.steady(noises[0]);
        assert!((steadied.sigma - 0.03).abs() < 0.003 && steadied.freedom > 75.0);
        assert!(Correlations::of(&noises).steady(noises[0]).correlation.abs() < 0.1);
    }

    #[test]
    fn series_that_differ_are_left_as_they_are() {
        let mut random = Random::new(2);
        let noises: Vec<NightNoise> =
            (0..100).map(|series| seen(&mut random, 0.01 * (0.03 * f64::from(series)).exp(), 30)).collect();
        let group = Variances::of(&noises);
        assert!(group.freedom < 6.0, "{}", group.freedom);
        assert!((group.steady(noises[99]).sigma / noises[99].sigma - 1.0).abs() < 0.15);
    }

    #[test]
    fn one_noisy_series_is_not_judged_by_a_quiet_group() {
        let mut random = Random::new(3);
        let mut noises: Vec<NightNoise> = (0..100).map(|_| seen(&mut random, 0.02, 20)).collect();
        noises[7] = NightNoise { correlation: 0.69, ..seen(&mut random, 0.1, 20) };
        let steadied = Correlations::of(&noises).steady(Variances::of(&noises).steady(noises[7]));
        assert_eq!((steadied.sigma, steadied.correlation), (noises[7].sigma, 0.69));
        assert!(Variances::of(&noises).freedom > 60.0, "and the group is steadied as if it were not there");
    }
}
