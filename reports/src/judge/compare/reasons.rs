//! Rows that cannot be told, gathered by their reason, so that each reason is told once.

use super::Row;

/// The rows of a reason.
pub(super) struct Reason<'a> {
    pub(super) why: &'a str,
    pub(super) rows: Vec<&'a Row>,
}

/// The reasons that several rows have in common, those with most rows first, and the rows that have a reason of their own or none.
pub(super) fn shared<'a>(rows: &[&'a Row]) -> (Vec<Reason<'a>>, Vec<&'a Row>) {
    let mut reasons: Vec<Reason<'a>> = Vec::new();
    let mut others = Vec::new();
    for row in rows {
        let Some(why) = row.verdict.reason() else {
            others.push(*row);
            continue;
        };
        match reasons.iter_mut().find(|known| known.why == why) {
            Some(known) => known.rows.push(row),
            None => reasons.push(Reason { why, rows: vec![row] }),
        }
    }
    let (mut shared, single): (Vec<_>, Vec<_>) =
        reasons.into_iter().partition(|reason| reason.rows.len() > 1);
    shared.sort_by_key(|reason| std::cmp::Reverse(reason.rows.len()));
    others.extend(single.into_iter().flat_map(|reason| reason.rows));
    (shared, others)
}
