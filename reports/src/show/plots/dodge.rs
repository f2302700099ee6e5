//! Spreads points that lie on one another, so that each can be seen and pointed at.

use super::group::{MARKER, Place};

/// No point of a line moves farther aside than this.
const FARTHEST: f64 = 24.0;

/// Moves the points of several lines aside where they would lie on one another. Points of one column have the same first coordinate;
/// none moves farther than part of the way to the next column.
pub(super) fn spread(lines: &mut [Vec<Place>]) {
    let mut columns: Vec<f64> = lines.iter().flatten().map(|place| place.0).collect();
    columns.sort_by(f64::total_cmp);
    columns.dedup();
    let gap = columns.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let room = (0.4 * gap).min(FARTHEST);
    for column in columns {
        let mut members: Vec<&mut Place> =
            lines.iter_mut().flatten().filter(|place| place.0 == column).collect();
        let heights: Vec<f64> = members.iter().map(|place| place.1).collect();
        let shifts = aside(&heights, 2.0 * MARKER, room);
        members.iter_mut().zip(shifts).for_each(|(place, shift)| place.0 += shift);
    }
}

/// How far each point of a column moves aside. Points that are closer together than `apart` form a clump, which is spread by at most
/// `room` to either side; a point that touches no other stays where it is.
pub(super) fn aside(column: &[f64], apart: f64, room: f64) -> Vec<f64> {
    let mut shifts = vec![0.0; column.len()];
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_by(|a, b| column[*a].total_cmp(&column[*b]));
    for clump in order.chunk_by(|one, next| column[*next] - column[*one] < apart) {
        let gaps = clump.len().saturating_sub(1) as f64;
        if gaps < 1.0 {
            continue;
        }
        let step = apart.min(2.0 * room / gaps);
        // In the order in which the points were given, which is the same in each column.
        let mut members = clump.to_vec();
        members.sort_unstable();
        for (place, member) in members.into_iter().enumerate() {
            shifts[member] = (place as f64 - gaps / 2.0) * step;
        }
    }
    shifts
}

/// Moves labels apart that would lie on one another: each is wished at a height, and gets the nearest one at which labels are
/// `pitch` apart, from `top` to `bottom` as long as there is room.
pub(super) fn heights(wished: &[f64], pitch: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wished.len()).collect();
    order.sort_by(|a, b| wished[*a].total_cmp(&wished[*b]));
    // Clumps of labels that touch are merged, each centred on the mean of what its labels wish.
    let mut clumps: Vec<(f64, usize)> = Vec::new();
    let half = |count: usize| (count.saturating_sub(1)) as f64 * pitch / 2.0;
    let inside = |middle: f64, count: usize| middle.min(bottom - half(count)).max(top + half(count));
    for index in &order {
        let mut clump = (inside(wished[*index], 1), 1_usize);
        while let Some(&(middle, count)) = clumps.last() {
            if middle + half(count) + pitch <= clump.0 - half(clump.1) + 1e-9 {
                break;
            }
            clumps.pop();
            let all = count + clump.1;
            let mean = (middle * count as f64 + clump.0 * clump.1 as f64) / all as f64;
            clump = (inside(mean, all), all);
        }
        clumps.push(clump);
    }
    let mut heights = vec![0.0; wished.len()];
    let places = clumps.iter().flat_map(|&(middle, count)| {
        (0..count).map(move |place| middle - half(count) + place as f64 * pitch)
    });
    order.iter().zip(places).for_each(|(index, height)| heights[*index] = height);
    heights
}

#[cfg(test)]
mod tests {
    use super::{aside, heights, spread};

    #[test]
    fn lines_that_are_one_are_drawn_side_by_side_and_do_not_reach_the_next_column() {
        let mut lines = vec![vec![(10.0, 5.0), (30.0, 7.0)]; 3];
        lines.push(vec![(10.0, 50.0)]);
        spread(&mut lines);
        let firsts: Vec<f64> = lines.iter().map(|line| line[0].0).collect();
        assert!(firsts[0] < 10.0 && firsts[1] == 10.0 && firsts[2] > 10.0 && firsts[3] == 10.0, "{firsts:?}");
        assert!(lines[..3].iter().all(|line| line[0].0 <= 18.0 && line[1].0 >= 22.0), "{lines:?}");
        assert_eq!(lines[3], [(10.0, 50.0)]);
    }

    #[test]
    fn points_on_one_another_are_spread_and_others_stay() {
        assert_eq!(aside(&[10.0, 50.0, 10.5, 10.0], 8.0, 20.0), [-8.0, 0.0, 0.0, 8.0]);
        let many = aside(&[7.0; 31], 8.0, 15.0);
        assert!(many.iter().all(|shift| shift.abs() <= 15.0));
        assert!(many.windows(2).all(|pair| pair[1] - pair[0] > 0.9), "{many:?}");
        assert!(aside(&[], 8.0, 15.0).is_empty());
    }

    #[test]
    fn labels_do_not_collide_and_keep_their_order() {
        for wished in [
            vec![100.0; 10],
            (0..10).map(|at| f64::from(at) * 3.0).collect(),
            vec![299.0, 1.0, 2.0, 298.0, 150.0],
        ] {
            let got = heights(&wished, 14.0, 0.0, 300.0);
            let mut sorted: Vec<(f64, f64)> = wished.iter().copied().zip(got.iter().copied()).collect();
            sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
            assert!(sorted.windows(2).all(|pair| pair[1].1 - pair[0].1 > 13.99), "{sorted:?}");
            assert!(sorted.is_sorted_by(|a, b| a.0 <= b.0), "{sorted:?}");
            assert!(got.iter().all(|height| (0.0..=300.0).contains(height)), "{got:?}");
        }
        assert_eq!(heights(&[20.0, 100.0], 14.0, 0.0, 300.0), [20.0, 100.0]);
    }
}
