//! What a cell's own windows say of how far its runs lie apart when nothing changed.
//!
//! A few runs of a cell do not show what its runs differ by, and those of its noise group show what most cells differ by. Its
//! windows show more: the median of a run is that of a handful of them, so the runs of a cell whose windows lie far apart lie
//! farther apart than those of its group. In twenty quiet runs of one machine the runs of most cells differed by 0.4 to 1.6 times
//! what the medians of such windows must differ by.
//!
//! A cell that has two modes is worse than noisy: the median of a run lies in the mode that half of its windows happened to
//! be in, so a few runs in one mode say nothing of the next run.

use crate::statistics::{error_of_medians, median};

/// What a cell's windows say of its runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct OwnNoise {
    /// Standard error of the logarithm of a run's median, as the windows of both sides differ.
    pub(super) error: f64,
    /// The same, as those of the earlier runs differ.
    pub(super) error_of_base: f64,
    /// How far the nearest windows of the two sides lie apart, as a logarithm; 0 where the sides overlap.
    pub(super) apart: f64,
    /// Probability that windows that lie as those of one side do make a run as far off as the other side is.
    pub(super) by_modes: f64,
}

impl OwnNoise {
    /// Of the logarithms of the windows of each earlier run, and of those of NEW.
    pub(super) fn of(base: &[Vec<f64>], new: &[f64]) -> Self {
        let earlier = || base.iter().map(Vec::as_slice);
        Self {
            error: error_of_medians(earlier().chain([new])).unwrap_or(0.0),
            error_of_base: error_of_medians(earlier()).unwrap_or(0.0),
            apart: apart(&base.concat(), new),
            by_modes: by_modes(base, new).unwrap_or(0.0),
        }
    }
}

fn apart(one: &[f64], other: &[f64]) -> f64 {
    let least = |windows: &[f64]| windows.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |windows: &[f64]| windows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (least(one) - most(other)).max(least(other) - most(one)).max(0.0)
}

fn by_modes(base: &[Vec<f64>], new: &[f64]) -> Option<f64> {
    let medians: Vec<f64> = base.iter().filter_map(|run| median(run)).collect();
    let (was, is) = (median(&medians)?, median(new)?);
    // Part of the windows that lie at `to` or beyond, seen from `from`.
    let beyond = |run: &[f64], from: f64, to: f64| {
        let reach = |window: &&f64| (**window - from) * (to - from).signum() >= (to - from).abs();
        run.iter().filter(reach).count() as f64 / run.len() as f64
    };
    let forth =
        base.iter().map(|run| half_of(new.len(), beyond(run, was, is))).sum::<f64>() / base.len() as f64;
    let each = base.iter().map(|run| half_of(run.len(), beyond(new, is, was)).ln());
    let back = each.sum::<f64>().exp();
    Some(forth.max(back))
}

/// Probability that half or more of so many windows are of a kind that this part of all windows is of.
fn half_of(windows: usize, part: f64) -> f64 {
    let exactly = |count: usize| {
        let ways = (0..count).map(|i| ((windows - i) as f64 / (i + 1) as f64).ln()).sum::<f64>();
        (ways + count as f64 * part.ln() + (windows - count) as f64 * (1.0 - part).ln()).exp()
    };
    match part {
        0.0 => 0.0,
        1.0 => 1.0,
        _ => (windows.div_ceil(2)..=windows).map(exactly).sum::<f64>().min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_windows_as_the_binomial_distribution_gives_it() {
        for (windows, part, expected) in
            [(6, 1.0 / 6.0, 0.062_286), (6, 0.5, 0.656_25), (5, 0.5, 0.5), (4, 0.0, 0.0), (4, 1.0, 1.0)]
        {
            assert!((half_of(windows, part) - expected).abs() < 1e-6, "{windows} {part}");
        }
    }

    #[test]
    fn a_stray_window_is_no_noise_and_makes_a_mode_of_a_single_run() {
        let quiet = vec![1.0, 1.01, 0.99, 1.02, 0.98, 1.0];
        let far: Vec<f64> = quiet.iter().map(|window| window - 2.0).collect();
        let mut stray = quiet.clone();
        stray[3] = -1.5;
        let own = OwnNoise::of(std::slice::from_ref(&quiet), &far);
        assert!(own.error < 0.02 && own.by_modes == 0.0 && (own.apart - 1.96).abs() < 1e-9, "{own:?}");
        let own = OwnNoise::of(&[stray], &far.iter().map(|window| window + 0.4).collect::<Vec<_>>());
        assert!(own.error < 0.02 && own.apart == 0.0, "{own:?}");
        assert!((own.by_modes - 0.062_286).abs() < 1e-6, "{own:?}");
    }
}
