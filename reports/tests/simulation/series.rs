//! Made-up series of nights, as logarithms.

use lockbench_reports::statistics::{FEWEST_NIGHTS, Random};

/// What unchanged nights differ by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Noise {
    /// Normal.
    Normal,
    /// Every tenth night, at random, three times as far off.
    Tails,
    /// Every twentieth night, at random, 20 to 70 % slower.
    Outliers,
    /// A drift of 6 % over the whole series.
    Drift,
    /// Correlated from one night to the next by 0.5.
    Lasting,
    /// Every fourth night, at random, 12 % slower.
    TwoModes,
}

pub(crate) const NOISES: [Noise; 6] =
    [Noise::Normal, Noise::Tails, Noise::Outliers, Noise::Drift, Noise::Lasting, Noise::TwoModes];

/// How a series changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Unchanged,
    /// Slower once.
    Single,
    /// Slower twice.
    Double,
    /// Slower, and back again.
    Returning,
}

pub(crate) const SHAPES: [Shape; 4] = [Shape::Unchanged, Shape::Single, Shape::Double, Shape::Returning];

pub(crate) struct Made {
    /// Its noise group.
    pub(crate) class: &'static str,
    pub(crate) noise: Noise,
    pub(crate) shape: Shape,
    pub(crate) values: Vec<f64>,
    /// First nights after each change.
    pub(crate) changes: Vec<usize>,
}

impl Made {
    /// The first nights of it.
    pub(crate) fn until(&self, nights: usize) -> Self {
        let changes = self.changes.iter().copied().filter(|&at| at < nights).collect();
        let values = self.values.iter().copied().take(nights).collect();
        Self { values, changes, ..*self }
    }
}

/// A series whose steps have that size as a fraction and whose nights differ by `sigma`; none if so few nights cannot hold its
/// changes.
pub(crate) fn made(
    random: &mut Random,
    (noise, sigma): (Noise, f64),
    (shape, size): (Shape, f64),
    nights: usize,
) -> Option<Made> {
    let changes = places(random, shape, nights)?;
    let mut values = noises(random, noise, sigma, nights);
    for (index, &at) in changes.iter().enumerate() {
        let back = shape == Shape::Returning && index == 1;
        let step = if back { size.ln_1p() } else { -size.ln_1p() };
        values[at..].iter_mut().for_each(|value| *value += step);
    }
    Some(Made { class: "contended", noise, shape, values, changes })
}

/// Places with enough nights before, between and after them.
fn places(random: &mut Random, shape: Shape, nights: usize) -> Option<Vec<usize>> {
    let count = match shape {
        Shape::Unchanged => 0,
        Shape::Single => 1,
        Shape::Double | Shape::Returning => 2,
    };
    let spare = nights.checked_sub((count + 1) * FEWEST_NIGHTS)?;
    let mut drawn: Vec<usize> = (0..count).map(|_| random.below(spare + 1)).collect();
    drawn.sort_unstable();
    Some(drawn.iter().enumerate().map(|(index, drawn)| drawn + (index + 1) * FEWEST_NIGHTS).collect())
}

fn noises(random: &mut Random, noise: Noise, sigma: f64, nights: usize) -> Vec<f64> {
    let mut last = sigma * random.normal();
    let mut of_night = |night: usize| {
        let normal = sigma * random.normal();
        let mut one_in = |nights: usize| random.below(nights) == 0;
        match noise {
            Noise::Normal => normal,
            Noise::Tails if one_in(10) => 3.0 * normal,
            Noise::Outliers if one_in(20) => normal - 0.2 - 0.5 * random.unit(),
            Noise::TwoModes if one_in(4) => normal - 0.12,
            Noise::Tails | Noise::Outliers | Noise::TwoModes => normal,
            Noise::Drift => normal + 0.06 * night as f64 / nights as f64,
            Noise::Lasting => {
                last = 0.5 * last + 0.75_f64.sqrt() * normal;
                last
            }
        }
    };
    (0..nights).map(&mut of_night).collect()
}

/// Every shape in every noise with steps of 10 and of 20 %, `each` times; nights differ by 2 to 3 %, and each series is a random
/// number of nights long.
pub(crate) fn of_every_kind(seed: u64, each: usize, nights: std::ops::RangeInclusive<usize>) -> Vec<Made> {
    let mut random = Random::new(seed);
    let mut fleet = Vec::new();
    for (noise, shape) in NOISES.into_iter().flat_map(|noise| SHAPES.map(|shape| (noise, shape))) {
        for number in 0..each {
            let nights = nights.start() + random.below(nights.end() - nights.start() + 1);
            let sigma = 0.02 + 0.01 * random.unit();
            let size = if number % 2 == 0 { 0.1 } else { 0.2 };
            fleet.extend(made(&mut random, (noise, sigma), (shape, size), nights));
        }
    }
    fleet
}

/// Three hundred series of which the first changed once.
pub(crate) fn one_in_300(random: &mut Random, noise: Noise, nights: usize, size: f64) -> Vec<Made> {
    let mut one = |number: usize| {
        let sigma = 0.02 + 0.01 * random.unit();
        let shape = if number == 0 { Shape::Single } else { Shape::Unchanged };
        made(random, (noise, sigma), (shape, size), nights)
    };
    (0..300).filter_map(&mut one).collect()
}

/// Ninety unchanged series like those of a suite: thirty quiet ones of one vCPU, thirty contended ones of which half have two
/// modes and half outliers, and thirty overcommitted ones that are noisy. Every fortieth night is a bad one, on which every series
/// is 30 % slower.
pub(crate) fn unchanged_suite(random: &mut Random, nights: usize) -> Vec<Made> {
    let bad: Vec<bool> = (0..nights).map(|_| random.below(40) == 0).collect();
    let mut one = |number: usize| {
        let (class, noise, sigma) = match number % 6 {
            0 | 1 => ("one-vcpu", Noise::Tails, 0.01),
            2 => ("contended", Noise::TwoModes, 0.02),
            3 => ("contended", Noise::Outliers, 0.02),
            _ => ("overcommitted", Noise::Tails, 0.05),
        };
        let sigma = sigma * (1.0 + random.unit());
        let mut made = made(random, (noise, sigma), (Shape::Unchanged, 0.0), nights)?;
        made.class = class;
        made.values.iter_mut().zip(&bad).filter(|(_, bad)| **bad).for_each(|(value, _)| *value -= 0.36);
        Some(made)
    };
    (0..90).filter_map(&mut one).collect()
}
