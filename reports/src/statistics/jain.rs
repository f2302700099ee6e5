//! Fairness of a division.

/// Below this mean number of acquisitions a vCPU, shares are noise.
pub const JAIN_NEEDS: u64 = 20;

/// Jain's index: 1 where all got the same, `1/n` where one got everything. `None` below [`JAIN_NEEDS`]
/// acquisitions a vCPU on average.
pub fn jain(operations: &[u64]) -> Option<f64> {
    let shares = shares(operations)?;
    // Shares sum to n, so (sum x)^2 / (n * sum x^2) becomes n / sum x^2.
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    Some(shares.len() as f64 / squares)
}

/// Each vCPU's part as a multiple of the fair part, in the order given. `None` below [`JAIN_NEEDS`] acquisitions a
/// vCPU on average.
pub fn shares(operations: &[u64]) -> Option<Vec<f64>> {
    let total: u128 = operations.iter().map(|&count| u128::from(count)).sum();
    let vcpus = operations.len();
    if vcpus == 0 || total < u128::from(JAIN_NEEDS) * vcpus as u128 {
        return None;
    }
    let fair = total as f64 / vcpus as f64;
    Some(operations.iter().map(|&count| count as f64 / fair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(jain(&[100, 100, 100, 100]), Some(1.0));
        assert_eq!(jain(&[1_000, 0, 0, 0]), Some(0.25));
        // Jain's own example: (1+2+3)^2 / (3 * 14).
        assert!((jain(&[100, 200, 300]).unwrap() - 36.0 / 42.0).abs() < 1e-12);
        assert_eq!(shares(&[30, 90]), Some(vec![0.5, 1.5]));
    }

    #[test]
    fn too_little_to_judge() {
        assert_eq!(jain(&[]), None);
        assert_eq!(jain(&[0, 0]), None);
        assert_eq!(jain(&[19, 20]), None);
        assert!(jain(&[20, 20]).is_some());
    }

    #[test]
    fn huge_counts_do_not_overflow() {
        assert_eq!(jain(&[u64::MAX, u64::MAX]), Some(1.0));
    }
}
