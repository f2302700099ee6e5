//! A test of paired rounds without assumptions about distributions: if two builds are the same, the two windows of each round
//! could be exchanged.

use super::Random;

/// With fewer pairs no difference can be shown: six flips of a coin come out alike once in 32 times.
pub const FEWEST_PAIRS: usize = 6;
/// Up to this number of rounds all `2^n` outcomes are tried; with more rounds, `2^13` of them are drawn.
const EXHAUSTIVE: usize = 13;

/// For each cell of a family, the probability that some cell of the family would come out at least as extreme if nothing had
/// changed. The smallest of these is the probability of the family (Westfall and Young's maximum of t).
///
/// `differences[cell][round]` is the logarithm of the ratio, `None` where the round has no usable pair. All cells of a
/// round are flipped together, because the machine did the same to all of them. A cell with fewer than [`FEWEST_PAIRS`] pairs
/// gets 1.
pub fn most_extreme(differences: &[Vec<Option<f64>>], seed: u64) -> Vec<f64> {
    let rounds = differences.iter().map(Vec::len).max().unwrap_or(0);
    let cells: Vec<Vec<(usize, f64)>> = differences.iter().map(|cell| pairs(cell)).collect();
    let observed: Vec<f64> = cells.iter().map(|cell| t(cell, |_| false)).collect();
    let flips: u32 = 1 << rounds.min(EXHAUSTIVE);
    let mut random = Random::new(seed);
    let mut reached = vec![0_u32; cells.len()];
    for number in 0..flips {
        let drawn: Vec<bool> = if rounds <= EXHAUSTIVE {
            (0..rounds).map(|round| number >> round & 1 == 1).collect()
        } else if number == 0 {
            vec![false; rounds]
        } else {
            (0..rounds).map(|_| random.bits() & 1 == 1).collect()
        };
        let largest = cells.iter().map(|cell| t(cell, |round| drawn[round])).fold(0.0, f64::max);
        for (count, observed) in reached.iter_mut().zip(&observed) {
            // Sums of the same numbers in another order differ by rounding.
            *count += u32::from(largest >= observed * (1.0 - 1e-9));
        }
    }
    observed
        .iter()
        .zip(reached)
        .map(|(&observed, count)| if observed > 0.0 { f64::from(count) / f64::from(flips) } else { 1.0 })
        .collect()
}

fn pairs(cell: &[Option<f64>]) -> Vec<(usize, f64)> {
    let usable = cell.iter().enumerate().filter_map(|(round, difference)| Some((round, (*difference)?)));
    let found: Vec<(usize, f64)> = usable.filter(|(_, difference)| difference.is_finite()).collect();
    if found.len() < FEWEST_PAIRS { Vec::new() } else { found }
}

/// Absolute value of the t statistic of a cell's differences, with the signs of some flipped.
fn t(cell: &[(usize, f64)], flipped: impl Fn(usize) -> bool) -> f64 {
    let n = cell.len() as f64;
    if cell.is_empty() {
        return 0.0;
    }
    let mean = cell.iter().map(|&(round, d)| if flipped(round) { -d } else { d }).sum::<f64>() / n;
    // Flipping signs leaves the squares alone.
    let squares = cell.iter().map(|(_, d)| d * d).sum::<f64>() / n;
    let variance = (squares - mean * mean).max(squares * 1e-12);
    if variance > 0.0 { mean.abs() / (variance / n).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(random: &mut Random, shift: f64) -> Vec<Option<f64>> {
        (0..12).map(|_| Some(shift + 0.05 * random.normal())).collect()
    }

    #[test]
    fn finds_the_one_cell_that_changed() {
        let mut random = Random::new(3);
        let mut family: Vec<Vec<Option<f64>>> = (0..20).map(|_| noise(&mut random, 0.0)).collect();
        family[7] = noise(&mut random, -0.2);
        let p = most_extreme(&family, 1);
        assert!(p[7] <= 2.0 / 4096.0 + 1e-12, "{}", p[7]);
        assert!(p.iter().enumerate().all(|(cell, &p)| cell == 7 || p > 0.05), "{p:?}");
    }

    #[test]
    fn unchanged_families_are_called_as_rarely_as_stated() {
        let mut random = Random::new(5);
        let called = (0..200)
            .filter(|_| {
                let family: Vec<_> = (0..5).map(|_| noise(&mut random, 0.0)).collect();
                most_extreme(&family, 1).iter().any(|&p| p <= 0.05)
            })
            .count();
        assert!((2..=22).contains(&called), "{called} of 200 at 5 %");
    }

    #[test]
    fn degenerate_inputs() {
        assert!(most_extreme(&[], 1).is_empty());
        assert_eq!(most_extreme(&[vec![]], 1), [1.0]);
        assert_eq!(most_extreme(&[vec![Some(1.0); 5]], 1), [1.0], "five pairs show nothing");
        assert_eq!(most_extreme(&[vec![Some(0.0); 12]], 1), [1.0]);
        assert!(most_extreme(&[vec![Some(0.3); 12]], 1)[0] < 0.001);
        assert_eq!(most_extreme(&[vec![Some(f64::NAN); 12]], 1), [1.0]);
        let many = most_extreme(&[vec![Some(0.3); 40]], 1)[0];
        assert!(many > 0.0 && many < 0.001);
    }
}
