//! Dashed lines. Those of plotters begin a new dash at each segment, so that a line of short segments has no gaps.

/// Cuts a line into dashes of length `on` with gaps of length `off`, measured along the whole line.
pub(super) fn dashes(places: &[(f64, f64)], on: f64, off: f64) -> Vec<Vec<(f64, f64)>> {
    let mut dashes: Vec<Vec<(f64, f64)>> = Vec::new();
    let (mut drawing, mut left) = (true, on);
    let Some(&first) = places.first() else { return dashes };
    let mut current = vec![first];
    for pair in places.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut length = (to.0 - from.0).hypot(to.1 - from.1);
        while length > left {
            let part = left / length;
            from = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            length -= left;
            if drawing {
                current.push(from);
                dashes.push(std::mem::take(&mut current));
            } else {
                current = vec![from];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length;
        if drawing {
            current.push(to);
        }
    }
    if drawing && current.len() > 1 {
        dashes.push(current);
    }
    dashes
}

#[cfg(test)]
mod tests {
    use super::dashes;

    #[test]
    fn gaps_are_counted_along_the_line() {
        let straight = dashes(&[(0.0, 0.0), (25.0, 0.0)], 6.0, 4.0);
        let ends: Vec<(f64, f64)> = straight.iter().map(|dash| (dash[0].0, dash[dash.len() - 1].0)).collect();
        assert_eq!(ends, [(0.0, 6.0), (10.0, 16.0), (20.0, 25.0)]);
        let in_steps: Vec<(f64, f64)> = (0..=25).map(|x| (f64::from(x), 0.0)).collect();
        assert_eq!(dashes(&in_steps, 6.0, 4.0).len(), 3);
        assert!(dashes(&[], 6.0, 4.0).is_empty());
        assert!(dashes(&[(1.0, 1.0)], 6.0, 4.0).is_empty());
    }
}
