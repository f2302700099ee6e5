//! The stretch of events around a window's worst handover, from the rings of a killed cell.

use std::collections::HashMap;

use lockbench_reports::record::{Trace, TraceEvent, TraceKind};
use lockbench_workloads::ring::EventKind;

use crate::arena::Memory;

/// Events shown before the release that began the handover, and after the acquisition that ended it.
const AROUND: usize = 120;
/// Events of a stretch at most: waiters may halt and wake any number of times during one handover.
const MOST: usize = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Event {
    at: u64,
    vcpu: u32,
    kind: EventKind,
    argument: u64,
}

/// Cuts the stretch out. Each ring has the events around the worst handover since the window opened, and the latest events;
/// only handovers that ended after `opened` are looked at.
pub(super) fn worst_handover(memory: &Memory, opened: u64, ticks_per_ns: f64) -> Option<Trace> {
    let mut events = Vec::new();
    for (vcpu, ring) in memory.rings().enumerate() {
        let vcpu = vcpu as u32;
        let events_of = ring.events().map(|(at, kind, argument)| Event { at, vcpu, kind, argument });
        // A kick of a vCPU that does not exist is not real: the lock has stored into the ring.
        events.extend(
            events_of.filter(|event| event.kind != EventKind::Kick || event.argument < memory.vcpus() as u64),
        );
    }
    events.sort_by_key(|event| (event.at, event.vcpu));
    cut(&events, opened, ticks_per_ns)
}

fn cut(events: &[Event], opened: u64, ticks_per_ns: f64) -> Option<Trace> {
    let (released, acquired) = worst(events, opened)?;
    let start = released.saturating_sub(AROUND);
    let end = (acquired + AROUND + 1).min(events.len());
    // A stretch that is too long loses its middle: its beginning and its end matter most.
    let head = start..end.min(start + MOST / 2);
    let tail = head.end.max(end.saturating_sub(MOST / 2))..end;
    let began = events.get(start)?.at;
    let ns = |ticks: u64| (ticks as f64 / ticks_per_ns) as u64;
    let record = |event: &Event| TraceEvent {
        at_ns: ns(event.at - began),
        vcpu: event.vcpu,
        kind: kind(event.kind),
        arg: match event.kind {
            EventKind::Resumed => ns(event.at.saturating_sub(event.argument).saturating_sub(began)),
            EventKind::Kick => event.argument,
            _ => 0,
        },
    };
    let left_out = head.end..tail.start;
    let omitted = (!left_out.is_empty())
        .then(|| [ns(events[left_out.start - 1].at - began), ns(events[left_out.end].at - began)]);
    let since_opening = began.wrapping_sub(opened).cast_signed();
    Some(Trace {
        began_ns: Some((since_opening as f64 / ticks_per_ns) as i64),
        omitted,
        worst_handover_ns: ns(events[acquired].at - events[released].at),
        events: events[head].iter().chain(&events[tail]).map(record).collect(),
    })
}

/// Finds the longest handover that ended after `opened`: from a release to the next acquisition, by another vCPU that was
/// already waiting. Returns the indices of the two events. Acquisitions are numbered, because events that stand side by side
/// need not follow each other where a ring was overwritten.
fn worst(events: &[Event], opened: u64) -> Option<(usize, usize)> {
    let mut released = HashMap::new();
    let mut waiting = HashMap::new();
    let mut worst: Option<(u64, usize, usize)> = None;
    for (index, event) in events.iter().enumerate() {
        match event.kind {
            EventKind::Wait => _ = waiting.insert(event.vcpu, event.at),
            EventKind::Release => _ = released.insert(event.argument, index),
            EventKind::Acquire => {
                let last = event.argument.wrapping_sub(1);
                let Some(release) = released.get(&last).map(|&index| (index, events[index])) else {
                    continue;
                };
                let (release, Event { at, vcpu, .. }) = release;
                // A vCPU without a wait event has waited since before the ring's first event.
                let waited = waiting.remove(&event.vcpu).is_none_or(|since| since <= at);
                let took = event.at - at;
                let handover = waited && vcpu != event.vcpu && event.at >= opened;
                if handover && worst.is_none_or(|(most, ..)| took > most) {
                    worst = Some((took, release, index));
                }
            }
            _ => {}
        }
    }
    worst.map(|(_, release, acquire)| (release, acquire))
}

fn kind(kind: EventKind) -> TraceKind {
    match kind {
        EventKind::Wait => TraceKind::Wait,
        EventKind::Acquire => TraceKind::Acquire,
        EventKind::Release => TraceKind::Release,
        EventKind::Halt => TraceKind::Halt,
        EventKind::Wake => TraceKind::Wake,
        EventKind::Kick => TraceKind::Kick,
        EventKind::Resumed => TraceKind::Resumed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EventKind::{Acquire, Release, Resumed, Wait};

    fn event(at: u64, vcpu: u32, kind: EventKind, argument: u64) -> Event {
        Event { at, vcpu, kind, argument }
    }

    #[test]
    fn the_worst_handover_is_found_and_cut_out() {
        let mut events = Vec::new();
        for number in 0..1000_u64 {
            let (at, vcpu) = (1000 * number, (number % 2) as u32);
            // Acquisition 700 comes 500 late, because its vCPU was off its pCPU.
            let late = if number == 700 { 500 } else { 0 };
            events.push(event(at, vcpu, Wait, 0));
            if late > 0 {
                events.push(event(at + 1100 + late - 5, vcpu, Resumed, 400));
            }
            events.push(event(at + 1100 + late, vcpu, Acquire, number));
            events.push(event(at + 2000, vcpu, Release, number));
        }
        events.sort_by_key(|event| event.at);
        let trace = cut(&events, 0, 2.0).unwrap();
        assert_eq!(trace.worst_handover_ns, (500 + 100) / 2);
        assert!((200..=MOST).contains(&trace.events.len()), "{}", trace.events.len());
        let resumed = trace.events.iter().find(|event| event.kind == TraceKind::Resumed).unwrap();
        assert_eq!(resumed.at_ns - resumed.arg, 200, "when it had last been seen is on the same clock");
        assert!(trace.events.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
        let later = cut(&events, 800_000, 2.0).unwrap();
        assert_eq!(later.worst_handover_ns, 50, "what lies before the window does not count");
        let got = |event: &TraceEvent| trace.began_ns.unwrap() + event.at_ns.cast_signed() == 701_600 / 2;
        assert!(trace.events.iter().any(|event| event.kind == TraceKind::Acquire && got(event)));
        assert!(later.began_ns.unwrap() < 0, "it begins before the window");
        assert!(cut(&[], 0, 1.0).is_none());
    }

    #[test]
    fn only_what_follows_each_other_is_a_handover() {
        let came_later = [event(0, 0, Release, 1), event(900, 1, Wait, 0), event(1000, 1, Acquire, 2)];
        assert!(cut(&came_later, 0, 1.0).is_none(), "it came to a free lock");
        let gap = [event(0, 1, Wait, 0), event(10, 0, Release, 1), event(1000, 1, Acquire, 5)];
        assert!(cut(&gap, 0, 1.0).is_none(), "three acquisitions are missing");
    }

    #[test]
    fn too_long_a_stretch_loses_its_middle() {
        let mut events = vec![event(0, 1, Wait, 0), event(10, 0, Release, 1)];
        events.extend((0..5000).map(|n| event(20 + n, 2, EventKind::Kick, 3)));
        events.push(event(9000, 1, Acquire, 2));
        let trace = cut(&events, 0, 1.0).unwrap();
        assert_eq!(trace.events.len(), MOST);
        assert!(trace.events.iter().any(|event| event.kind == TraceKind::Release));
        assert_eq!(trace.events.last().unwrap().kind, TraceKind::Acquire);
        let [from, to] = trace.omitted.unwrap();
        let gap = trace.events.windows(2).find(|pair| pair[1].at_ns - pair[0].at_ns > 1_000).unwrap();
        assert_eq!((gap[0].at_ns, gap[1].at_ns), (from, to), "nothing is known in between, and it says so");
    }
}
