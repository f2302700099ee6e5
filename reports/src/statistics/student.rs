//! Student's t distribution.

/// Probability that a t-distributed value with `freedom` degrees of freedom lies at least `t` away from 0 on either side; 1 if
/// an argument is not a number.
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    if !t.is_finite() || freedom.is_nan() || freedom <= 0.0 {
        return if t.is_infinite() { 0.0 } else { 1.0 };
    }
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t)).clamp(0.0, 1.0)
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

/// Logarithm of the gamma function for positive arguments, by Lanczos.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let base = x + 5.5;
    let mut sum = 1.000_000_000_190_015;
    for (index, term) in TERMS.iter().enumerate() {
        sum += term / (x + 1.0 + index as f64);
    }
    (x + 0.5) * base.ln() - base + (2.506_628_274_631_000_5 * sum / x).ln()
}

#[cfg(test)]
mod tests {
    use super::two_sided;

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
    fn far_tails_stay_ordered() {
        assert!(two_sided(30.0, 50.0) < two_sided(20.0, 50.0) && two_sided(30.0, 50.0) > 0.0);
        assert_eq!(two_sided(f64::INFINITY, 5.0), 0.0);
        assert_eq!(two_sided(f64::NAN, 5.0), 1.0);
        assert_eq!(two_sided(5.0, 0.0), 1.0);
    }
}
