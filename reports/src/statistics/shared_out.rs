//! Sharing by weights, where nobody takes more than it can use.

/// Shares `total` out by weights, where each claim is a weight and the most that it can take; what one cannot take goes to the
/// others.
pub fn shared_out(total: f64, claims: &[(f64, f64)]) -> Vec<f64> {
    let mut given = vec![0.0; claims.len()];
    let mut open: Vec<usize> = (0..claims.len()).filter(|&claim| claims[claim].1 > 0.0).collect();
    let mut left = total;
    loop {
        let weights: f64 = open.iter().map(|&claim| claims[claim].0).sum();
        let (full, rest): (Vec<usize>, Vec<usize>) =
            open.iter().partition(|&&claim| claims[claim].1 * weights <= left * claims[claim].0);
        if full.is_empty() {
            for claim in rest {
                given[claim] = left * claims[claim].0 / weights;
            }
            return given;
        }
        for &claim in &full {
            given[claim] = claims[claim].1;
            left -= claims[claim].1;
        }
        open = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::shared_out;

    #[test]
    fn what_one_cannot_take_goes_to_the_others_by_their_weights() {
        assert_eq!(shared_out(70.0, &[(1.0, 100.0), (2.0, 100.0), (4.0, 100.0)]), [10.0, 20.0, 40.0]);
        assert_eq!(shared_out(70.0, &[(1.0, 100.0), (2.0, 100.0), (4.0, 10.0)]), [20.0, 40.0, 10.0]);
        assert_eq!(shared_out(70.0, &[(1.0, 5.0), (2.0, 0.0), (4.0, 10.0)]), [5.0, 0.0, 10.0]);
        assert_eq!(shared_out(70.0, &[]), [] as [f64; 0]);
    }

    #[test]
    fn what_a_machine_cannot_use_goes_to_the_others() {
        assert_eq!(shared_out(1.0, &[(1.0, 1.0), (3.0, 1.0)]), [0.25, 0.75]);
        // Three vCPUs of one machine each on two pCPUs, of which the heaviest can use one.
        assert_eq!(shared_out(2.0, &[(8.0, 1.0), (1.0, 1.0), (1.0, 1.0)]), [1.0, 0.5, 0.5]);
        assert_eq!(shared_out(2.0, &[(1.0, 1.0)]), [1.0]);
    }
}
