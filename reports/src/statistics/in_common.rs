//! What series have in common from night to night, which is the machine's doing and no series' own.
//!
//! In some nights a machine is faster or slower as a whole. That is noise to each series, and what is worse, it is the same noise to
//! all of them: where chance makes it look like a step, it does so in many series at once. The median of the others' deviations tells
//! it far better than a series of its own could.

use std::collections::BTreeSet;

use super::{Course, median};

/// A night's deviation is told by this many members of other families at least.
const FEWEST: usize = 6;
/// A common step must be as clear as this to be one.
const LEVEL: f64 = 0.05;
/// Standard error of the median of so many normal values, times the root of their number, in units of the median of their distances
/// from it.
const ERROR_OF_MEDIAN: f64 = 1.4826 * 1.2533;

/// A series of a group.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Its family. What the members of a family share may be their own doing, so they do not tell it of each other.
    pub family: &'a str,
    /// Its nights, ascending, each with a logarithm.
    pub values: Vec<(usize, f64)>,
}

/// A night of the others: their deviation from what they usually are, and the variance of that as an estimate.
struct Common {
    night: usize,
    deviation: f64,
    variance: f64,
}

/// The values of each member without what members of other families have in common with it in each night. Common steps larger than
/// `margin` stay: they last, and are as much as anybody wants to hear of. Where the others agree by chance alone, nothing is taken off.
pub fn without_common(group: &[Member<'_>], margin: f64) -> Vec<Vec<f64>> {
    let deviations: Vec<Vec<(usize, f64)>> = group.iter().map(deviations).collect();
    let families: BTreeSet<&str> = group.iter().map(|member| member.family).collect();
    let mut left: Vec<Vec<f64>> =
        group.iter().map(|member| member.values.iter().map(|(_, value)| *value).collect()).collect();
    for family in families {
        let others = || group.iter().zip(&deviations).filter(|(other, _)| other.family != family);
        if others().count() < FEWEST {
            continue;
        }
        let common = passing(&in_common(others().map(|(_, deviations)| deviations)), margin);
        for (member, left) in group.iter().zip(&mut left).filter(|(member, _)| member.family == family) {
            for ((night, _), left) in member.values.iter().zip(left) {
                if let Ok(at) = common.binary_search_by_key(night, |(night, _)| *night) {
                    *left -= common[at].1;
                }
            }
        }
    }
    left
}

fn deviations(member: &Member<'_>) -> Vec<(usize, f64)> {
    let all: Vec<f64> = member.values.iter().map(|(_, value)| *value).collect();
    let usual = median(&all).unwrap_or(0.0);
    member.values.iter().map(|(night, value)| (*night, value - usual)).collect()
}

/// The nights that enough members have, with the median of their deviations.
fn in_common<'a>(members: impl Iterator<Item = &'a Vec<(usize, f64)>>) -> Vec<Common> {
    let mut all: Vec<(usize, f64)> = members.flatten().copied().collect();
    all.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let of_night = |night: &[(usize, f64)]| {
        let values: Vec<f64> = night.iter().map(|(_, value)| *value).collect();
        let deviation = median(&values).filter(|_| values.len() >= FEWEST)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - deviation).abs()).collect();
        let error = ERROR_OF_MEDIAN * median(&distances)?;
        Some(Common { night: night[0].0, deviation, variance: error.powi(2) / values.len() as f64 })
    };
    all.chunk_by(|one, other| one.0 == other.0).filter_map(of_night).collect()
}

/// What passes of a common course: each night without the steps, as far as it is more than the chance that each estimate has in it.
fn passing(common: &[Common], margin: f64) -> Vec<(usize, f64)> {
    let course: Vec<f64> = common.iter().map(|night| night.deviation).collect();
    let Some(searched) = Course::new(&course, 0.0) else { return Vec::new() };
    let mut ends = searched.changes(LEVEL, margin);
    ends.push(course.len());
    let mut passing = Vec::new();
    let mut start = 0;
    for end in ends {
        let level = median(&course[start..end]).unwrap_or(0.0);
        passing.extend(common[start..end].iter().map(|night| (night.night, night.deviation - level)));
        start = end;
    }
    let squares: f64 = passing.iter().map(|(_, deviation)| deviation.powi(2)).sum();
    let by_chance: f64 = common.iter().map(|night| night.variance).sum();
    let part = if squares > by_chance { 1.0 - by_chance / squares } else { 0.0 };
    passing.iter_mut().for_each(|(_, deviation)| *deviation *= part);
    passing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    const FAMILIES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const MARGIN: f64 = 0.05;

    /// Three members of each family over `nights` nights, each with noise of its own and all with the machine's.
    fn group(
        random: &mut Random,
        nights: usize,
        own: f64,
        machine: impl Fn(usize) -> f64,
    ) -> Vec<Member<'static>> {
        let mut member = |family| {
            let value = |night| (night, 3.0 + machine(night) + own * random.normal());
            Member { family, values: (0..nights).map(value).collect() }
        };
        FAMILIES.iter().flat_map(|family| [member(family), member(family), member(family)]).collect()
    }

    fn sigma(values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    }

    #[test]
    fn what_the_machine_does_in_a_night_goes_and_what_a_series_does_stays() {
        let mut random = Random::new(1);
        let slow: Vec<f64> = (0..40).map(|_| 0.04 * random.normal()).collect();
        let mut all = group(&mut random, 40, 0.01, |night| slow[night]);
        all[0].values[20..].iter_mut().for_each(|(_, value)| *value -= 0.1);
        let left = without_common(&all, MARGIN);
        for member in &left[3..] {
            assert!(sigma(member) < 0.015, "{}", sigma(member));
        }
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let step = mean(&left[0][20..]) - mean(&left[0][..20]);
        assert!((step + 0.1).abs() < 0.01, "{step}");
    }

    #[test]
    fn a_lasting_change_of_all_stays_if_it_is_larger_than_the_margin() {
        for (size, stays) in [(-0.1, true), (-0.03, false)] {
            let mut random = Random::new(2);
            let all = group(&mut random, 30, 0.01, |night| if night < 15 { 0.0 } else { size });
            for member in without_common(&all, MARGIN) {
                let step = median(&member[15..]).unwrap() - median(&member[..15]).unwrap();
                let expected = if stays { size } else { 0.0 };
                assert!((step - expected).abs() < 0.015, "{size}: {step}");
            }
        }
    }

    #[test]
    fn series_that_agree_by_chance_alone_are_left_nearly_as_they_are() {
        let mut random = Random::new(3);
        let all = group(&mut random, 30, 0.03, |_| 0.0);
        for (member, left) in all.iter().zip(without_common(&all, MARGIN)) {
            let change: Vec<f64> =
                member.values.iter().zip(left).map(|((_, value), left)| value - left).collect();
            assert!(sigma(&change) < 0.005, "{}", sigma(&change));
        }
    }

    #[test]
    fn few_series_or_one_family_tell_nothing_of_each_other() {
        let mut random = Random::new(4);
        let slow = |night| if night % 2 == 0 { 0.1 } else { 0.0 };
        let mut all = group(&mut random, 30, 0.01, slow);
        let plain = |all: &[Member<'_>]| -> Vec<Vec<f64>> {
            all.iter().map(|member| member.values.iter().map(|(_, value)| *value).collect()).collect()
        };
        all.iter_mut().for_each(|member| member.family = "a");
        assert_eq!(without_common(&all, MARGIN), plain(&all));
        all.truncate(4);
        all.iter_mut().zip(FAMILIES).for_each(|(member, family)| member.family = family);
        assert_eq!(without_common(&all, MARGIN), plain(&all));
        assert!(without_common(&[], MARGIN).is_empty());
    }
}
