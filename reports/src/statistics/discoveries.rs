//! Control of false discoveries: at a level of 5 %, five of a hundred unchanged cells would be called changed by chance.

/// Fraction of the calls that may be false: 5 %. Where nothing changed it is the probability of any call at all.
pub const FALSE_DISCOVERIES: f64 = 0.05;

/// Which of the tests with these p-values to believe, so that at most a fraction `rate` of the believed ones is false
/// (Benjamini and Hochberg).
pub fn benjamini_hochberg(p: &[f64], rate: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = p.iter().copied().map(sane).collect();
    sorted.sort_by(f64::total_cmp);
    let all = sorted.len() as f64;
    let limit = sorted
        .iter()
        .enumerate()
        .rev()
        .find(|&(index, p)| *p <= rate * (index + 1) as f64 / all)
        .map(|(_, p)| *p);
    p.iter().map(|p| limit.is_some_and(|limit| sane(*p) <= limit)).collect()
}

/// One p-value for a family of tests, small if that of any member is (Simes); 1 for an empty family.
pub fn simes(p: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = p.iter().copied().map(sane).collect();
    sorted.sort_by(f64::total_cmp);
    let all = sorted.len() as f64;
    sorted.iter().enumerate().map(|(index, p)| p * all / (index + 1) as f64).fold(1.0, f64::min)
}

/// Tests families first, then the members of the believed families, at a rate reduced by the fraction of families that were
/// not believed (Benjamini and Bogomolov). So one changed lock does not make it easier to call others.
pub fn hierarchical(families: &[Vec<f64>], rate: f64) -> Vec<Vec<bool>> {
    let of_families: Vec<f64> = families.iter().map(|members| simes(members)).collect();
    let believed = benjamini_hochberg(&of_families, rate);
    let part = believed.iter().filter(|&&yes| yes).count() as f64 / families.len().max(1) as f64;
    families
        .iter()
        .zip(believed)
        .map(|(members, yes)| match yes {
            true => benjamini_hochberg(members, rate * part),
            false => vec![false; members.len()],
        })
        .collect()
}

/// The rate at which [`hierarchical`] tests such families where many of their members changed: a fraction of the believed ones is
/// allowed to be false, and only those that did not change can be. A first look says how many these are (Benjamini, Krieger and
/// Yekutieli 2006); at least half are taken to be among them.
pub fn adaptive(families: &[Vec<f64>], rate: f64) -> f64 {
    let believed = hierarchical(families, rate / (1.0 + rate));
    let all = families.iter().map(Vec::len).sum::<usize>().max(1) as f64;
    let changed = believed.iter().flatten().filter(|yes| **yes).count() as f64;
    // Of a single one nothing is known beyond what is asked.
    rate * all / (all - changed).max(0.5 * all).max(1.0)
}

/// A p-value that is no probability counts as 1, which proves nothing.
fn sane(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { p } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_own_example() {
        // Benjamini and Hochberg 1995, section 3: fifteen hypotheses, four rejected at 0.05.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let believed = benjamini_hochberg(&p, 0.05);
        assert_eq!(believed.iter().filter(|&&yes| yes).count(), 4);
        assert!(believed[..4].iter().all(|&yes| yes));
    }

    #[test]
    fn one_in_twenty_is_no_discovery() {
        let mut p = vec![0.5; 19];
        p.push(0.01);
        assert!(benjamini_hochberg(&p, 0.05).iter().all(|&yes| !yes));
        assert!((simes(&p) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn only_the_family_that_changed() {
        let families = vec![vec![1e-6, 0.6, 0.8], vec![0.04, 0.3, 0.9], vec![0.5], vec![]];
        let believed = hierarchical(&families, 0.05);
        assert_eq!(believed, vec![vec![true, false, false], vec![false; 3], vec![false], vec![]]);
    }

    #[test]
    fn the_rate_grows_with_what_changed_and_doubles_at_most() {
        let family =
            |changed: usize| (0..20).map(|n| if n < changed { 1e-9 } else { 0.7 }).collect::<Vec<f64>>();
        let rate = |changed| adaptive(&[family(changed)], 0.05);
        assert_eq!(rate(0), 0.05);
        assert!((rate(5) - 0.05 / 0.75).abs() < 1e-12, "{}", rate(5));
        assert_eq!((rate(10), rate(20)), (0.1, 0.1));
        assert_eq!((adaptive(&[vec![1e-9]], 0.2), adaptive(&[], 0.05)), (0.2, 0.05));
    }

    #[test]
    fn degenerate_inputs() {
        assert!(benjamini_hochberg(&[], 0.05).is_empty() && hierarchical(&[], 0.05).is_empty());
        assert_eq!(simes(&[]), 1.0);
        assert_eq!(benjamini_hochberg(&[f64::NAN, -1.0, 0.001], 0.05), [false, false, true]);
    }
}
