//! The one schedule log that a cell's windows still hold, and the preemptions that it shows in the trace of its window.

use super::timeline::{Span, State, Timeline, timeline};
use crate::record::{Cell, LoggedPreemptions, Measured, Round, Schedule, Stretch, StretchEnd, Trace};

/// The window of a cell whose log was kept.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// Number of the window's round.
    pub round: u32,
    /// The window.
    pub measured: &'a Measured,
    /// Its schedule, which has the log.
    pub schedule: &'a Schedule,
}

/// Why a pause mattered to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The vCPU held the lock when it was paused.
    Holding,
    /// The lock was granted to the vCPU while it was paused.
    Granted,
}

/// The window whose log was kept; none where no window has one.
pub fn logged(cell: &Cell) -> Option<Logged<'_>> {
    cell.rounds.iter().find_map(of_round)
}

/// A window that has a log.
pub fn of_round(round: &Round) -> Option<Logged<'_>> {
    let measured = round.measured()?;
    let schedule = measured.schedule.as_ref().filter(|schedule| !schedule.log.is_empty())?;
    Some(Logged { round: round.round, measured, schedule })
}

impl<'a> Logged<'a> {
    /// The trace of the window, and when it began in nanoseconds since the window's opening.
    pub fn trace(&self) -> Option<(&'a Trace, i64)> {
        let trace = self.measured.causes.as_ref()?.trace.as_ref()?;
        Some((trace, trace.began_ns?))
    }

    /// The pauses that mattered to the lock, as far as the trace tells: the stretch that a pause ended, and why. A pause may be
    /// both. Only a lock with an order of admission is granted to a particular vCPU.
    pub fn hits(&self, ordered: bool) -> Vec<(&'a Stretch, Hit)> {
        let Some((trace, began)) = self.trace() else { return Vec::new() };
        let moments = Moments::of(&timeline(trace), began, ordered);
        let hits = self.pauses(began, &moments);
        hits.flat_map(|(stretch, away)| moments.hit(away).into_iter().map(move |hit| (stretch, hit)))
            .collect()
    }

    /// Pauses that ended while the trace lasted, each with the time for which the vCPU was away, on the trace's clock.
    fn pauses<'m>(
        &self,
        began: i64,
        moments: &'m Moments,
    ) -> impl Iterator<Item = (&'a Stretch, Span)> + use<'a, 'm> {
        let log = &self.schedule.log;
        let paused = log.iter().enumerate().filter(|(_, stretch)| stretch.end == StretchEnd::Paused);
        paused.filter_map(move |(index, stretch)| {
            let since = |ns: i64| u64::try_from(ns.checked_sub(began)?).ok();
            let next = log[index + 1..].iter().find(|next| next.vcpu == stretch.vcpu)?;
            let to_ns = since(next.from_ns).filter(|at| moments.knows(*at))?;
            // Who was away when the trace began, or began again, did then what it did when it left.
            let from_ns = moments.known_from(since(stretch.to_ns).unwrap_or(0)).min(to_ns);
            Some((stretch, Span { vcpu: stretch.vcpu, state: State::Preempted, from_ns, to_ns }))
        })
    }

    /// How many pauses hit the lock by the log, and how many by the worker's own next look; none without a trace.
    pub(super) fn preemptions(&self, ordered: bool) -> Option<LoggedPreemptions> {
        let (trace, began) = self.trace()?;
        let line = timeline(trace);
        let moments = Moments::of(&line, began, ordered);
        let count = |hits: &[Hit], wanted| hits.iter().filter(|hit| **hit == wanted).count() as u64;
        let by_log: Vec<Hit> = self.hits(ordered).into_iter().map(|(_, hit)| hit).collect();
        let seen = line.spans.iter().filter(|span| span.state == State::Preempted);
        let seen: Vec<Hit> = seen.flat_map(|span| moments.seen(span.vcpu, span.to_ns)).collect();
        Some(LoggedPreemptions {
            pauses: self.pauses(began, &moments).count() as u64,
            holding: count(&by_log, Hit::Holding),
            granted: count(&by_log, Hit::Granted),
            seen_holding: count(&seen, Hit::Holding),
            seen_granted: count(&seen, Hit::Granted),
        })
    }
}

/// When the lock was held, and when it was granted to a vCPU that did not have it yet.
struct Moments {
    holds: Vec<Span>,
    grants: Vec<Span>,
    /// When the window opened, which may be after the trace began.
    opened_ns: u64,
    length_ns: u64,
    omitted: Option<[u64; 2]>,
}

impl Moments {
    /// Of a trace that began so long after the window's opening. Only what began in the window counts: of earlier events vCPUs keep
    /// some and overwrite others, so that a hold may seem to last from one acquisition to the release of another.
    fn of(line: &Timeline, began: i64, ordered: bool) -> Self {
        let opened_ns = u64::try_from(began.saturating_neg()).unwrap_or(0);
        let holding = |span: &&Span| span.state == State::Holding && span.from_ns >= opened_ns;
        let mut holds: Vec<Span> = line.spans.iter().filter(holding).copied().collect();
        holds.sort_by_key(|span| span.from_ns);
        // From a release to the next hold, of a vCPU that was waiting at the release.
        let grants = holds.windows(2).filter(|_| ordered).filter_map(|pair| {
            let [before, after] = pair else { return None };
            let grant = Span { state: State::Waiting, from_ns: before.to_ns, to_ns: after.from_ns, ..*after };
            let waited = line.spans.iter().any(|span| {
                span.vcpu == grant.vcpu
                    && span.state == State::Waiting
                    && span.from_ns <= grant.from_ns
                    && span.to_ns >= grant.to_ns
            });
            (waited && grant.from_ns <= grant.to_ns).then_some(grant)
        });
        Self { grants: grants.collect(), holds, opened_ns, length_ns: line.length_ns, omitted: line.omitted }
    }

    /// Whether the trace tells what happened at an instant.
    fn knows(&self, at: u64) -> bool {
        (self.opened_ns..=self.length_ns).contains(&at)
            && self.omitted.is_none_or(|[from, to]| at <= from || at >= to)
    }

    /// The first instant from `at` on that the trace tells of.
    fn known_from(&self, at: u64) -> u64 {
        let at = at.max(self.opened_ns);
        match self.omitted {
            Some([from, to]) if at > from && at < to => to,
            _ => at,
        }
    }

    /// What an absence hit: it began in a hold of its vCPU, or it lay in a grant to its vCPU.
    fn hit(&self, away: Span) -> Vec<Hit> {
        let hold = |span: &Span| (span.from_ns..span.to_ns).contains(&away.from_ns);
        self.hits(away.vcpu, hold, |grant| away.from_ns < grant.to_ns && away.to_ns > grant.from_ns)
    }

    /// What an absence hit that a vCPU noticed at an instant. It looks when it has the lock, before it releases it, and while it
    /// waits or thinks: what it notices in a hold happened in the hold.
    fn seen(&self, vcpu: u32, at: u64) -> Vec<Hit> {
        let within = |span: &Span| span.from_ns < at && at <= span.to_ns;
        self.hits(vcpu, within, within)
    }

    fn hits(&self, vcpu: u32, hold: impl Fn(&Span) -> bool, grant: impl Fn(&Span) -> bool) -> Vec<Hit> {
        let held = self.holds.iter().any(|span| span.vcpu == vcpu && hold(span));
        let granted = self.grants.iter().any(|span| span.vcpu == vcpu && grant(span));
        let hits = [(held, Hit::Holding), (granted, Hit::Granted)];
        hits.into_iter().filter_map(|(is, hit)| is.then_some(hit)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Causes, TraceEvent, TraceKind};
    use TraceKind::{Acquire, Release, Resumed, Wait};

    /// A window whose trace begins 1,000 ns after the opening.
    fn window(log: &[(u32, i64, i64, StretchEnd)], events: &[(u64, u32, TraceKind, u64)]) -> Measured {
        let stretch = |&(vcpu, from_ns, to_ns, end)| Stretch::of_vcpu(0, vcpu, from_ns, to_ns, end);
        let event = |&(at_ns, vcpu, kind, arg)| TraceEvent { at_ns, vcpu, kind, arg };
        let trace =
            Trace { began_ns: Some(1_000), events: events.iter().map(event).collect(), ..Trace::default() };
        Measured {
            schedule: Some(Schedule { log: log.iter().map(stretch).collect(), ..Schedule::default() }),
            causes: Some(Causes { trace: Some(trace), ..Causes::default() }),
            ..Measured::default()
        }
    }

    fn told(measured: &Measured) -> (LoggedPreemptions, Vec<(u32, Hit)>) {
        let logged = Logged { round: 0, measured, schedule: measured.schedule.as_ref().unwrap() };
        let hits = logged.hits(true).into_iter().map(|(stretch, hit)| (stretch.vcpu, hit)).collect();
        (logged.preemptions(true).unwrap(), hits)
    }

    const EVENTS: [(u64, u32, TraceKind, u64); 9] = [
        (0, 1, Wait, 0),
        (10, 0, Acquire, 0),
        // v0 is away from 20 to 60, which it finds out at 62.
        (62, 0, Resumed, 19),
        (70, 0, Release, 0),
        // The lock was granted to v1, which was away from 65 to 100.
        (101, 1, Resumed, 64),
        (103, 1, Acquire, 0),
        (110, 1, Release, 0),
        (115, 0, Wait, 0),
        (120, 0, Acquire, 0),
    ];

    #[test]
    fn pauses_of_the_log_fall_into_holds_and_grants_as_the_workers_saw() {
        use StretchEnd::{Open, Paused};
        let log = [
            (1, 0, 900, Paused),
            (0, 900, 1_020, Paused),
            (1, 1_030, 1_065, Paused),
            (0, 1_060, 1_118, Paused),
            (1, 1_100, 1_500, Open),
        ];
        let (counts, hits) = told(&window(&log, &EVENTS));
        assert_eq!(hits, [(0, Hit::Holding), (1, Hit::Granted)]);
        assert_eq!((counts.pauses, counts.holding, counts.granted), (3, 1, 1), "the last one did not end");
        assert_eq!((counts.seen_holding, counts.seen_granted), (1, 1));
    }

    #[test]
    fn who_notices_after_the_release_was_not_preempted_in_the_hold() {
        // v0 last looked just before it released at 70, and thought until it noticed at 114.
        let mut events = EVENTS.to_vec();
        events.push((114, 0, Resumed, 69));
        let (counts, _) = told(&window(&[(0, 0, 1_072, StretchEnd::Paused)], &events));
        assert_eq!((counts.seen_holding, counts.seen_granted), (1, 1));
    }

    #[test]
    fn who_was_paused_before_the_trace_began_was_paused_in_what_it_did_then() {
        use StretchEnd::{Open, Paused};
        // v0 holds the lock when the trace begins and comes back at 30.
        let events = [
            (5, 1, Wait, 0),
            (31, 0, Resumed, 0),
            (40, 0, Release, 0),
            (41, 1, Acquire, 0),
            (50, 1, Release, 0),
        ];
        let (counts, hits) = told(&window(&[(0, 0, 900, Paused), (0, 1_030, 2_000, Open)], &events));
        assert_eq!((counts.pauses, counts.holding, counts.seen_holding), (1, 1, 1));
        assert_eq!(hits, [(0, Hit::Holding)]);
    }

    #[test]
    fn what_began_before_the_window_opened_does_not_count() {
        use StretchEnd::{Open, Paused};
        let mut measured = window(&[(0, -1_000, -980, Paused), (0, -940, 2_000, Open)], &EVENTS);
        let began = |measured: &mut Measured, ns| {
            measured.causes.as_mut().unwrap().trace.as_mut().unwrap().began_ns = Some(ns);
        };
        began(&mut measured, -1_000);
        assert_eq!(told(&measured).0, LoggedPreemptions::default());
        // Opened right before the hold.
        began(&mut measured, -5);
        measured.schedule.as_mut().unwrap().log[0].to_ns = 15;
        measured.schedule.as_mut().unwrap().log[1].from_ns = 55;
        let (counts, _) = told(&measured);
        assert_eq!((counts.pauses, counts.holding, counts.seen_holding, counts.seen_granted), (1, 1, 1, 1));
    }

    #[test]
    fn a_lock_without_an_order_is_granted_to_nobody() {
        use StretchEnd::{Open, Paused};
        let measured = window(&[(1, 0, 1_065, Paused), (1, 1_100, 1_500, Open)], &EVENTS);
        let logged = Logged { round: 0, measured: &measured, schedule: measured.schedule.as_ref().unwrap() };
        let granted = |ordered| logged.preemptions(ordered).map(|told| (told.granted, told.seen_granted));
        assert_eq!((granted(true), granted(false)), (Some((1, 1)), Some((0, 0))));
    }

    #[test]
    fn a_halt_is_no_pause_and_a_log_that_says_otherwise_than_the_workers_shows() {
        use StretchEnd::{Halted, Open};
        let log = [(0, 900, 1_020, Halted), (1, 1_030, 1_065, Halted), (0, 1_060, 1_500, Open)];
        let (counts, hits) = told(&window(&log, &EVENTS));
        assert_eq!((counts.pauses, counts.holding, counts.granted, hits.len()), (0, 0, 0, 0));
        assert_eq!((counts.seen_holding, counts.seen_granted), (1, 1));
    }

    #[test]
    fn without_a_trace_that_says_when_it_began_nothing_is_told() {
        let mut measured = window(&[(0, 0, 1_020, StretchEnd::Paused)], &EVENTS);
        measured.causes.as_mut().unwrap().trace.as_mut().unwrap().began_ns = None;
        let logged = Logged { round: 0, measured: &measured, schedule: measured.schedule.as_ref().unwrap() };
        assert_eq!((logged.preemptions(true), logged.hits(true).len()), (None, 0));
    }

    #[test]
    fn of_the_time_that_was_left_out_nothing_is_told() {
        let mut measured =
            window(&[(0, 900, 1_020, StretchEnd::Paused), (0, 1_040, 2_000, StretchEnd::Open)], &EVENTS);
        measured.causes.as_mut().unwrap().trace.as_mut().unwrap().omitted = Some([15, 62]);
        assert_eq!(told(&measured).0.pauses, 0);
        measured.causes.as_mut().unwrap().trace.as_mut().unwrap().omitted = None;
        let (counts, _) = told(&measured);
        assert_eq!((counts.pauses, counts.holding), (1, 1));
    }
}
