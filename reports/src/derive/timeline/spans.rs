//! Makes spans of events.

use crate::record::{Trace, TraceEvent, TraceKind};

/// What a vCPU was doing. It can be preempted while it waits or holds the lock: its spans then overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Waiting for the lock.
    Waiting,
    /// Holding the lock.
    Holding,
    /// Asleep in a halt.
    Halted,
    /// Off its pCPU. The vCPU finds that out when it runs again, so the beginning is when it last ran for certain.
    Preempted,
}

/// A time for which one vCPU was in one state. Times are in nanoseconds since the trace began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The vCPU.
    pub vcpu: u32,
    /// What it was doing.
    pub state: State,
    /// When it began.
    pub from_ns: u64,
    /// When it ended; not before `from_ns`.
    pub to_ns: u64,
}

/// One kick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kick {
    /// The vCPU that kicked.
    pub from: u32,
    /// The vCPU that was kicked.
    pub to: u32,
    /// When it was kicked, in nanoseconds since the trace began.
    pub at_ns: u64,
}

/// A trace as spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Number of vCPUs: one more than the highest that any event names.
    pub vcpus: u32,
    /// Length of the trace, in nanoseconds.
    pub length_ns: u64,
    /// Spans, by vCPU, then by state, then by time.
    pub spans: Vec<Span>,
    /// Kicks in order of time.
    pub kicks: Vec<Kick>,
    /// The slowest handover to a vCPU that was waiting: the releaser and when it released, the next holder and when it acquired.
    pub worst: Option<[(u32, u64); 2]>,
    /// The time whose events were left out. Of that time only preemptions that reach into it are known.
    pub omitted: Option<[u64; 2]>,
}

/// Events that name a vCPU of this number or above are ignored: the trace is damaged.
const MOST_VCPUS: u32 = 4_096;

/// Makes spans of events. A trace is cut out of a longer one: a state that lasted when the trace began is taken to begin with
/// it, and a state that lasted at its end to end there. The same holds for both parts of a trace whose middle was left out.
pub fn timeline(trace: &Trace) -> Timeline {
    let mut events: Vec<TraceEvent> =
        trace.events.iter().copied().filter(|event| event.vcpu < MOST_VCPUS).collect();
    events.sort_by_key(|event| event.at_ns);
    let vcpus = events.iter().map(|event| event.vcpu + 1).max().unwrap_or(0);
    let length_ns = events.last().map_or(0, |event| event.at_ns);
    let omitted = trace.omitted.filter(|[from, to]| from < to && *to <= length_ns);
    let mut spans: Vec<Span> = Vec::new();
    for vcpu in 0..vcpus {
        let own: Vec<TraceEvent> = events.iter().copied().filter(|event| event.vcpu == vcpu).collect();
        for (state, begin, end) in STATES {
            match omitted {
                None => spans.extend(between(&own, state, begin, end, [0, length_ns])),
                Some([from, to]) => {
                    let (before, after) = own.split_at(own.partition_point(|event| event.at_ns <= from));
                    spans.extend(between(before, state, begin, end, [0, from]));
                    spans.extend(between(after, state, begin, end, [to, length_ns]));
                }
            }
        }
        spans.extend(own.iter().filter(|event| event.kind == TraceKind::Resumed).map(|event| Span {
            vcpu,
            state: State::Preempted,
            from_ns: event.arg.min(event.at_ns),
            to_ns: event.at_ns,
        }));
    }
    let kicks = events.iter().filter(|event| event.kind == TraceKind::Kick).filter_map(|event| {
        let to = u32::try_from(event.arg).ok().filter(|to| *to < vcpus)?;
        Some(Kick { from: event.vcpu, to, at_ns: event.at_ns })
    });
    let worst = worst(&events, &spans, omitted.map(|cut| (cut, trace.worst_handover_ns)));
    Timeline { vcpus, length_ns, kicks: kicks.collect(), worst, omitted, spans }
}

/// Each state with the events that begin it and those that end it.
const STATES: [(State, &[TraceKind], &[TraceKind]); 3] = [
    (State::Waiting, &[TraceKind::Wait], &[TraceKind::Acquire]),
    (State::Holding, &[TraceKind::Acquire], &[TraceKind::Release]),
    (State::Halted, &[TraceKind::Halt], &[TraceKind::Wake, TraceKind::Acquire]),
];

/// Spans of one vCPU in one state, from a beginning to the next end. If the first event of that state is an end, the span
/// began before the trace did.
fn between(
    own: &[TraceEvent],
    state: State,
    begin: &[TraceKind],
    end: &[TraceKind],
    [first_ns, last_ns]: [u64; 2],
) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut open: Option<u64> = None;
    let mut seen = false;
    let Some(vcpu) = own.first().map(|event| event.vcpu) else { return spans };
    // An acquire ends a halt that has no wake-up event; an acquire alone does not show that there was a halt.
    let surely = |kind: TraceKind| kind == end[0];
    for event in own {
        if end.contains(&event.kind) {
            let from = open.take().or_else(|| (!seen && surely(event.kind)).then_some(first_ns));
            spans.extend(from.map(|from_ns| Span { vcpu, state, from_ns, to_ns: event.at_ns }));
            seen |= surely(event.kind);
        }
        if begin.contains(&event.kind) {
            open.get_or_insert(event.at_ns);
            seen = true;
        }
    }
    spans.extend(open.map(|from_ns| Span { vcpu, state, from_ns, to_ns: last_ns }));
    spans
}

/// The longest time from a release to the next acquire by a vCPU that was already waiting at the release. Across the time
/// that was left out only the handover that the trace is about counts, which is known by its length: of any other handover
/// one end is missing.
fn worst(events: &[TraceEvent], spans: &[Span], cut: Option<([u64; 2], u64)>) -> Option<[(u32, u64); 2]> {
    let mut released: Option<(u32, u64)> = None;
    let mut worst: Option<[(u32, u64); 2]> = None;
    for event in events {
        match event.kind {
            TraceKind::Release => released = Some((event.vcpu, event.at_ns)),
            TraceKind::Acquire => {
                let Some(from) = released.take() else { continue };
                let across = cut.filter(|([begin, end], _)| from.1 <= *begin && event.at_ns >= *end);
                // Both ends were rounded to a nanosecond, so the length may differ by two.
                if across.is_some_and(|(_, long)| (event.at_ns - from.1).abs_diff(long) > 2) {
                    continue;
                }
                let until = across.map_or(event.at_ns, |([begin, _], _)| begin);
                let longer = worst.is_none_or(|[a, b]| event.at_ns - from.1 > b.1 - a.1);
                let waiting = |span: &Span| {
                    span.vcpu == event.vcpu
                        && span.state == State::Waiting
                        && span.from_ns <= from.1
                        && span.to_ns == until
                };
                // Few are longer than all before, and only those are worth a search.
                if longer && spans.iter().any(waiting) {
                    worst = Some([from, (event.vcpu, event.at_ns)]);
                }
            }
            _ => {}
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(events: &[(u64, u32, TraceKind, u64)]) -> Trace {
        let event = |&(at_ns, vcpu, kind, arg)| TraceEvent { at_ns, vcpu, kind, arg };
        Trace { events: events.iter().map(event).collect(), ..Trace::default() }
    }

    fn span(vcpu: u32, state: State, from_ns: u64, to_ns: u64) -> Span {
        Span { vcpu, state, from_ns, to_ns }
    }

    #[test]
    fn stretches_and_the_worst_handover() {
        use TraceKind::{Acquire, Kick as Kicked, Release, Resumed, Wait};
        let line = timeline(&trace(&[
            (5, 1, Wait, 0),
            (10, 0, Release, 0),
            (11, 0, Kicked, 1),
            (90, 1, Resumed, 7),
            (95, 1, Acquire, 0),
            (99, 1, Release, 0),
        ]));
        assert_eq!((line.vcpus, line.length_ns), (2, 99));
        assert_eq!(
            line.spans,
            [
                span(0, State::Holding, 0, 10),
                span(1, State::Waiting, 5, 95),
                span(1, State::Holding, 95, 99),
                span(1, State::Preempted, 7, 90),
            ]
        );
        assert_eq!(line.kicks, [Kick { from: 0, to: 1, at_ns: 11 }]);
        assert_eq!(line.worst, Some([(0, 10), (1, 95)]));
    }

    #[test]
    fn what_the_cut_leaves_open() {
        use TraceKind::{Acquire, Halt, Wait, Wake};
        let line = timeline(&trace(&[
            (3, 0, Wake, 0),
            (4, 0, Acquire, 0),
            (6, 1, Wait, 0),
            (8, 1, Halt, 0),
            (20, 2, Wait, 0),
        ]));
        assert!(line.spans.contains(&span(0, State::Halted, 0, 3)));
        assert!(line.spans.contains(&span(0, State::Waiting, 0, 4)));
        assert!(line.spans.contains(&span(0, State::Holding, 4, 20)));
        assert!(line.spans.contains(&span(1, State::Halted, 8, 20)));
        assert_eq!(line.spans.iter().filter(|span| span.vcpu == 0 && span.state == State::Halted).count(), 1);
    }

    #[test]
    fn what_was_left_out_of_the_middle() {
        use TraceKind::{Acquire, Halt, Release, Resumed, Wait, Wake};
        let mut trace = trace(&[
            (2, 1, Wait, 0),
            (4, 2, Wait, 0),
            (10, 0, Release, 0),
            (20, 2, Halt, 0),
            (80, 2, Wake, 0),
            (90, 1, Resumed, 15),
            (95, 1, Acquire, 0),
        ]);
        (trace.omitted, trace.worst_handover_ns) = (Some([20, 80]), 85);
        let line = timeline(&trace);
        assert_eq!(line.omitted, Some([20, 80]));
        assert_eq!(
            line.spans,
            [
                span(0, State::Holding, 0, 10),
                span(1, State::Waiting, 2, 20),
                span(1, State::Waiting, 80, 95),
                span(1, State::Holding, 95, 95),
                span(1, State::Preempted, 15, 90),
                span(2, State::Waiting, 4, 20),
                span(2, State::Halted, 20, 20),
                span(2, State::Halted, 80, 80),
            ]
        );
        assert_eq!(line.worst, Some([(0, 10), (1, 95)]));
        trace.worst_handover_ns = 8;
        assert_eq!(timeline(&trace).worst, None, "the lock went round meanwhile");
        trace.omitted = Some([80, 20]);
        assert_eq!(timeline(&trace).omitted, None);
    }

    #[test]
    fn nonsense_is_survived() {
        use TraceKind::{Kick as Kicked, Resumed};
        let line = timeline(&trace(&[
            (5, u32::MAX, Kicked, 0),
            (9, 0, Kicked, u64::MAX),
            (7, 0, Resumed, u64::MAX),
        ]));
        assert_eq!((line.vcpus, line.kicks.len()), (1, 0));
        assert_eq!(line.spans, [span(0, State::Preempted, 7, 7)]);
        assert_eq!(timeline(&Trace::default()), Timeline::default());
    }
}
