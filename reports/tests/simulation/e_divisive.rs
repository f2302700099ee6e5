//! E-divisive (Matteson and James 2014), by bisection: the split of largest energy distance, kept if hardly any permutation of the
//! nights gives a larger one.

use lockbench_reports::statistics::{FEWEST_NIGHTS, Random};

const PERMUTATIONS: usize = 199;

/// The first night after each change whose p-value is at most `level`.
pub(crate) fn places(values: &[f64], level: f64, random: &mut Random) -> Vec<usize> {
    let mut found = Vec::new();
    bisect(values, 0, level, &mut found, random);
    found.sort_unstable();
    found
}

fn bisect(values: &[f64], start: usize, level: f64, found: &mut Vec<usize>, random: &mut Random) {
    let Some((at, observed)) = energy(values) else { return };
    // The order that was observed is one of the permutations that do no worse.
    let allowed = (level * (PERMUTATIONS + 1) as f64 + 1e-9) as usize;
    let mut permuted = values.to_vec();
    let mut as_large = 1;
    for _ in 0..PERMUTATIONS {
        for i in (1..permuted.len()).rev() {
            permuted.swap(i, random.below(i + 1));
        }
        as_large += usize::from(energy(&permuted).is_some_and(|(_, by_chance)| by_chance >= observed));
        if as_large > allowed {
            return;
        }
    }
    found.push(start + at);
    bisect(&values[..at], start, level, found, random);
    bisect(&values[at..], start + at, level, found, random);
}

fn energy(values: &[f64]) -> Option<(usize, f64)> {
    let n = values.len();
    if n < 2 * FEWEST_NIGHTS {
        return None;
    }
    let sum = |values: &[f64], from: f64| values.iter().map(|value| (value - from).abs()).sum::<f64>();
    let mut left = 0.0;
    let mut right: f64 = (0..n).map(|i| sum(&values[i + 1..], values[i])).sum();
    let mut between = 0.0;
    let mut best = None;
    for at in 0..n {
        // The value at `at` moves from the right to the left.
        let (to_left, to_right) = (sum(&values[..at], values[at]), sum(&values[at + 1..], values[at]));
        left += to_left;
        right -= to_right;
        between += to_right - to_left;
        let (a, b) = ((at + 1) as f64, (n - at - 1) as f64);
        if at + 1 < FEWEST_NIGHTS || n - at - 1 < FEWEST_NIGHTS {
            continue;
        }
        let distance = 2.0 * between / (a * b) - 2.0 * left / (a * (a - 1.0)) - 2.0 * right / (b * (b - 1.0));
        let score = a * b / (a + b) * distance;
        if best.is_none_or(|(_, known)| score > known) {
            best = Some((at + 1, score));
        }
    }
    best
}
