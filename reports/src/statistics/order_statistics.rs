//! How far from the ends of a sorted sample the confidence interval of its median begins.
//!
//! Between two order statistics the interval is interpolated (Hettmansperger and Sheather 1986, "Confidence intervals based on
//! interpolated order statistics"; Nyblom 1992 finds the same weights for the median). Their weights suit smooth distributions.
//! The rates of a lock that has two modes leave a gap, and an end inside the gap may miss a median that lies there too. So the
//! interpolation keeps nearer to the outer order statistic where the inner one alone covers too little.

/// Coverage of an interval, where the number of values allows it.
pub(super) const CONFIDENCE: f64 = 0.95;

/// An inner order statistic with this coverage may be interpolated to freely: 93 %, with the 92.97 % of eight values.
const INNER_SUFFICES: f64 = 0.9296;

/// The farthest that the interpolation goes into what may be a gap: its middle.
const MIDDLE: f64 = 0.5;

/// How much farther the interpolation may go than one that is linear in the coverage, which suits the flattest distributions:
/// found by simulation as the largest factor with which samples of two modes, one with 50 to 90 % of the values, are
/// covered at 93 % or more for five to thirty values (but for the 92.97 % of eight).
const BEYOND_LINEAR: f64 = 1.6;

/// Up to this number of values ranks are computed exactly; with a thousand the powers of one half would underflow.
const EXACT_UP_TO: usize = 200;

/// How many values lie outside the interval at either end: a whole number of values and a fraction of the way to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    values: usize,
    fraction: f64,
}

impl Cut {
    /// The cut of an interval of the median of `n` values.
    pub(super) fn of(n: usize) -> Self {
        if n > EXACT_UP_TO {
            // With this many values the normal approximation (1.96 standard deviations) is right to within one rank.
            let values = ((n as f64 - 1.96 * (n as f64).sqrt()) / 2.0) as usize - 1;
            return Self { values, fraction: 0.0 };
        }
        let values = (1..n.div_ceil(2)).take_while(|&cut| covered(n, cut) >= CONFIDENCE).last().unwrap_or(0);
        Self { values, fraction: fraction(n, values) }
    }

    /// The ends of the interval in a sample in ascending order, which must not be empty.
    pub(super) fn ends(self, sorted: &[f64]) -> (f64, f64) {
        let between = |outer: f64, inner: f64| outer * (1.0 - self.fraction) + inner * self.fraction;
        let last = sorted.len() - 1 - self.values;
        let (low, high) = (sorted[self.values], sorted[last]);
        if self.fraction == 0.0 || self.values == last {
            return (low, high);
        }
        (between(low, sorted[self.values + 1]), between(high, sorted[last - 1]))
    }
}

/// How far to interpolate from the order statistic behind `cut` values to the next one.
fn fraction(n: usize, cut: usize) -> f64 {
    let (outer, inner) = (covered(n, cut), covered(n, cut + 1));
    // Too few values for the confidence, or no order statistic further in.
    if outer <= CONFIDENCE || cut + 1 >= n.div_ceil(2) {
        return 0.0;
    }
    let linear = (outer - CONFIDENCE) / (outer - inner);
    let (rank, n) = ((cut + 1) as f64, n as f64);
    let smooth = (n - rank) * linear / (rank + (n - 2.0 * rank) * linear);
    if inner >= INNER_SUFFICES { smooth } else { smooth.min(BEYOND_LINEAR * linear).min(MIDDLE) }
}

/// Probability that the true median lies between the order statistics behind `cut` values at either end.
pub(super) fn covered(n: usize, cut: usize) -> f64 {
    1.0 - 2.0 * tail(n, cut)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    #[test]
    fn tabulated_ranks() {
        // Ranks and coverages of the sign-test interval, as any table of it gives them, counted from 1.
        for (n, rank) in
            [(5, 1), (6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (20, 6), (100, 40), (200, 86), (201, 86)]
        {
            assert_eq!(Cut::of(n).values + 1, rank, "{n}");
        }
        assert_eq!(Cut::of(10_000).values + 1, 4_902);
        assert!((covered(9, 1) - 0.9609375).abs() < 1e-12 && (covered(6, 0) - 0.96875).abs() < 1e-12);
    }

    #[test]
    fn the_published_weights_where_the_inner_order_statistic_suffices() {
        // Eleven values: 98.83 % between the second and the tenth, 93.46 % between the third and the ninth.
        let linear = (0.98828125 - 0.95) / (0.98828125 - 0.9345703125);
        let expected = 9.0 * linear / (2.0 + 7.0 * linear);
        assert!((Cut::of(11).fraction - expected).abs() < 1e-9, "{:?}", Cut::of(11));
        assert!(Cut::of(7).fraction <= MIDDLE && Cut::of(6).fraction < 0.2);
        assert_eq!(Cut::of(5), Cut { values: 0, fraction: 0.0 });
    }

    /// A distribution: a number drawn from it, and its median.
    struct Shape(&'static str, fn(&mut Random) -> f64, f64);

    /// Two modes at 1 and 2, the lower one with `percent` of the values.
    fn modes(random: &mut Random, percent: f64) -> f64 {
        let mode = if 100.0 * random.unit() < percent { 1.0 } else { 2.0 };
        mode + 0.1 * random.normal()
    }

    /// With 60 and 70 % in the lower mode the median is where 5/6 and 5/7 of that mode's values lie below.
    const SHAPES: [Shape; 5] = [
        Shape("lognormal, sigma 0.1", |random| (0.1 * random.normal()).exp(), 1.0),
        Shape("lognormal, sigma 0.5", |random| (0.5 * random.normal()).exp(), 1.0),
        Shape("two modes, 50 %", |random| modes(random, 50.0), 1.5),
        Shape("two modes, 60 %", |random| modes(random, 60.0), 1.0 + 0.1 * 0.967_422),
        Shape("two modes, 70 %", |random| modes(random, 70.0), 1.0 + 0.1 * 0.565_949),
    ];

    /// The interval of the same form that an oracle would choose who knows the distribution: the deepest cut, whole or
    /// interpolated, that covers its median with 95 % (five values: with the 93.75 % that they can have).
    fn oracle(samples: &[Vec<f64>], median: f64) -> Cut {
        let n = samples[0].len();
        let wanted = CONFIDENCE.min(covered(n, 0));
        let at = |depth: f64| Cut { values: depth as usize, fraction: depth.fract() };
        let (mut low, mut high) = (0.0, (n - 1) as f64 / 2.0);
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            if coverage_and_width(samples, median, at(middle)).0 >= wanted {
                low = middle
            } else {
                high = middle
            }
        }
        at(low)
    }

    fn coverage_and_width(samples: &[Vec<f64>], median: f64, cut: Cut) -> (f64, f64) {
        let ends = samples.iter().map(|sample| cut.ends(sample));
        let (held, width) = ends.fold((0.0, 0.0), |(held, width), (low, high)| {
            (held + f64::from(u8::from(low <= median && median <= high)), width + high - low)
        });
        (held / samples.len() as f64, width / samples.len() as f64)
    }

    #[test]
    fn intervals_hold_the_median_and_are_hardly_wider_than_an_oracles() {
        const SAMPLES: usize = 6_000;
        let mut random = Random::new(14);
        let (mut worst, mut widths) = (1.0_f64, Vec::new());
        for Shape(name, draw, median) in SHAPES {
            for n in 5..=30 {
                let sample = |random: &mut Random| {
                    let mut values: Vec<f64> = (0..n).map(|_| draw(random)).collect();
                    values.sort_by(f64::total_cmp);
                    values
                };
                let samples: Vec<Vec<f64>> = (0..SAMPLES).map(|_| sample(&mut random)).collect();
                let (covered, width) = coverage_and_width(&samples, median, Cut::of(n));
                let wider = width / coverage_and_width(&samples, median, oracle(&samples, median)).1;
                // Two and a half standard errors of 6,000 trials at 93 % are 0.8 %.
                assert!(covered >= 0.93 - 0.008, "{name}, {n} values: {covered}");
                assert!(wider <= 1.2, "{name}, {n} values: {wider} times as wide");
                worst = worst.min(covered);
                widths.push(wider);
            }
        }
        let mean = widths.iter().sum::<f64>() / widths.len() as f64;
        println!("coverage at least {worst:.3}, {mean:.3} times as wide as the oracle's");
        assert!(mean <= 1.05, "{mean} times as wide in the mean");
    }
}
