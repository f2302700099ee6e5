//! The noise of a series of nights: how far a night strays, and how much of that lasts into the next night.
//!
//! A step must not pass for noise, nor noise that lasts for a step. So the noise is taken twice. The first estimate, from the
//! differences of successive nights, is hardly touched by a step, and too small where noise lasts. It serves for a first pass
//! of the search (`change_points.rs`). The second estimate is taken from what that pass leaves unexplained, where the steps are
//! gone: the standard deviation, and the correlation of a night with the next one. Noise that lasts is that of an
//! autoregressive process of first order, which takes one number and so can be told from twenty nights; blocks of nights,
//! which assume less, need forty.

use super::median;

/// A night may lie this many standard deviations from the median of its neighbours before it counts as an outlier.
const OUTLIER: f64 = 3.5;
/// A correlation above this could not be told from steps.
const MOST_LASTING: f64 = 0.7;
/// From this number of degrees of freedom on Student's t is normal, as far as anybody can tell.
pub(super) const MANY: f64 = 1000.0;
/// A series that hardly ever moves still varies in the last digit that it was written with.
const LEAST_SIGMA: f64 = 1e-4;

/// Noise of a series of logarithms.
#[derive(Clone, Copy, Debug)]
pub(super) struct NightNoise {
    /// Standard deviation of a night.
    pub(super) sigma: f64,
    /// Degrees of freedom of that estimate.
    pub(super) freedom: f64,
    /// Correlation of a night with the next, as estimated; it may be below 0 by chance.
    pub(super) correlation: f64,
    /// Variance of that estimate.
    pub(super) uncertainty: f64,
}

impl NightNoise {
    /// The estimate from the sizes of the differences of successive nights: half of them by their median, or all but the largest
    /// tenth by their mean, whichever is larger. The median alone would not do: counts of twenty or so mostly do not differ at
    /// all, and then by five per cent.
    pub(super) fn of_differences(values: &[f64]) -> Option<Self> {
        let mut sizes: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let most = &sizes[..(sizes.len() * 9).div_ceil(10)];
        let trimmed = most.iter().sum::<f64>() / most.len() as f64 / 0.657;
        let sigma = (1.4826 * median(&sizes)?).max(trimmed) / 2.0_f64.sqrt();
        Some(Self { sigma: sigma.max(LEAST_SIGMA), freedom: MANY, correlation: 0.0, uncertainty: 0.0 })
    }

    /// The estimate from what is left of values when each of these stretches of nights is taken at its mean.
    pub(super) fn of_residuals<'a>(stretches: impl Iterator<Item = &'a [f64]>) -> Self {
        let (mut nights, mut count, mut pairs) = (0.0, 0.0, 0.0);
        let (mut squares, mut products) = (0.0, 0.0);
        for stretch in stretches {
            let mean = stretch.iter().sum::<f64>() / stretch.len() as f64;
            squares += stretch.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            products += stretch.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>();
            nights += stretch.len() as f64;
            pairs += stretch.len() as f64 - 1.0;
            count += 1.0;
        }
        let freedom = f64::max(nights - count, 1.0);
        // Residuals are less correlated than what they are left of, by about (1 + 3 correlation) / nights for each mean (Marriott
        // and Pope 1954). A place that was chosen to fit costs as much as a mean.
        let visible = f64::max(1.0 - 3.0 * count / nights, 0.25);
        let raw = if squares > 0.0 { (products / pairs) / (squares / nights) } else { 0.0 };
        let correlation = (raw + (2.0 * count - 1.0) / nights) / visible;
        let mut noise = Self { sigma: LEAST_SIGMA, freedom, correlation, uncertainty: 0.0 };
        noise.uncertainty = (1.0 - noise.lasting().powi(2)) / nights / visible.powi(2);
        // A mean follows noise that lasts, and so takes more of the variance away than that of its one degree of freedom.
        let length = nights / count;
        let hidden = (1.0 - 1.0 / length) / f64::max(1.0 - noise.of_mean(length), 0.2);
        noise.sigma = (squares / freedom * hidden).sqrt().max(LEAST_SIGMA);
        noise
    }

    /// A noise between this one and another one, of which this one counts for `part`.
    pub(super) fn mixed(self, other: Self, part: f64) -> Self {
        let between = |one: f64, other: f64| part * one + (1.0 - part) * other;
        Self {
            sigma: between(self.sigma.powi(2), other.sigma.powi(2)).sqrt(),
            freedom: between(self.freedom, other.freedom),
            correlation: between(self.correlation, other.correlation),
            uncertainty: between(self.uncertainty, other.uncertainty),
        }
    }

    /// The correlation of a night with the next, where it is believed.
    pub(super) fn lasting(&self) -> f64 {
        self.correlation.clamp(0.0, MOST_LASTING)
    }

    /// Variance of the mean of so many nights, in units of the variance of one.
    pub(super) fn of_mean(&self, nights: f64) -> f64 {
        let r = self.lasting();
        ((1.0 + r) / (1.0 - r) - 2.0 * r * (1.0 - r.powf(nights)) / (nights * (1.0 - r).powi(2))) / nights
    }

    /// The noise with fewer degrees of freedom, for its correlation is an estimate as well: to first order the logarithm of the
    /// long-run variance varies by 2 / (1 - r²) times as much as the correlation r. That matters where noise lasts.
    pub(super) fn counting_uncertainty(self) -> Self {
        let r = self.lasting();
        let lost = 2.0 * r * self.uncertainty / (1.0 - r * r).powi(2);
        Self { freedom: 1.0 / (1.0 / self.freedom + lost), ..self }
    }
}

/// Puts the median of a night and three neighbours on either side in the place of each night that lies too far from it
/// (Hampel's identifier), so that single bad nights count for nothing.
pub(super) fn without_outliers(values: &[f64], noise: &NightNoise) -> Vec<f64> {
    let near = |at: usize| median(&values[at.saturating_sub(3)..(at + 4).min(values.len())]);
    let of_night = |(at, value): (usize, &f64)| match near(at) {
        Some(middle) if (value - middle).abs() > OUTLIER * noise.sigma => middle,
        _ => *value,
    };
    values.iter().enumerate().map(of_night).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    fn series(seed: u64, nights: usize, correlation: f64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let mut last = random.normal();
        let mut next = || {
            last = correlation * last + (1.0 - correlation * correlation).sqrt() * random.normal();
            0.03 * last
        };
        (0..nights).map(|_| next()).collect()
    }

    fn means(correlation: f64, nights: usize) -> (f64, f64) {
        let noises: Vec<NightNoise> = (0..400)
            .map(|seed| {
                NightNoise::of_residuals(std::iter::once(series(seed, nights, correlation).as_slice()))
            })
            .collect();
        let mean = |of: &dyn Fn(&NightNoise) -> f64| noises.iter().map(of).sum::<f64>() / 400.0;
        (mean(&|noise| noise.correlation), mean(&|noise| noise.sigma))
    }

    #[test]
    fn residuals_give_back_the_noise_that_was_put_in() {
        for (correlation, nights) in [(0.0, 20), (0.0, 100), (0.5, 30), (0.5, 100)] {
            let (found, sigma) = means(correlation, nights);
            assert!((found - correlation).abs() < 0.06, "{correlation}, {nights} nights: {found}");
            assert!((sigma - 0.03).abs() < 0.003, "{correlation}, {nights} nights: {sigma}");
        }
    }

    #[test]
    fn the_mean_of_nights_varies_as_its_formula_says() {
        let noise = NightNoise { sigma: 0.03, freedom: MANY, correlation: 0.5, uncertainty: 0.0 };
        for nights in [1, 5, 20] {
            let variance = (0..4000)
                .map(|seed| (series(seed, nights, 0.5).iter().sum::<f64>() / nights as f64).powi(2))
                .sum::<f64>()
                / 4000.0;
            let expected = noise.of_mean(nights as f64) * 0.03 * 0.03;
            assert!((variance / expected - 1.0).abs() < 0.1, "{nights}: {variance} {expected}");
        }
    }

    #[test]
    fn a_step_hardly_moves_the_noise_of_differences() {
        let mut values = series(1, 60, 0.0);
        let quiet = NightNoise::of_differences(&values).unwrap().sigma;
        values[30..].iter_mut().for_each(|value| *value += 1.0);
        let stepped = NightNoise::of_differences(&values).unwrap().sigma;
        assert!((stepped / quiet - 1.0).abs() < 0.1, "{quiet} {stepped}");
    }

    #[test]
    fn an_outlier_counts_for_nothing_and_a_step_stays() {
        let mut values = vec![0.0; 20];
        values[10..].fill(1.0);
        values[4] = -3.0;
        let noise = NightNoise { sigma: 0.1, freedom: MANY, correlation: 0.0, uncertainty: 0.0 };
        let clean = without_outliers(&values, &noise);
        assert_eq!(clean[4], 0.0);
        assert_eq!(clean[10..], values[10..]);
        assert_eq!(clean[5..10], values[5..10]);
    }
}
