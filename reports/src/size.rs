//! How much something changed, in words: `31 % slower`, `2.4 times as fast`.

use crate::format::count;
use crate::record::Interval;

/// An interval whose ends lie further apart than this factor does not say how large a change is.
const WIDE: f64 = 4.0;
/// A change is called much where even the end of its interval that is nearer to 1 is beyond this factor.
const MUCH: f64 = 2.0;

/// The words for the changes of one metric.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// For a change of less than a factor of two, behind a percentage: `faster` and `slower`.
    pub comparative: [&'static str; 2],
    /// For a larger one, behind a factor: `times as fast` and `times as slow`.
    pub factor: [&'static str; 2],
    /// Whether the figures behind the words grow when things get worse, as waits do.
    pub inverse: bool,
}

/// What became of a ratio above 1 for better and below 1 for worse. Where the interval is too wide to tell the size, the words
/// say what is certain.
pub fn size(ratio: Interval, words: &Words) -> String {
    if is_certain(ratio) {
        return point(ratio.median, words);
    }
    let (nearest, which) = if ratio.low > 1.0 {
        (ratio.low, "better")
    } else if ratio.high < 1.0 {
        (ratio.high, "worse")
    } else {
        return "size uncertain".into();
    };
    let much = if nearest.max(1.0 / nearest) > MUCH { "much " } else { "" };
    let least = if nearest > 0.0 && nearest.is_finite() {
        format!(": at least {}", point(nearest, words))
    } else {
        String::new()
    };
    format!("certainly {much}{which}, size uncertain{least}")
}

/// Whether the words give a size.
pub fn is_certain(ratio: Interval) -> bool {
    ratio.low > 0.0 && ratio.high.is_finite() && ratio.high / ratio.low <= WIDE
}

/// A ratio in words.
fn point(ratio: f64, words: &Words) -> String {
    let side = usize::from(ratio < 1.0);
    let factor = ratio.max(1.0 / ratio);
    if factor >= 1.95 {
        return format!("{} times {}", rounded(factor), words.factor[side]);
    }
    let figure = if words.inverse { 1.0 / ratio } else { ratio };
    let percent = (figure - 1.0).abs() * 100.0;
    if percent < 0.05 {
        return "unchanged".into();
    }
    format!("{} % {}", rounded(percent), words.comparative[side])
}

/// Two significant digits, thousands separated; more would claim too much.
fn rounded(value: f64) -> String {
    if value < 9.95 {
        return format!("{value:.1}");
    }
    let shown: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    count(shown as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Words =
        Words { comparative: ["faster", "slower"], factor: ["as fast", "as slow"], inverse: false };
    const WAIT: Words =
        Words { comparative: ["shorter", "longer"], factor: ["as short", "as long"], inverse: true };

    fn near(median: f64) -> Interval {
        Interval { median, low: median * 0.97, high: median * 1.03 }
    }

    #[test]
    fn a_size_is_said_in_words() {
        for (ratio, said) in [
            (0.69, "31 % slower"),
            (0.948, "5.2 % slower"),
            (1.08, "8.0 % faster"),
            (1.45, "45 % faster"),
            (2.4, "2.4 times as fast"),
            (1.996, "2.0 times as fast"),
            (0.4, "2.5 times as slow"),
            (1.0 / 8000.0, "8,000 times as slow"),
            (1.0, "unchanged"),
        ] {
            assert_eq!(size(near(ratio), &RATE), said);
        }
        assert_eq!(size(near(0.8), &WAIT), "25 % longer");
        assert_eq!(size(near(1.25), &WAIT), "20 % shorter");
        assert_eq!(size(near(0.1), &WAIT), "10 times as long");
    }

    #[test]
    fn a_wide_interval_gives_no_size_and_what_is_certain() {
        let of = |low, median, high| size(Interval { median, low, high }, &RATE);
        let least = "at least 20 times as slow";
        assert_eq!(of(1.25e-5, 1.25e-4, 0.05), format!("certainly much worse, size uncertain: {least}"));
        assert_eq!(of(0.0, 0.0, 0.05), format!("certainly much worse, size uncertain: {least}"));
        assert_eq!(of(0.1, 0.3, 0.8), "certainly worse, size uncertain: at least 20 % slower");
        assert_eq!(of(0.0, 0.0, 0.0), "certainly much worse, size uncertain");
        assert_eq!(
            of(3.0, 100.0, f64::INFINITY),
            "certainly much better, size uncertain: at least 3.0 times as fast"
        );
        assert_eq!(of(0.2, 1.0, 3.0), "size uncertain");
    }
}
