//! What may be said of a ratio.

use std::fmt;

use serde::Serialize;

use super::coverage;
use crate::format::apart;
use crate::record::Interval;

/// Differences below this are of no practical interest: 5 %.
pub const MARGIN: f64 = 0.05;
/// With fewer rounds nothing is judged. Six are planned, so that one may be lost because pCPUs moved (coverage 94 %).
pub const MIN_ROUNDS: usize = 5;

/// What may be said of a ratio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies above 1 by more than margin and noise floor.
    Better,
    /// The whole interval lies below 1 by more than margin and noise floor.
    Worse,
    /// The interval lies inside the margin.
    Same,
    /// None of these can be said, for this reason.
    NotEnoughData(String),
}

impl Verdict {
    /// The verdict in a word or three, without the reason.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same",
            Self::NotEnoughData(_) => "not enough data",
        }
    }

    /// Why there is not enough data.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::NotEnoughData(reason) => Some(reason),
            _ => None,
        }
    }

    /// Turns "better" and "same" into "not enough data", with a reason.
    pub(crate) fn worse_at_most(&mut self, reason: &str) {
        if matches!(self, Self::Better | Self::Same) {
            *self = Self::NotEnoughData(reason.to_owned());
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// Judges a ratio of rates (above 1 is better) over `rounds` rounds. Both `margin` and `floor` (fractions; the floor is the
/// spread of A/A pairs) must be cleared; without a floor nothing is judged.
pub fn judge(ratio: Option<Interval>, rounds: usize, margin: f64, floor: Option<f64>) -> Verdict {
    let not_enough = |reason: String| Verdict::NotEnoughData(reason);
    let Some(ratio) = ratio.filter(|r| r.low.is_finite() && r.median.is_finite() && r.high.is_finite())
    else {
        return not_enough("no ratio could be taken".into());
    };
    if rounds < MIN_ROUNDS {
        let has = match rounds {
            0 => "no usable round".to_owned(),
            1 => "1 usable round, which gives no interval".to_owned(),
            _ => format!("{rounds} usable rounds, an interval of {:.0} %", coverage(rounds) * 100.0),
        };
        return not_enough(format!("{has}; {MIN_ROUNDS} are needed"));
    }
    let Some(floor) = floor.filter(|floor| floor.is_finite()) else {
        return not_enough("the noise floor is unknown: no usable A/A pairs".into());
    };
    let bound = 1.0 + margin.max(floor).max(0.0);
    let same = 1.0 + margin.max(0.0);
    if ratio.low > bound {
        Verdict::Better
    } else if ratio.high < 1.0 / bound {
        Verdict::Worse
    } else if ratio.low >= 1.0 / same && ratio.high <= same {
        Verdict::Same
    } else if ratio.low >= 1.0 / bound && ratio.high <= bound {
        not_enough(format!("the difference is within the noise floor of {}", apart(floor)))
    } else {
        let which = if floor > margin { "noise floor" } else { "margin" };
        not_enough(format!("the interval straddles the {which} of {}", apart(bound - 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(low: f64, high: f64, floor: f64) -> Verdict {
        judge(Some(Interval { median: (low + high) / 2.0, low, high }), 6, MARGIN, Some(floor))
    }

    #[test]
    fn four_values() {
        assert_eq!(verdict(1.2, 1.4, 0.02), Verdict::Better);
        assert_eq!(verdict(0.5, 0.7, 0.02), Verdict::Worse);
        assert_eq!(verdict(0.97, 1.03, 0.02), Verdict::Same);
        assert_eq!(verdict(0.9, 1.3, 0.02).word(), "not enough data");
    }

    #[test]
    fn both_margin_and_noise_floor_are_to_be_cleared() {
        assert_eq!(
            verdict(1.2, 1.4, 0.5).reason(),
            Some("the difference is within the noise floor of 50.0 %")
        );
        assert_eq!(verdict(1.2, 1.8, 0.5).reason(), Some("the interval straddles the noise floor of 50.0 %"));
        assert_eq!(verdict(1.02, 1.08, 0.01).reason(), Some("the interval straddles the margin of 5.00 %"));
    }

    #[test]
    fn a_ratio_and_its_inverse_are_judged_alike() {
        assert_eq!(verdict(1.06, 1.10, 0.01), Verdict::Better);
        assert_eq!(verdict(1.0 / 1.10, 1.0 / 1.06, 0.01), Verdict::Worse);
    }

    #[test]
    fn nothing_is_said_without_rounds_or_noise_floor() {
        let huge = Some(Interval { median: 50.0, low: 40.0, high: 60.0 });
        assert!(judge(huge, 3, MARGIN, Some(0.01)).reason().unwrap().contains("3 usable rounds"));
        assert!(judge(huge, 6, MARGIN, None).reason().unwrap().contains("noise floor"));
        assert!(judge(huge, 6, MARGIN, Some(f64::NAN)).reason().is_some());
        assert!(judge(None, 6, MARGIN, Some(0.01)).reason().is_some());
        let infinite = Some(Interval { median: 50.0, low: 40.0, high: f64::INFINITY });
        assert!(judge(infinite, 6, MARGIN, Some(0.01)).reason().is_some());
    }
}
