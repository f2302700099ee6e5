//! The percentile axis, with equal steps for 90, 99, 99.9 %, so that the tail can be seen.

use super::axis::Axis;

/// Percentiles drawn, as fractions.
pub(super) const QUANTILES: [(f64, &str); 9] = [
    (0.25, ""),
    (0.5, "50"),
    (0.75, ""),
    (0.9, "90"),
    (0.95, ""),
    (0.99, "99"),
    (0.999, "99.9"),
    (0.9999, "99.99"),
    (0.99999, "99.999"),
];

/// The place of a quantile: 0.9 at 1, 0.99 at 2, 0.999 at 3.
pub(super) fn place(quantile: f64) -> f64 {
    -(1.0 - quantile).max(1e-9).log10()
}

/// The axis up to the highest quantile that a curve reaches; `of` names what the percentiles are of.
pub(super) fn axis(highest: f64, of: &str) -> Axis {
    let ticks = QUANTILES
        .iter()
        .filter(|(quantile, label)| !label.is_empty() && *quantile <= highest + 1e-12)
        .map(|&(quantile, label)| (place(quantile), label.to_owned()))
        .collect();
    Axis::with_ticks(&format!("percentile of {of}"), 0.0..place(highest).max(1.0) + 0.12, ticks)
}
