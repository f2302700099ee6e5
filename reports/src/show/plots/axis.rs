//! Axes: where values are drawn, and which ticks are labelled.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::format::significant;

/// Axes do not extend beyond these values, which no measurement gives.
const SMALLEST: f64 = 1e-12;
const LARGEST: f64 = 1e18;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Linear,
    Log,
}

/// One axis. Its places are in the space that it is drawn in: on a logarithmic axis they are exponents of ten.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) title: String,
    scale: Scale,
    low: f64,
    high: f64,
    /// Places and labels, ascending.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A logarithmic axis over the positive values, with ticks at decades or, in less than two, at 1-2-5.
    pub(super) fn log10(
        title: &str,
        values: impl IntoIterator<Item = f64>,
        label: fn(f64) -> String,
    ) -> Option<Self> {
        let (low, high) = extremes(values.into_iter().filter(|value| *value > 0.0))?;
        let (mut low, mut high) =
            (low.clamp(SMALLEST, LARGEST).log10(), high.clamp(SMALLEST, LARGEST).log10());
        // A little room, so that no marker sits on the frame.
        let room = ((high - low) * 0.04).max(0.05);
        (low, high) = (low - room, high + room);
        let mut steps: &[f64] = &[1.0];
        let mut stride = 1;
        if high - low < 0.35 {
            steps = &[
                1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0,
            ];
        } else if high - low < 0.8 {
            steps = &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];
        } else if high - low < 2.2 {
            steps = &[1.0, 2.0, 5.0];
        } else {
            stride = ((high - low) / 8.0).ceil().max(1.0) as i32;
        }
        let ticks = (low.floor() as i32..=high.ceil() as i32)
            .filter(|decade| decade % stride == 0)
            .flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)))
            .map(|value| (value.log10(), label(value)))
            .filter(|(place, _)| (low..=high).contains(place))
            .collect();
        Some(Self { title: title.into(), scale: Scale::Log, low, high, ticks })
    }

    /// A logarithmic axis with a tick at each value whose label does not touch another: for counts that double.
    pub(super) fn log2(
        title: &str,
        values: impl IntoIterator<Item = f64>,
        label: fn(f64) -> String,
    ) -> Option<Self> {
        let mut values: Vec<f64> =
            values.into_iter().filter(|value| (SMALLEST..=LARGEST).contains(value)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (low, high) = (values.first()?.log10(), values.last()?.log10());
        // Room for markers that stand side by side at the first and at the last value.
        let room = ((high - low) * 0.1).max(0.05);
        let (low, high) = (low - room, high + room);
        // Powers of two come first, so that they are kept where there is no room for all.
        values.sort_by_key(|value| value.log2().fract() != 0.0);
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for value in values {
            let place = value.log10();
            let text = label(value);
            // On a phone, where the axis is smallest, a letter takes about a fiftieth of it.
            let apart = ((text.chars().count() + 1) as f64 / 50.0).max(1.0 / 11.0) * (high - low);
            if ticks.iter().all(|tick| (tick.0 - place).abs() > apart) {
                ticks.push((place, text));
            }
        }
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(Self { title: title.into(), scale: Scale::Log, low, high, ticks })
    }

    /// A linear axis from 0 to a little above the largest value.
    pub(super) fn from_zero(title: &str, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (_, high) = extremes(values)?;
        Self::linear(title, 0.0, high * 1.06)
    }

    /// A linear axis around the values, which does not begin at 0: for comparing positions, not lengths.
    pub(super) fn around(title: &str, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (low, high) = extremes(values)?;
        let room = ((high - low) * 0.15).max(high.abs() * 0.02);
        Self::linear(title, low - room, high + room)
    }

    /// A linear axis from one value to another.
    pub(super) fn linear(title: &str, low: f64, high: f64) -> Option<Self> {
        let low = low.clamp(-LARGEST, LARGEST);
        let high = high.clamp(low + low.abs().max(SMALLEST) * 1e-6, 2.0 * LARGEST);
        let rough = (high - low) / 5.0;
        let decade = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|s| s * decade).into_iter().find(|s| *s >= rough)?;
        let first = (low / step).ceil();
        let ticks = (0..12).map(|i| (first + f64::from(i)) * step).filter(|value| *value <= high);
        let ticks = ticks.map(|value| (value, trimmed(value))).collect();
        Some(Self { title: title.into(), scale: Scale::Linear, low, high, ticks })
    }

    /// A linear axis with ticks as given.
    pub(super) fn with_ticks(title: &str, range: Range<f64>, ticks: Vec<(f64, String)>) -> Self {
        Self { title: title.into(), scale: Scale::Linear, low: range.start, high: range.end, ticks }
    }

    /// The place of a value, kept inside the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => value,
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Log => f64::NEG_INFINITY,
        };
        if place.is_nan() { self.low } else { place.clamp(self.low, self.high) }
    }

    pub(super) fn longest_label(&self) -> usize {
        self.ticks.iter().map(|tick| tick.1.chars().count()).max().unwrap_or(0)
    }
}

/// Plotters takes an axis as its coordinate, in the space that it is drawn in.
impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        let part = (place - self.low) / (self.high - self.low);
        let length = f64::from(limit.1) - f64::from(limit.0);
        (f64::from(limit.0) + part.clamp(0.0, 1.0) * length).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(place: &f64) -> String {
        place.to_string()
    }

    /// Label of the tick nearest to a place.
    fn format_ext(&self, place: &f64) -> String {
        let distance = |tick: &&(f64, String)| (tick.0 - place).abs();
        let nearest = self.ticks.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map_or_else(String::new, |tick| tick.1.clone())
    }
}

fn extremes(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|value| value.is_finite()).fold(None, |range, value| {
        Some(range.map_or((value, value), |(low, high): (f64, f64)| (low.min(value), high.max(value))))
    })
}

/// A label without needless digits: `2`, `0.5`, `1.5`, `20 k`.
pub(super) fn trimmed(value: f64) -> String {
    let (value, unit) = match value.abs() {
        v if v >= 1e9 => (value / 1e9, "G"),
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = significant(value);
    let text = if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_labelled_and_none_is_dropped() {
        let axis = Axis::log10("", [200.0, 6e6], trimmed).unwrap();
        let labels: Vec<String> = axis.ticks.iter().map(|tick| tick.1.clone()).collect();
        assert_eq!(labels, ["1,000", "10 k", "100 k", "1 M"]);
    }

    #[test]
    fn hostile_values_do_not_bend_an_axis() {
        let axis = Axis::log10("", [1e-300, 1e300, f64::NAN, f64::INFINITY, -1.0, 0.0], trimmed).unwrap();
        assert!(axis.ticks.len() <= 12);
        assert!(
            axis.place(f64::NAN).is_finite() && axis.place(-5.0).is_finite() && axis.place(1e300).is_finite()
        );
        assert!(Axis::log10("", [0.0, -1.0], trimmed).is_none());
        assert!(Axis::log2("", [], trimmed).is_none());
        assert!(Axis::from_zero("", [f64::MAX]).is_some());
        assert!(Axis::from_zero("", [0.0]).is_some());
    }
}
