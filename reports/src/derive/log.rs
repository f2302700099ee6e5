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
    /// both.
    pub fn hits(&self) -> Vec<(&'a Stretch, Hit)> {
        let Some((trace, began)) = self.trace() else { return Vec::new() };
        let moments = Moments::of(&timeline(trace));
        let hits = self.pauses(began, &moments);
        hits.flat_map(|(stretch, away)| moments.hit(away).map(move |hit| (stretch, hit))).collect()
    }

    /// Pauses whose beginning lies in the trace, each with the time for which the vCPU was away, on the trace's clock.
    fn pauses<'m>(
        &self,
        began: i64,
        moments: &'m Moments,
    ) -> impl Iterator<Item = (&'a Stretch, Span)> + use<'a, 'm> {
        let log = &self.schedule.log;
        let paused = log.iter().enumerate().filter(|(_, stretch)| stretch.end == StretchEnd::Paused);
        paused.filter_map(move |(index, stretch)| {
            let since = |ns: i64| u64::try_from(ns.checked_sub(began)?).ok();
            let from_ns = since(stretch.to_ns).filter(|at| moments.knows(*at))?;
            let next = log[index + 1..].iter().find(|next| next.vcpu == stretch.vcpu);
            let to_ns = next.map_or(Some(u64::MAX), |next| since(next.from_ns))?.max(from_ns);
            Some((stretch, Span { vcpu: stretch.vcpu, state: State::Preempted, from_ns, to_ns }))
        })
    }

    /// How many pauses hit the lock by the log, and how many by the worker's own next look; none without a trace.
    pub(super) fn preemptions(&self) -> Option<LoggedPreemptions> {
        let (trace, began) = self.trace()?;
        let line = timeline(trace);
        let moments = Moments::of(&line);
        let count = |hits: &[Hit], wanted| hits.iter().filter(|hit| **hit == wanted).count() as u64;
        let by_log: Vec<Hit> = self.hits().into_iter().map(|(_, hit)| hit).collect();
        let seen =
            line.spans.iter().filter(|span| span.state == State::Preempted && moments.knows(span.from_ns));
        let seen: Vec<Hit> = seen.flat_map(|span| moments.hit(*span)).collect();
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
    length_ns: u64,
    omitted: Option<[u64; 2]>,
}

impl Moments {
    fn of(line: &Timeline) -> Self {
        let mut holds: Vec<Span> =
            line.spans.iter().copied().filter(|span| span.state == State::Holding).collect();
        holds.sort_by_key(|span| span.from_ns);
        // From a release to the next hold, of a vCPU that was waiting at the release.
        let grants = holds.windows(2).filter_map(|pair| {
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
        Self { grants: grants.collect(), holds, length_ns: line.length_ns, omitted: line.omitted }
    }

    /// Whether the trace tells what happened at an instant.
    fn knows(&self, at: u64) -> bool {
        at <= self.length_ns && self.omitted.is_none_or(|[from, to]| at <= from || at >= to)
    }

    /// What an absence hit: it began in a hold of its vCPU, or it lay in a grant to its vCPU.
    fn hit(&self, away: Span) -> impl Iterator<Item = Hit> + use<> {
        let own = |spans: &[Span], meets: fn(&Span, &Span) -> bool| {
            spans.iter().any(|span| span.vcpu == away.vcpu && meets(span, &away))
        };
        let held = own(&self.holds, |hold, away| (hold.from_ns..hold.to_ns).contains(&away.from_ns));
        let granted =
            own(&self.grants, |grant, away| away.from_ns < grant.to_ns && away.to_ns > grant.from_ns);
        [(held, Hit::Holding), (granted, Hit::Granted)].into_iter().filter_map(|(is, hit)| is.then_some(hit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Causes, TraceEvent, TraceKind};
    use TraceKind::{Acquire, Release, Resumed, Wait};

    /// A window whose trace begins 1,000 ns after the opening.
    fn window(log: &[(u32, i64, i64, StretchEnd)], events: &[(u64, u32, TraceKind, u64)]) -> Measured {
        let stretch = |&(vcpu, from_ns, to_ns, end)| Stretch { pcpu: 0, vcpu, from_ns, to_ns, end };
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
        let hits = logged.hits().into_iter().map(|(stretch, hit)| (stretch.vcpu, hit)).collect();
        (logged.preemptions().unwrap(), hits)
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
        assert_eq!(
            (counts.pauses, counts.holding, counts.granted),
            (3, 1, 1),
            "the first lies before the trace"
        );
        assert_eq!((counts.seen_holding, counts.seen_granted), (1, 1));
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
        assert_eq!((logged.preemptions(), logged.hits().len()), (None, 0));
    }

    #[test]
    fn of_the_time_that_was_left_out_nothing_is_told() {
        let mut measured = window(&[(0, 900, 1_020, StretchEnd::Paused)], &EVENTS);
        measured.causes.as_mut().unwrap().trace.as_mut().unwrap().omitted = Some([15, 62]);
        let (counts, _) = told(&measured);
        assert_eq!((counts.pauses, counts.holding), (0, 0));
    }
}
