//! What series have in common from night to night, which is the machine's doing and no series' own.
//!
//! In some nights a machine is faster or slower as a whole. That is noise to each series, and what is worse, it is the same noise to
//! all of them: where chance makes it look like a step, it does so in many series at once. The others tell it far better than a series
//! of its own could: each night has an effect and each series a level, which are fitted by medians in turn (Tukey's median polish), so
//! that a series with fewer nights is measured from the same zero. A family counts once, however many series it has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Course, median};

/// A night is told by so many other families at least: of two that differ nobody can say which is the machine's.
const FEWEST_FAMILIES: usize = 3;
/// A night is told by so many series of other families at least.
const FEWEST: usize = 6;
/// Rounds of the polish. The later ones matter where some series lack nights.
const ROUNDS: usize = 10;
/// The probability that chance makes a common step is at most this.
const LEVEL: f64 = 0.05;
/// Standard error of the median of so many normal values, times the root of their number, in units of the median of their distances
/// from it.
const ERROR_OF_MEDIAN: f64 = 1.4826 * 1.2533;

/// A series of a group.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Its family. What the members of a family share may be their own doing, so the machine is told by the other families.
    pub family: &'a str,
    /// Its nights, ascending, each with a logarithm.
    pub values: Vec<(usize, f64)>,
}

/// A night of the others: how far it lies from their levels, and the variance of that as an estimate.
struct Common {
    night: usize,
    effect: f64,
    variance: f64,
}

/// The values of each member without what members of other families have in common with it in each night. Common steps larger than
/// `margin` stay, for they have to be told. Where the others agree by chance alone, nothing is taken off.
pub fn without_common(group: &[Member<'_>], margin: f64) -> Vec<Vec<f64>> {
    let mut left: Vec<Vec<f64>> =
        group.iter().map(|member| member.values.iter().map(|(_, value)| *value).collect()).collect();
    let families: BTreeSet<&str> = group.iter().map(|member| member.family).collect();
    if families.len() <= FEWEST_FAMILIES {
        return left;
    }
    for family in families {
        let others: Vec<&Member<'_>> = group.iter().filter(|other| other.family != family).collect();
        let common = passing(&in_common(&others), margin);
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

/// A night: of each family its members, by number, with their values.
type Night<'a> = BTreeMap<&'a str, Vec<(usize, f64)>>;

/// The nights that enough members have, with their effects.
fn in_common(members: &[&Member<'_>]) -> Vec<Common> {
    let mut nights: BTreeMap<usize, Night<'_>> = BTreeMap::new();
    for (number, member) in members.iter().enumerate() {
        for &(night, value) in &member.values {
            nights.entry(night).or_default().entry(member.family).or_default().push((number, value));
        }
    }
    nights.retain(|_, night| {
        night.len() >= FEWEST_FAMILIES && night.values().map(Vec::len).sum::<usize>() >= FEWEST
    });
    let mut effects: BTreeMap<usize, f64> = BTreeMap::new();
    let mut levels = vec![0.0; members.len()];
    for _ in 0..ROUNDS {
        for (member, level) in members.iter().zip(&mut levels) {
            let from_effect = |(night, value): &(usize, f64)| value - effects.get(night).unwrap_or(&0.0);
            *level = median(&member.values.iter().map(from_effect).collect::<Vec<_>>()).unwrap_or(0.0);
        }
        let effect = |night: &Night<'_>| median(&of_families(night, &levels)).unwrap_or(0.0);
        effects = nights.iter().map(|(number, night)| (*number, effect(night))).collect();
    }
    let common = |(number, night): (&usize, &Night<'_>)| {
        let apart = of_families(night, &levels);
        let effect = median(&apart)?;
        let distances: Vec<f64> = apart.iter().map(|apart| (apart - effect).abs()).collect();
        let error = ERROR_OF_MEDIAN * median(&distances)?;
        Some(Common { night: *number, effect, variance: error.powi(2) / apart.len() as f64 })
    };
    nights.iter().filter_map(common).collect()
}

/// How far each family lies from the levels of its members in a night.
fn of_families(night: &Night<'_>, levels: &[f64]) -> Vec<f64> {
    let of_family = |members: &Vec<(usize, f64)>| {
        median(&members.iter().map(|(number, value)| value - levels[*number]).collect::<Vec<_>>())
    };
    night.values().filter_map(of_family).collect()
}

/// What of a common course does not last: each night without the steps, less the part that is the estimates' own chance.
fn passing(common: &[Common], margin: f64) -> Vec<(usize, f64)> {
    let course: Vec<f64> = common.iter().map(|night| night.effect).collect();
    let Some(searched) = Course::new(&course, 0.0) else { return Vec::new() };
    let mut ends = searched.changes(LEVEL, margin);
    ends.push(course.len());
    let mut passing = Vec::new();
    let mut start = 0;
    for end in ends {
        let level = median(&course[start..end]).unwrap_or(0.0);
        passing.extend(common[start..end].iter().map(|night| (night.night, night.effect - level)));
        start = end;
    }
    let squares: f64 = passing.iter().map(|(_, effect)| effect.powi(2)).sum();
    let by_chance: f64 = common.iter().map(|night| night.variance).sum();
    let part = if squares > by_chance { 1.0 - by_chance / squares } else { 0.0 };
    passing.iter_mut().for_each(|(_, effect)| *effect *= part);
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
    fn members_with_some_of_the_nights_only_are_measured_from_the_same_zero() {
        for size in [-0.08, -0.03] {
            let mut random = Random::new(5);
            let mut all = group(&mut random, 30, 0.005, |night| if night < 10 { 0.0 } else { size });
            for (nth, member) in all.iter_mut().enumerate() {
                match nth % 4 {
                    0 => drop(member.values.drain(..15)),
                    1 => member.values.truncate(15),
                    _ => member.values.retain(|(night, _)| night % 7 != nth % 7),
                }
            }
            for (member, left) in all.iter().zip(without_common(&all, MARGIN)) {
                let part = |late: bool| {
                    let values = member.values.iter().zip(&left);
                    median(
                        &values
                            .filter(|((night, _), _)| (*night >= 10) == late)
                            .map(|(_, left)| *left)
                            .collect::<Vec<_>>(),
                    )
                };
                let Some(step) = part(true).zip(part(false)).map(|(late, early)| late - early) else {
                    continue;
                };
                let expected = if size < -MARGIN { size } else { 0.0 };
                assert!((step - expected).abs() < 0.02, "{size}: {step}");
            }
        }
    }

    #[test]
    fn what_one_family_of_many_series_does_is_not_the_machines() {
        let mut random = Random::new(6);
        let mut all = group(&mut random, 30, 0.01, |_| 0.0);
        all[..15].iter_mut().for_each(|member| member.family = "a");
        for member in &mut all[..15] {
            member.values[15..].iter_mut().for_each(|(_, value)| *value += 0.045);
        }
        for left in &without_common(&all, MARGIN)[15..] {
            let step = median(&left[15..]).unwrap() - median(&left[..15]).unwrap();
            assert!(step.abs() < 0.015, "{step}");
        }
    }

    #[test]
    fn families_that_change_together_are_no_machine() {
        for changed in [3, 4, 5] {
            let mut random = Random::new(7);
            let mut all = group(&mut random, 30, 0.01, |_| 0.0);
            for member in &mut all[..3 * changed] {
                member.values[15..].iter_mut().for_each(|(_, value)| *value -= 0.2);
            }
            for (nth, left) in without_common(&all, MARGIN).iter().enumerate() {
                let step = median(&left[15..]).unwrap() - median(&left[..15]).unwrap();
                let expected = if nth < 3 * changed { -0.2 } else { 0.0 };
                assert!((step - expected).abs() < 0.02, "{changed} of 8, series {nth}: {step}");
            }
        }
    }

    #[test]
    fn few_series_or_few_families_tell_nothing_of_the_machine() {
        let mut random = Random::new(4);
        let slow = |night| if night % 2 == 0 { 0.1 } else { 0.0 };
        let mut all = group(&mut random, 30, 0.01, slow);
        let plain = |all: &[Member<'_>]| -> Vec<Vec<f64>> {
            all.iter().map(|member| member.values.iter().map(|(_, value)| *value).collect()).collect()
        };
        for families in 1..=3 {
            all.iter_mut().enumerate().for_each(|(nth, member)| member.family = FAMILIES[nth % families]);
            assert_eq!(without_common(&all, MARGIN), plain(&all), "{families} families");
        }
        all.truncate(4);
        all.iter_mut().zip(FAMILIES).for_each(|(member, family)| member.family = family);
        assert_eq!(without_common(&all, MARGIN), plain(&all));
        assert!(without_common(&[], MARGIN).is_empty());
    }
}
