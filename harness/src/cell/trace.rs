//! The stretch of events around a window's worst handover, from the rings of a killed cell.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::{Trace, TraceEvent, TraceKind};
use lockbench_workloads::traced::EventKind;

use super::Memory;

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

/// Cuts the stretch out. The rings hold the latest events only: the worst handover is the worst of those that began after
/// `opened` and that all rings reach back to.
pub(super) fn worst_handover(memory: &Memory, opened: u64, ticks_per_ns: f64) -> Option<Trace> {
    let mut events = Vec::new();
    let mut from = opened;
    for (vcpu, (traced, ring)) in memory.traced().zip(memory.rings()).enumerate() {
        let written = traced.events.load(Relaxed);
        let mut kept = ring.events(written).peekable();
        if written > lockbench_workloads::traced::RING as u64 {
            // Earlier ones of this vCPU were overwritten.
            from = from.max(kept.peek().map_or(0, |(at, ..)| *at));
        }
        events.extend(kept.map(|(at, kind, argument)| Event { at, vcpu: vcpu as u32, kind, argument }));
    }
    // Stable: a vCPU's own events stay in their order.
    events.sort_by_key(|event| event.at);
    cut(&events, from, ticks_per_ns)
}

fn cut(events: &[Event], from: u64, ticks_per_ns: f64) -> Option<Trace> {
    let (released, acquired) = worst(events, from)?;
    let start = released.saturating_sub(AROUND);
    let end = (acquired + AROUND + 1).min(start + MOST).min(events.len());
    let stretch = &events[start..end];
    let began = stretch.first()?.at;
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
    Some(Trace {
        worst_handover_ns: ns(events[acquired].at - events[released].at),
        events: stretch.iter().map(record).collect(),
    })
}

/// The longest time from a release to an acquisition by another vCPU that waited already, as indices of the two.
fn worst(events: &[Event], from: u64) -> Option<(usize, usize)> {
    let mut released: Option<usize> = None;
    let mut waiting = std::collections::HashMap::new();
    let mut worst: Option<(u64, usize, usize)> = None;
    for (index, event) in events.iter().enumerate() {
        match event.kind {
            EventKind::Wait => _ = waiting.insert(event.vcpu, event.at),
            EventKind::Release => released = Some(index),
            EventKind::Acquire => {
                // Each release is followed by one acquisition: taken, so that a ring's gap pairs nothing wrongly.
                let Some(release) = released.take() else { continue };
                let waited = waiting.get(&event.vcpu).is_some_and(|since| *since <= events[release].at);
                let took = event.at - events[release].at;
                let handover = waited && events[release].vcpu != event.vcpu && events[release].at >= from;
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

    fn event(at: u64, vcpu: u32, kind: EventKind) -> Event {
        Event { at, vcpu, kind, argument: if kind == Resumed { 400 } else { 0 } }
    }

    #[test]
    fn the_worst_handover_is_found_and_cut_out() {
        let mut events = Vec::new();
        for turn in 0..1000_u64 {
            let (at, vcpu) = (1000 * turn, (turn % 2) as u32);
            // Turn 700 comes 500 late, for its vCPU was off its pCPU.
            let late = if turn == 700 { 500 } else { 0 };
            events.push(event(at, vcpu, Wait));
            if late > 0 {
                events.push(event(at + 1100 + late - 5, vcpu, Resumed));
            }
            events.push(event(at + 1100 + late, vcpu, Acquire));
            events.push(event(at + 1900, vcpu, Release));
        }
        events.sort_by_key(|event| event.at);
        let trace = cut(&events, 0, 2.0).unwrap();
        assert_eq!(trace.worst_handover_ns, (500 + 200) / 2);
        assert!((200..=MOST).contains(&trace.events.len()), "{}", trace.events.len());
        let resumed = trace.events.iter().find(|event| event.kind == TraceKind::Resumed).unwrap();
        assert_eq!(resumed.at_ns - resumed.arg, 200, "when it had last been seen is on the same clock");
        assert!(trace.events.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
        let later = cut(&events, 800_000, 2.0).unwrap();
        assert_eq!(later.worst_handover_ns, 100, "what lies before the window does not count");
        assert!(cut(&[], 0, 1.0).is_none());
    }

    #[test]
    fn one_that_came_to_a_free_lock_was_handed_nothing() {
        let events = [event(0, 0, Release), event(900, 1, Wait), event(1000, 1, Acquire)];
        assert!(cut(&events, 0, 1.0).is_none());
    }
}
