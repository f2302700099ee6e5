//! What the machine did to all cells of a noise group alike in a night.

use std::collections::BTreeMap;

use super::segment::Segment;
use crate::statistics::{Member, without_common};

/// The logarithms of each segment, without what segments of other families did in the same nights. Segments are compared with those of
/// the same noise group and environment; where these are few, nothing is taken off. A lasting change of all cells that is larger than the margin stays, for it has to be told.
pub(super) fn without_machine(segments: &[Segment<'_>], margin: f64) -> Vec<Vec<f64>> {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, Segment { series, .. }) in segments.iter().enumerate() {
        groups.entry((series.metric, &series.class, &series.env)).or_default().push(index);
    }
    let mut left = vec![Vec::new(); segments.len()];
    for indices in groups.into_values() {
        let member = |&index: &usize| Member {
            family: &segments[index].series.family,
            values: segments[index].logs(),
        };
        let group: Vec<Member<'_>> = indices.iter().map(member).collect();
        for (index, values) in indices.into_iter().zip(without_common(&group, margin)) {
            left[index] = values;
        }
    }
    left
}
