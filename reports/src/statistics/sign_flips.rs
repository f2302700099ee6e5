//! A test of paired rounds without assumptions about distributions: if two builds are the same, the two windows of each round
//! could be exchanged.
//!
//! The cells of a family are tested together by the maximum of their t statistics, stepping down from the most extreme cell
//! (Westfall and Young 1993, "Resampling-based multiple testing", algorithm 2.8): a cell is compared with the cells that are no
//! more extreme than it, so that one cell that changed does not hide another.

use super::Random;

/// With fewer pairs no difference can be shown: six flips of a coin come out alike once in 32 times.
pub const FEWEST_PAIRS: usize = 6;
/// Up to this number of rounds all `2^n` outcomes are tried; with more rounds, `2^13` of them are drawn.
const EXHAUSTIVE: usize = 13;

/// For each cell of a family, the probability that chance alone takes it, or a cell that is no more extreme, so far. The smallest
/// of these is the probability of the family. Calling all cells with at most a probability of `p` calls an unchanged one with at
/// most that probability, whichever cells changed.
///
/// `differences[cell][round]` is the logarithm of the ratio, `None` where the round has no usable pair. All cells of a
/// round are flipped together, because the machine did the same to all of them.
///
/// A cell votes only if it has enough pairs to reach `level` and at least [`FEWEST_PAIRS`]; otherwise it gets 1. With `n` pairs the
/// most extreme outcome comes about in two of `2^n` flips. A cell that can reach no level of interest would still be the most
/// extreme of the family in so many flips, and so keep the others from reaching it. How many pairs a cell has does not depend on
/// the signs that are flipped, so that leaving it out is fair.
pub fn step_down(differences: &[Vec<Option<f64>>], level: f64, seed: u64) -> Vec<f64> {
    let rounds = differences.iter().map(Vec::len).max().unwrap_or(0);
    let cells: Vec<Vec<(usize, f64)>> = differences.iter().map(|cell| voting(cell, level)).collect();
    let observed: Vec<f64> = cells.iter().map(|cell| t(cell, |_| false)).collect();
    let mut least_first: Vec<usize> = (0..cells.len()).filter(|&cell| observed[cell] > 0.0).collect();
    least_first.sort_by(|&a, &b| observed[a].total_cmp(&observed[b]));
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
        let mut largest = 0.0_f64;
        for &cell in &least_first {
            largest = largest.max(t(&cells[cell], |round| drawn[round]));
            // Sums of the same numbers in another order differ by rounding.
            reached[cell] += u32::from(largest >= observed[cell] * (1.0 - 1e-9));
        }
    }
    let mut p = vec![1.0; cells.len()];
    let mut above = 0.0_f64;
    for &cell in least_first.iter().rev() {
        // A cell is never more certain than one that is more extreme.
        above = above.max(f64::from(reached[cell]) / f64::from(flips));
        p[cell] = above;
    }
    p
}

/// The usable pairs of a cell that votes; none of one that does not.
fn voting(cell: &[Option<f64>], level: f64) -> Vec<(usize, f64)> {
    let usable = cell.iter().enumerate().filter_map(|(round, difference)| Some((round, (*difference)?)));
    let found: Vec<(usize, f64)> = usable.filter(|(_, difference)| difference.is_finite()).collect();
    if found.len() >= FEWEST_PAIRS && most_certain(found.len()) <= level { found } else { Vec::new() }
}

/// The smallest probability that so many pairs can reach.
fn most_certain(pairs: usize) -> f64 {
    2.0 * 0.5_f64.powi(i32::try_from(pairs).unwrap_or(i32::MAX))
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

    /// Only the first pairs of a cell are usable.
    fn first(pairs: usize, cell: Vec<Option<f64>>) -> Vec<Option<f64>> {
        cell.into_iter().enumerate().map(|(round, d)| d.filter(|_| round < pairs)).collect()
    }

    #[test]
    fn finds_the_one_cell_that_changed() {
        let mut random = Random::new(3);
        let mut family: Vec<Vec<Option<f64>>> = (0..20).map(|_| noise(&mut random, 0.0)).collect();
        family[7] = noise(&mut random, -0.2);
        let p = step_down(&family, 0.05, 1);
        assert!(p[7] <= 2.0 / 4096.0 + 1e-12, "{}", p[7]);
        assert!(p.iter().enumerate().all(|(cell, &p)| cell == 7 || p > 0.05), "{p:?}");
    }

    #[test]
    fn unchanged_families_are_called_as_rarely_as_stated() {
        let mut random = Random::new(5);
        // Families of cells that have all, most and few of their pairs, beside one that changed.
        let called = (0..200)
            .filter(|_| {
                let mut family: Vec<_> = (0..5).map(|_| noise(&mut random, 0.0)).collect();
                family[1] = first(8, family[1].clone());
                family[2] = first(6, family[2].clone());
                family.push(noise(&mut random, 0.2));
                step_down(&family, 0.05, 1)[..5].iter().any(|&p| p <= 0.05)
            })
            .count();
        assert!((2..=20).contains(&called), "{called} of 200 at 5 %");
    }

    /// Six pairs of a cell that is all alike come out as extreme in one of 32 flips, which no level of a family allows.
    #[test]
    fn a_cell_that_cannot_reach_the_level_does_not_keep_others_from_it() {
        let mut random = Random::new(6);
        let family = [noise(&mut random, 0.1), first(6, vec![Some(0.5); 12])];
        assert!(step_down(&family, 0.05, 1)[0] >= 1.0 / 32.0);
        let p = step_down(&family, 0.01, 1);
        assert!(p[0] < 0.01 && p[1] == 1.0, "{p:?}");
        // Eight pairs can reach 1 %, seven cannot.
        let of = |pairs| step_down(&[first(pairs, vec![Some(0.5); 12])], 0.01, 1)[0];
        assert_eq!((of(7), of(8)), (1.0, 2.0 / 256.0));
    }

    /// The second cell is compared with the third alone, for the first has had its verdict.
    #[test]
    fn a_changed_cell_does_not_hide_another() {
        let mut random = Random::new(8);
        let (mut single, mut stepped) = (0, 0);
        for _ in 0..100 {
            let mut family: Vec<_> = (0..20).map(|_| noise(&mut random, 0.3)).collect();
            family.push(noise(&mut random, 0.04));
            let p = step_down(&family, 0.05, 1);
            stepped += u32::from(p[20] <= 0.05);
            let alone = t(&voting(&family[20], 0.05), |_| false);
            let largest = |number: u32| {
                let of = |cell: &Vec<Option<f64>>| t(&voting(cell, 0.05), |round| number >> round & 1 == 1);
                family.iter().map(of).fold(0.0, f64::max)
            };
            // One in 16 of all flips is enough to compare by.
            let reached = (0..4096).step_by(16).filter(|&number| largest(number) >= alone).count();
            single += u32::from(reached as f64 / 256.0 <= 0.05);
        }
        assert!(stepped >= single + 20, "{single} without stepping down, {stepped} with it");
    }

    #[test]
    fn degenerate_inputs() {
        let of = |cell: Vec<Option<f64>>| step_down(&[cell], 0.05, 1);
        assert!(step_down(&[], 0.05, 1).is_empty());
        assert_eq!(of(vec![]), [1.0]);
        assert_eq!(of(vec![Some(1.0); 5]), [1.0], "five pairs show nothing");
        assert_eq!(of(vec![Some(0.0); 12]), [1.0]);
        assert!(of(vec![Some(0.3); 12])[0] < 0.001);
        assert_eq!(of(vec![Some(f64::NAN); 12]), [1.0]);
        let many = of(vec![Some(0.3); 40])[0];
        assert!(many > 0.0 && many < 0.001);
    }
}
