//! Student's t distribution, and Fisher's F.

use super::gamma::ln_gamma;

/// Probability that a t-distributed value with `freedom` degrees of freedom lies at least `t` away from 0 on either side; 1 if
/// an argument is not a number.
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    if !t.is_finite() || freedom.is_nan() || freedom <= 0.0 {
        return if t.is_infinite() { 0.0 } else { 1.0 };
    }
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t)).clamp(0.0, 1.0)
}

/// Probability that an F-distributed ratio of variances with these degrees of freedom is at least `ratio`; 1 if an argument is
/// not a number.
pub(super) fn f_tail(ratio: f64, above: f64, below: f64) -> f64 {
    if ratio.is_nan() || above.is_nan() || below.is_nan() || above <= 0.0 || below <= 0.0 {
        return 1.0;
    }
    incomplete_beta(below / 2.0, above / 2.0, below / (below + above * ratio.max(0.0))).clamp(0.0, 1.0)
}

/// The distance from 0 that a t-distributed value exceeds on either side with probability `p`: the inverse of [`two_sided`].
pub fn quantile(p: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided(high, freedom) > p && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if two_sided(middle, freedom) > p { low = middle } else { high = middle }
    }
    high
}

/// The regularised incomplete beta function, by its continued fraction (Lentz).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // Below the mean the fraction converges fast; above the mean that of the mirrored arguments does.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..300 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            value *= d * c;
        }
        if (value - before).abs() <= 1e-14 * value.abs() {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{f_tail, quantile, two_sided};

    #[test]
    fn as_any_table_gives_it() {
        for (t, freedom, p) in [
            (12.706, 1.0, 0.05),
            (2.776, 4.0, 0.05),
            (4.604, 4.0, 0.01),
            (2.228, 10.0, 0.05),
            (1.960, 1e6, 0.05),
            (3.291, 1e6, 0.001),
            (0.0, 7.0, 1.0),
        ] {
            let got = two_sided(t, freedom);
            assert!((got - p).abs() < 2e-4 * p.max(0.2), "{t} {freedom}: {got}");
            assert_eq!(got, two_sided(-t, freedom));
        }
    }

    #[test]
    fn quantiles_as_any_table_gives_them() {
        for (p, freedom, t) in
            [(0.05, 4.0, 2.776), (0.05, 23.0, 2.069), (0.01, 8.0, 3.355), (0.05, 1.0, 12.706)]
        {
            assert!((quantile(p, freedom) - t).abs() < 1e-3, "{p} {freedom}: {}", quantile(p, freedom));
        }
        assert!(quantile(0.0, 4.0).is_finite() && quantile(1.0, 4.0) < 1e-6);
    }

    #[test]
    fn far_tails_stay_ordered() {
        assert!(two_sided(30.0, 50.0) < two_sided(20.0, 50.0) && two_sided(30.0, 50.0) > 0.0);
        assert_eq!(two_sided(f64::INFINITY, 5.0), 0.0);
        assert_eq!(two_sided(f64::NAN, 5.0), 1.0);
        assert_eq!(two_sided(5.0, 0.0), 1.0);
    }

    #[test]
    fn variances_as_any_table_gives_them() {
        for (ratio, above, below, p) in [
            (4.96, 1.0, 10.0, 0.05),
            (3.33, 5.0, 10.0, 0.05),
            (2.20, 20.0, 30.0, 0.025),
            (1.0, 9.0, 9.0, 0.5),
        ] {
            let got = f_tail(ratio, above, below);
            assert!((got - p).abs() < 1e-3, "{ratio} {above} {below}: {got}");
        }
        assert_eq!((f_tail(0.0, 3.0, 4.0), f_tail(f64::NAN, 3.0, 4.0)), (1.0, 1.0));
    }
}
