//! The gamma function's logarithm and the derivatives of that.

/// Logarithm of the gamma function for positive arguments, by Lanczos.
pub(super) fn ln_gamma(x: f64) -> f64 {
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

/// First derivative of [`ln_gamma`], by recurrence up to 6 and the asymptotic series from there.
pub(super) fn digamma(x: f64) -> f64 {
    if x < 6.0 {
        return digamma(x + 1.0) - 1.0 / x;
    }
    let square = 1.0 / (x * x);
    x.ln() - 0.5 / x - square * (1.0 / 12.0 - square * (1.0 / 120.0 - square / 252.0))
}

/// Second derivative of [`ln_gamma`], in the same way.
pub(super) fn trigamma(x: f64) -> f64 {
    if x < 6.0 {
        return trigamma(x + 1.0) + 1.0 / (x * x);
    }
    let square = 1.0 / (x * x);
    1.0 / x + square / 2.0 + square / x * (1.0 / 6.0 - square * (1.0 / 30.0 - square / 42.0))
}

/// The argument from 0.001 to `most` whose [`trigamma`] is `y`, by halving; the nearest end if there is none.
pub(super) fn trigamma_inverse(y: f64, most: f64) -> f64 {
    let (mut low, mut high) = (1e-3, most);
    for _ in 0..60 {
        let middle = f64::sqrt(low * high);
        // Trigamma falls.
        if trigamma(middle) > y { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_any_table_gives_them() {
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-8, "{got} {expected}");
        near(ln_gamma(5.0), 24.0_f64.ln());
        near(digamma(1.0), -0.577_215_664_9);
        near(digamma(0.5), -1.963_510_026_0);
        near(trigamma(1.0), std::f64::consts::PI.powi(2) / 6.0);
        near(trigamma(0.5), std::f64::consts::PI.powi(2) / 2.0);
        near(trigamma_inverse(trigamma(3.7), 1e3), 3.7);
        near(trigamma_inverse(1e-9, 500.0), 500.0);
    }
}
