//! Traces in the Chrome trace-event format, which <https://ui.perfetto.dev> opens.
//!
//! The format has one process for each cell, and in it several tracks for each vCPU: spans of waiting and of being preempted
//! overlap, which slices (as the format calls them) of one track must not. Where the emulated hypervisor scheduled the cell, there
//! is a track for each pCPU too, from the schedule's log.

use serde_json::{Value, json};

use crate::derive::log::{Logged, logged};
use crate::derive::timeline::{State, timeline};
use crate::format::printable;
use crate::record::{Cell, Outcome, Results, StretchEnd, Trace};

/// The traces of a cell, with the round that each was taken in.
pub fn traces(cell: &Cell) -> impl Iterator<Item = (u32, &Trace)> {
    cell.rounds.iter().filter_map(|round| match &round.outcome {
        Outcome::Measured(measured) if measured.disturbed.is_none() => {
            Some((round.round, measured.causes.as_ref()?.trace.as_ref()?))
        }
        _ => None,
    })
}

/// Every trace of a run as one file, and every log that no trace belongs to; none where there is neither.
pub fn chrome(results: &Results) -> Option<Value> {
    document(results.cells.iter().flat_map(|cell| {
        let windows: Vec<Window<'_>> =
            traces(cell).map(|(round, trace)| Window::traced(cell, round, trace)).collect();
        let log = logged(cell).filter(|_| windows.iter().all(|window| window.logged.is_none()));
        let untraced = log.map(|log| Window { cell, round: log.round, trace: None, logged: Some(log) });
        windows.into_iter().chain(untraced)
    }))
}

/// The trace with the worst handover of one cell; none where it was not traced.
pub fn chrome_of_worst(cell: &Cell) -> Option<Value> {
    let (round, trace) = traces(cell).max_by_key(|(_, trace)| trace.worst_handover_ns)?;
    document([Window::traced(cell, round, trace)])
}

/// A window that is exported as a process.
struct Window<'a> {
    cell: &'a Cell,
    round: u32,
    trace: Option<&'a Trace>,
    logged: Option<Logged<'a>>,
}

impl<'a> Window<'a> {
    fn traced(cell: &'a Cell, round: u32, trace: &'a Trace) -> Self {
        let own = |log: &Logged<'_>| {
            trace.began_ns.is_some() && log.trace().is_some_and(|(other, _)| std::ptr::eq(other, trace))
        };
        Self { cell, round, trace: Some(trace), logged: logged(cell).filter(own) }
    }

    /// When the process begins, in nanoseconds since the window's opening: with the first stretch of the log, or else with the
    /// trace.
    fn began(&self) -> i64 {
        let log =
            self.logged.iter().flat_map(|logged| logged.schedule.log.iter().map(|stretch| stretch.from_ns));
        let trace = self.trace.map(|trace| trace.began_ns.unwrap_or(0));
        log.chain(trace).min().unwrap_or(0)
    }
}

fn document<'a>(windows: impl IntoIterator<Item = Window<'a>>) -> Option<Value> {
    let mut events = Vec::new();
    for (process, window) in windows.into_iter().enumerate() {
        let (process, began) = (process as u32 + 1, window.began());
        let name = format!("{}, round {}", printable(&window.cell.axes.id), window.round);
        events.push(json!({"ph": "M", "pid": process, "name": "process_name", "args": {"name": name}}));
        if let Some(logged) = &window.logged {
            add_log(&mut events, process, logged, began);
        }
        if let Some(trace) = window.trace {
            let from_ns = trace.began_ns.unwrap_or(0).abs_diff(began);
            add(&mut events, process, trace, from_ns);
        }
    }
    (!events.is_empty()).then(|| json!({ "displayTimeUnit": "ns", "traceEvents": events }))
}

/// Tracks of a vCPU, from top to bottom, with the states that each shows and their names.
const TRACKS: [(&str, &[(State, &str)]); 3] = [
    ("lock", &[(State::Waiting, "waiting"), (State::Holding, "holding")]),
    ("off its pCPU", &[(State::Preempted, "preempted")]),
    ("halted", &[(State::Halted, "halted")]),
];

/// A track for each pCPU, above the others, whose slices are the vCPUs that had it.
fn add_log(events: &mut Vec<Value>, process: u32, logged: &Logged<'_>, began: i64) {
    let mut pcpus: Vec<u32> = logged.schedule.log.iter().map(|stretch| stretch.pcpu).collect();
    pcpus.sort_unstable();
    pcpus.dedup();
    for pcpu in pcpus {
        let (thread, order) = (u64::from(pcpu) + (1 << 31), i64::from(pcpu) - (1 << 31));
        events.push(json!({"ph": "M", "pid": process, "tid": thread, "name": "thread_name", "args": {"name": format!("P{pcpu}")}}));
        events.push(json!({"ph": "M", "pid": process, "tid": thread, "name": "thread_sort_index", "args": {"sort_index": order}}));
        // Slices of one track must not overlap.
        let mut free = 0;
        for stretch in logged.schedule.log.iter().filter(|stretch| stretch.pcpu == pcpu) {
            let since = |ns: i64| u64::try_from(ns.saturating_sub(began)).unwrap_or(0);
            let from = since(stretch.from_ns).max(free);
            free = since(stretch.to_ns).max(from);
            let end = match stretch.end {
                StretchEnd::Paused => "paused",
                StretchEnd::Halted => "halted",
                StretchEnd::Yielded => "yielded",
                StretchEnd::Open => "open",
            };
            events
                .push(json!({"ph": "X", "pid": process, "tid": thread, "name": stretch.who(), "cat": "pCPU",
                "ts": micros(from), "dur": micros(free - from), "args": {"end": end}}));
        }
    }
}

/// The tracks of a trace that begins `from_ns` after its process.
fn add(events: &mut Vec<Value>, process: u32, trace: &Trace, from_ns: u64) {
    let line = timeline(trace);
    let moment = |ns: u64| micros(ns.saturating_add(from_ns));
    for vcpu in 0..line.vcpus {
        for (track, (what, states)) in TRACKS.into_iter().enumerate() {
            let spans: Vec<_> = line
                .spans
                .iter()
                .filter(|span| span.vcpu == vcpu)
                .filter_map(|span| Some((span, states.iter().find(|state| state.0 == span.state)?.1)))
                .collect();
            if spans.is_empty() && track > 0 {
                continue;
            }
            let thread = thread(vcpu, track);
            let label = if track == 0 { format!("v{vcpu}") } else { format!("v{vcpu} {what}") };
            events.push(json!({"ph": "M", "pid": process, "tid": thread, "name": "thread_name", "args": {"name": label}}));
            events.push(
                json!({"ph": "M", "pid": process, "tid": thread, "name": "thread_sort_index", "args": {"sort_index": thread}}),
            );
            events.extend(spans.into_iter().map(|(span, called)| {
                json!({"ph": "X", "pid": process, "tid": thread, "name": called, "cat": what,
                    "ts": moment(span.from_ns), "dur": micros(span.to_ns - span.from_ns)})
            }));
        }
    }
    for (index, kick) in line.kicks.iter().enumerate() {
        // Each kick is a slice on a track of kicks, with an arrow to the halt that it ends; the format ties arrows to slices.
        let (id, at) = (u64::from(process) << 32 | index as u64, moment(kick.at_ns));
        let (from, to) = (thread(kick.from, KICKS), thread(kick.to, HALTED));
        let next = line.kicks[index + 1..].iter().find(|next| next.from == kick.from);
        let long = next.map_or(KICK_NS, |next| (next.at_ns - kick.at_ns).min(KICK_NS));
        events.push(json!({"ph": "M", "pid": process, "tid": from, "name": "thread_name", "args": {"name": format!("v{} kicks", kick.from)}}));
        events.push(
            json!({"ph": "X", "pid": process, "tid": from, "ts": at, "dur": micros(long), "cat": "kick",
            "name": format!("kick v{}", kick.to)}),
        );
        events.push(json!({"ph": "s", "id": id, "pid": process, "tid": from, "ts": at, "name": "kick", "cat": "kick"}));
        events.push(
            json!({"ph": "f", "bp": "e", "id": id, "pid": process, "tid": to, "ts": at, "name": "kick", "cat": "kick"}),
        );
    }
    if line.worst.is_some() || line.omitted.is_some() {
        events.push(json!({"ph": "M", "pid": process, "tid": 0, "name": "thread_name", "args": {"name": "worst handover"}}));
    }
    if let Some([(from, released), (to, got)]) = line.worst {
        let called = format!("worst handover, v{from} to v{to}");
        events.push(json!({"ph": "X", "pid": process, "tid": 0, "name": called, "cat": "handover",
            "ts": moment(released), "dur": micros(got - released)}));
    }
    if let Some([from, to]) = line.omitted {
        // The time left out is on the track of the handover, cut at the ends of the handover: slices of one track must be nested.
        let [start, end] = line.worst.map_or([0, u64::MAX], |[(_, released), (_, got)]| [released, got]);
        let pieces = [[from, to.min(start)], [from.max(start), to.min(end)], [from.max(end), to]];
        events.extend(pieces.into_iter().filter(|[from, to]| from < to).map(|[from, to]| {
            json!({"ph": "X", "pid": process, "tid": 0, "name": "left out", "cat": "handover",
                "ts": moment(from), "dur": micros(to - from)})
        }));
    }
}

/// Index of the track of halts.
const HALTED: usize = 2;
/// Index of the track of kicks, which comes after the others.
const KICKS: usize = TRACKS.len();
/// Length with which a kick is drawn, for it has none of its own.
const KICK_NS: u64 = 1_000;

fn thread(vcpu: u32, track: usize) -> u32 {
    1 + vcpu * (TRACKS.len() as u32 + 1) + track as u32
}

/// The format counts in microseconds; fractions are nanoseconds.
fn micros(ns: u64) -> f64 {
    ns as f64 / 1e3
}
