//! What the emulated hypervisor did over all windows of a cell, and which of their logs is kept.

use super::{log, replay};
use crate::record::{CellSchedule, Measured, Outcome, Purpose, Round, Schedule};
use crate::statistics::median;

/// At most this many stretches of a log are kept in results; `rounds.jsonl` has them all.
const MOST_STRETCHES: usize = 512;

/// Sums up the schedules of a cell; none where the kernel scheduled its vCPUs.
pub(super) fn schedule(rounds: &[Round]) -> Option<CellSchedule> {
    let windows: Vec<&Schedule> = scheduled(rounds).map(|(_, _, schedule)| schedule).collect();
    let first = windows.first()?;
    let kept: Vec<&Schedule> = windows.iter().copied().filter(|one| one.kept()).collect();
    let not_kept = windows.len() - kept.len();
    let used = if kept.is_empty() { &windows } else { &kept };
    let each = || used.iter().copied();
    Some(CellSchedule {
        slice_ns: first.slice_ns,
        windows: windows.len() as u32,
        not_kept: not_kept as u32,
        slices: each().map(|one| one.slices).fold(0, u64::saturating_add),
        halts: each().map(|one| one.halts).fold(0, u64::saturating_add),
        yields: each().map(|one| one.yields).fold(0, u64::saturating_add),
        // A pool may have a timeslice of its own, so that only the window's record knows what was asked of each stretch.
        slice_ratio: over(each().filter_map(|one| one.slice_ratio)),
        pause_ns: over(each().filter_map(|one| one.pause_ns)),
        switch_ns: over(each().filter_map(|one| one.switch_ns)),
        own_share: each().map(|one| one.own_share).sum::<f64>() / used.len() as f64,
        deviation: windows.iter().filter_map(|one| one.deviation).reduce(f64::max),
        real_time: windows.iter().all(|one| one.real_time),
        replay: replay::replay(&each().filter_map(|one| one.replay.as_ref()).collect::<Vec<_>>()),
        log_left_out: 0,
        preemptions: None,
    })
}

/// Windows that had a schedule, with the index of each among the rounds.
fn scheduled(rounds: &[Round]) -> impl Iterator<Item = (usize, &Measured, &Schedule)> {
    rounds.iter().enumerate().filter_map(|(index, round)| {
        let measured = round.measured()?;
        Some((index, measured, measured.schedule.as_ref()?))
    })
}

/// The median of windows' medians, and the largest of their 99th percentiles.
fn over(windows: impl Iterator<Item = [f64; 2]>) -> Option<[f64; 2]> {
    let (middles, tails): (Vec<f64>, Vec<f64>) = windows.map(|[middle, tail]| (middle, tail)).unzip();
    Some([median(&middles)?, tails.into_iter().reduce(f64::max)?])
}

/// Takes the logs out of a cell's windows, except that of one window: the traced one with the worst handover, or else the one
/// with the median rate. The summary says which preemptions that log shows, and how many of its stretches were left out.
pub(super) fn keep_one_log(rounds: &mut [Round], summary: &mut CellSchedule, ordered: bool) {
    let chosen = chosen(rounds);
    // All of the log counts here, also what is left out below.
    let logged = chosen.and_then(|index| log::of_round(&rounds[index]));
    summary.preemptions = logged.and_then(|logged| logged.preemptions(ordered));
    for (index, round) in rounds.iter_mut().enumerate() {
        let Outcome::Measured(measured) = &mut round.outcome else { continue };
        let worst_ns = worst_handover(measured);
        let Some(schedule) = &mut measured.schedule else { continue };
        if Some(index) == chosen {
            summary.log_left_out = shorten(schedule, worst_ns.unwrap_or(0));
        } else {
            schedule.log = Vec::new();
            if let Some(replay) = &mut schedule.replay {
                replay.instants = Vec::new();
            }
        }
    }
}

/// The window whose log is kept, of a cell's windows; none where no window has a log.
pub fn logged_window(rounds: &[Round]) -> Option<&Round> {
    Some(&rounds[chosen(rounds)?])
}

/// The window whose log is kept. Windows that something reached into are taken only where there are no others.
fn chosen(rounds: &[Round]) -> Option<usize> {
    let mut logged: Vec<(usize, &Measured)> = scheduled(rounds)
        .filter(|(_, _, schedule)| !schedule.log.is_empty())
        .map(|(index, measured, _)| (index, measured))
        .collect();
    if logged.iter().any(|(_, measured)| measured.undisturbed()) {
        logged.retain(|(_, measured)| measured.undisturbed());
    }
    let trace = |measured: &Measured| Some(measured.causes.as_ref()?.trace.as_ref()?.worst_handover_ns);
    let traced = logged.iter().filter_map(|(index, measured)| Some((trace(measured)?, *index)));
    if let Some((_, index)) = traced.max() {
        return Some(index);
    }
    let of_rate: Vec<(usize, &Measured)> =
        logged.iter().copied().filter(|(index, _)| rounds[*index].purpose == Purpose::Rate).collect();
    let mut windows = if of_rate.is_empty() { logged } else { of_rate };
    let done = |measured: &Measured| super::operations(measured) as f64 / measured.window_ns.max(1) as f64;
    windows.sort_by(|(_, one), (_, other)| done(one).total_cmp(&done(other)));
    Some(windows.get(windows.len().checked_sub(1)? / 2)?.0)
}

/// When the worst handover of a traced window ended, in nanoseconds since the window's opening.
fn worst_handover(measured: &Measured) -> Option<i64> {
    let causes = measured.causes.as_ref()?;
    causes.trace.as_ref()?;
    Some(causes.longest_handover?.at_ns.cast_signed())
}

/// Keeps the stretches of a log around an instant.
fn shorten(schedule: &mut Schedule, around_ns: i64) -> u32 {
    let log = &mut schedule.log;
    let all = log.len();
    let at = log.partition_point(|stretch| stretch.from_ns < around_ns);
    let from = at.saturating_sub(MOST_STRETCHES / 2).min(all.saturating_sub(MOST_STRETCHES));
    log.drain(..from);
    log.truncate(MOST_STRETCHES);
    let cut = log.len() < all;
    if let (true, Some(replay), Some(first), Some(last)) =
        (cut, &mut schedule.replay, log.first(), log.last())
    {
        let shown = first.from_ns..=last.to_ns;
        replay.instants.retain(|instant| shown.contains(&instant.planned_ns.cast_signed()));
    }
    (all - log.len()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Causes, Longest, Stretch, StretchEnd, Trace};

    fn window(purpose: Purpose, operations: u64, change: impl FnOnce(&mut Measured)) -> Round {
        let log = (0..4).map(|n| {
            let from_ns = i64::from(n) * 1_000;
            let end = if n == 3 { StretchEnd::Open } else { StretchEnd::Paused };
            Stretch::of_vcpu(0, n % 2, from_ns, from_ns + 900 + i64::from(n) * 100, end)
        });
        let schedule = Schedule {
            slice_ns: 1_000,
            slices: 3,
            slice_ratio: Some([1.0, 1.0 + operations as f64 / 100.0]),
            pause_ns: Some([operations as f64, 10.0 * operations as f64]),
            deviation: Some(0.01),
            real_time: true,
            log: log.collect(),
            ..Schedule::default()
        };
        let mut measured = Measured {
            window_ns: 10_000,
            operations: vec![operations],
            schedule: Some(schedule),
            ..Measured::default()
        };
        change(&mut measured);
        Round { cell: "a".into(), round: 0, purpose, outcome: Outcome::Measured(measured) }
    }

    fn rate(operations: u64) -> Round {
        window(Purpose::Rate, operations, |_| ())
    }

    fn not_kept(operations: u64) -> Round {
        window(Purpose::Rate, operations, |measured| {
            measured.disturbed = Some("the schedule was not kept".into());
            measured.schedule.as_mut().unwrap().deviation = Some(0.3);
        })
    }

    fn traced(worst_handover_ns: u64) -> Round {
        window(Purpose::Trace, 1, |measured| {
            let trace = Some(Trace { worst_handover_ns, ..Trace::default() });
            let longest_handover = Some(Longest { vcpu: 0, ns: worst_handover_ns, at_ns: 2_500 });
            measured.causes = Some(Causes { trace, longest_handover, ..Causes::default() });
        })
    }

    fn keep(rounds: &mut [Round]) -> u32 {
        let mut summary = CellSchedule::default();
        keep_one_log(rounds, &mut summary, true);
        summary.log_left_out
    }

    fn logs(rounds: &[Round]) -> Vec<usize> {
        rounds.iter().map(|round| round.measured().unwrap().schedule.as_ref().unwrap().log.len()).collect()
    }

    #[test]
    fn a_cell_sums_up_what_was_kept_and_counts_what_was_not() {
        let told = schedule(&[rate(1), not_kept(90), rate(5), rate(3)]).unwrap();
        assert_eq!((told.windows, told.not_kept, told.slices, told.slice_ns), (4, 1, 9, 1_000));
        assert_eq!(told.slice_ratio, Some([1.0, 1.05]), "of the windows that were kept");
        assert_eq!(told.pause_ns, Some([3.0, 50.0]), "of the windows that were kept");
        assert_eq!(told.deviation, Some(0.3), "of every window");
        assert!(told.real_time);
    }

    #[test]
    fn a_cell_whose_pool_has_a_timeslice_of_its_own_tells_the_ratios_that_its_windows_recorded() {
        let pooled = |ratio: f64| {
            window(Purpose::Rate, 1, |measured| {
                let schedule = measured.schedule.as_mut().unwrap();
                // The cell's timeslice; the stretches of the log are those of a pool with one that is 30 times shorter.
                schedule.slice_ns = 30_000;
                schedule.slice_ratio = Some([ratio, ratio + 0.1]);
            })
        };
        let told = schedule(&[pooled(1.0), pooled(1.25), pooled(0.75)]).unwrap();
        assert_eq!(told.slice_ratio, Some([1.0, 1.35]));
        let mut none = pooled(1.0);
        let Outcome::Measured(measured) = &mut none.outcome else { unreachable!() };
        measured.schedule.as_mut().unwrap().slice_ratio = None;
        assert_eq!(schedule(&[none]).unwrap().slice_ratio, None, "as in a replay, whose log decides");
    }

    #[test]
    fn where_no_schedule_was_kept_all_windows_are_summed_up() {
        let told = schedule(&[not_kept(2), not_kept(2)]).unwrap();
        assert_eq!((told.windows, told.not_kept, told.slices), (2, 2, 6));
        assert_eq!(schedule(&[]), None);
        let of_the_host = window(Purpose::Rate, 1, |measured| measured.schedule = None);
        assert_eq!(schedule(&[of_the_host]), None);
    }

    #[test]
    fn one_log_is_kept_the_worst_traced_one_or_that_of_the_median_rate() {
        let mut rounds = [rate(9), not_kept(5), rate(1), rate(4)];
        assert_eq!((keep(&mut rounds), logs(&rounds)), (0, vec![0, 0, 0, 4]));
        let mut rounds = [rate(9), traced(70), rate(1), traced(900), traced(800)];
        assert_eq!((keep(&mut rounds), logs(&rounds)), (0, vec![0, 0, 0, 4, 0]));
        let mut rounds = [not_kept(9), not_kept(4), not_kept(5)];
        assert_eq!((keep(&mut rounds), logs(&rounds)), (0, vec![0, 0, 4]));
    }

    #[test]
    fn a_log_that_is_too_long_is_cut_around_the_worst_handover() {
        let long = |at_ns: u64| {
            let mut round = traced(1);
            let Outcome::Measured(measured) = &mut round.outcome else { unreachable!() };
            measured.causes.as_mut().unwrap().longest_handover.as_mut().unwrap().at_ns = at_ns;
            let stretch = |n: i64| Stretch::of_vcpu(0, 0, n * 10, n * 10 + 9, StretchEnd::Halted);
            measured.schedule.as_mut().unwrap().log = (0..2_000).map(stretch).collect();
            let mut rounds = [round];
            let left_out = keep(&mut rounds);
            let log = &rounds[0].measured().unwrap().schedule.as_ref().unwrap().log;
            (left_out, log.len(), log[0].from_ns)
        };
        let left_out = 2_000 - MOST_STRETCHES;
        let kept = |at_ns: u64| (left_out as u32, MOST_STRETCHES, at_ns as i64);
        assert_eq!(long(10_000), kept(10_000 - 10 * MOST_STRETCHES as u64 / 2));
        assert_eq!(long(0), kept(0));
        assert_eq!(long(u64::from(u32::MAX)), kept(10 * left_out as u64));
    }
}
