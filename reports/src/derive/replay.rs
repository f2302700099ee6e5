//! What the windows of a cell replayed, and how well.

use crate::record::{CellReplay, Replay};
use crate::statistics::middle_and_99th;

/// Sums up the replays of a cell's windows; none where there are none.
pub(super) fn replay(windows: &[&Replay]) -> Option<CellReplay> {
    let first = windows.first()?;
    let mut logs: Vec<String> = windows.iter().map(|window| window.log.clone()).collect();
    logs.sort_unstable();
    logs.dedup();
    let mut errors: Vec<f64> = windows.iter().flat_map(|window| errors(window)).collect();
    Some(CellReplay {
        source: first.source.clone(),
        logs,
        planned: windows.iter().map(|window| window.planned).fold(0, u64::saturating_add),
        done: windows.iter().map(|window| window.done).fold(0, u64::saturating_add),
        error_ns: middle_and_99th(&mut errors),
        left_over_share: windows.iter().map(|window| window.left_over_share).sum::<f64>()
            / windows.len() as f64,
    })
}

/// How far from its instant each change was done, in nanoseconds.
fn errors(window: &Replay) -> impl Iterator<Item = f64> {
    let done = window.instants.iter().filter_map(|instant| Some((instant, instant.done_ns?)));
    done.map(|(instant, done_ns)| (done_ns as f64 - instant.planned_ns as f64).abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Instant;

    #[test]
    fn errors_are_those_of_all_changes_that_were_done() {
        let instant = |planned_ns, done_ns| Instant { pcpu: 0, vcpu: 0, comes: true, planned_ns, done_ns };
        let window = |log: &str, instants: Vec<Instant>, left_over_share| Replay {
            log: log.into(),
            source: "a test".into(),
            planned: instants.len() as u64,
            done: instants.iter().filter(|instant| instant.done_ns.is_some()).count() as u64,
            instants,
            left_over_share,
            ..Replay::default()
        };
        let one = window("a", vec![instant(100, Some(103)), instant(200, None)], 0.5);
        let other = window("b", vec![instant(100, Some(90)), instant(300, Some(301))], 0.1);
        let told = replay(&[&one, &other, &one]).unwrap();
        assert_eq!((told.planned, told.done, told.logs), (6, 4, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(told.error_ns, Some([3.0, 10.0]));
        assert!((told.left_over_share - 1.1 / 3.0).abs() < 1e-9);
        assert_eq!(replay(&[]), None);
    }
}
