//! A cell that replays a schedule: the timetable that it follows, and how well it did.

use std::collections::HashMap;

use lockbench_reports::record::{Instant, Replay};
use lockbench_reports::statistics::middle_and_99th;

use super::WindowSpec;
use super::kept::Between;
use crate::axes::Scheduler;
use crate::hypervisor::log::Lane;
use crate::hypervisor::policy::{Policy, Timetable};

/// What a cell replays.
pub(super) struct Replayed {
    timetable: Timetable,
    source: String,
}

impl Replayed {
    /// The timetable that `policy` makes of the cell's vCPUs, if they never halt. All cells of a round have the same seed, and so
    /// the same timetable.
    pub(super) fn made_by(policy: &mut dyn Policy, vcpus: usize, spec: &WindowSpec) -> Self {
        let timetable = Timetable::made_by(policy, vcpus, spec.axes.pcpus.len(), spec.window_ns);
        let by = spec.axes.values.scheduler.decides().map_or("", Scheduler::name);
        Self { timetable, source: format!("made by {by} for vCPUs that never halt, seed {}", spec.draws) }
    }

    /// The log that was recorded; none where the spec has none.
    pub(super) fn recorded(spec: &WindowSpec) -> Option<Self> {
        let log = spec.recorded.as_ref()?;
        Some(Self { timetable: log.timetable.clone(), source: log.source.clone() })
    }

    pub(super) fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    /// What was done of it in a window that opened at `opened_ns` of the monotonic clock.
    pub(super) fn close(
        &self,
        lanes: &[Lane],
        opened_ns: u64,
        between: Between,
        spec: &WindowSpec,
    ) -> Replay {
        let since = |ticks: u64| ticks.wrapping_sub(between.opened).cast_signed() as f64 / spec.ticks_per_ns;
        let window_ns = since(between.closed).max(1.0) as u64;
        let mut done = HashMap::new();
        let mut taken_ns = 0.0;
        for (pcpu, lane) in lanes.iter().enumerate() {
            for stretch in &lane.stretches {
                let part = since(stretch.to).min(window_ns as f64) - since(stretch.from).max(0.0);
                taken_ns += part.max(0.0);
                let due =
                    [(stretch.due.comes_ns, stretch.from, true), (stretch.due.leaves_ns, stretch.to, false)];
                for (due_ns, at, comes) in due {
                    if let Some(planned_ns) = due_ns.and_then(|due| due.checked_sub(opened_ns)) {
                        done.insert((pcpu, planned_ns, comes), since(at).round() as i64);
                    }
                }
            }
        }
        let mut replay = Replay {
            log: format!("{:016x}", self.timetable.hash()),
            source: self.source.clone(),
            ..Replay::default()
        };
        let mut given_ns = 0;
        for began_ns in (0..window_ns).step_by(self.timetable.length_ns() as usize) {
            for (lane, turns) in self.timetable.lanes().iter().enumerate() {
                for turn in turns {
                    let (from_ns, to_ns) = (began_ns + turn.from_ns, began_ns + turn.to_ns);
                    given_ns += to_ns.min(window_ns).saturating_sub(from_ns);
                    let edges = [
                        (self.timetable.begins(turn), from_ns, true),
                        (self.timetable.ends(turn), to_ns, false),
                    ];
                    for (_, planned_ns, comes) in
                        edges.into_iter().filter(|&(known, at_ns, _)| known && at_ns < window_ns)
                    {
                        let pcpu = spec.axes.pcpus.get(lane).copied().unwrap_or_default();
                        let done_ns = done.get(&(lane, planned_ns, comes)).copied();
                        replay.instants.push(Instant {
                            pcpu,
                            vcpu: turn.vcpu as u32,
                            comes,
                            planned_ns,
                            done_ns,
                        });
                    }
                }
            }
        }
        replay.instants.sort_by_key(|instant| (instant.planned_ns, instant.pcpu, instant.comes));
        let errors = replay
            .instants
            .iter()
            .filter_map(|instant| Some((instant.done_ns? as f64 - instant.planned_ns as f64).abs()));
        let mut errors: Vec<f64> = errors.collect();
        replay.planned = replay.instants.len() as u64;
        replay.done = errors.len() as u64;
        replay.error_ns = middle_and_99th(&mut errors);
        replay.given_share = given_ns as f64 / (window_ns as f64 * lanes.len().max(1) as f64);
        replay.left_over_share = (1.0 - taken_ns / (given_ns as f64).max(1.0)).max(0.0);
        replay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axes::{Axes, Values};
    use crate::hypervisor::log::{End, Stretch};
    use crate::hypervisor::policy::{Due, Turn};
    use crate::registry::Registry;

    #[test]
    fn instants_are_told_with_what_was_done_and_the_rest_is_left_over() {
        let lock = Registry::new(&[]).lock("tas").unwrap();
        let axes = Axes::new(lock, Values::usual(), 2, vec![7], None);
        let spec = WindowSpec { ticks_per_ns: 2.0, ..WindowSpec::of(axes) };
        let turn = |vcpu, from_ns, to_ns| Turn { vcpu, from_ns, to_ns };
        let turns = vec![turn(0, 0, 40), turn(1, 50, 100)];
        let replayed =
            Replayed { timetable: Timetable::new(vec![turns], 100).unwrap(), source: "a test".into() };
        let stretch = |vcpu, [from, to]: [u64; 2], comes_ns, leaves_ns| Stretch {
            vcpu,
            from: 4_000 + 2 * from,
            to: 4_000 + 2 * to,
            end: End::Halt,
            due: Due { comes_ns, leaves_ns },
            own_ns: 0,
        };
        // vCPU 0 leaves 2 ns late; vCPU 1 comes 3 ns late and halts at once; in the second run vCPU 0 does not leave in time.
        let lane = Lane {
            stretches: vec![
                stretch(0, [0, 42], None, Some(9_040)),
                stretch(1, [53, 63], Some(9_050), None),
                stretch(0, [100, 150], None, None),
            ],
            ..Lane::default()
        };
        let between = Between { opened: 4_000, closed: 4_000 + 2 * 145 };
        let told = replayed.close(&[lane], 9_000, between, &spec);
        let instant =
            |vcpu, comes, planned_ns, done_ns| Instant { pcpu: 7, vcpu, comes, planned_ns, done_ns };
        let expected =
            [instant(0, false, 40, Some(42)), instant(1, true, 50, Some(53)), instant(0, false, 140, None)];
        assert_eq!(told.instants, expected);
        assert_eq!((told.planned, told.done, told.error_ns), (3, 2, Some([3.0, 3.0])));
        assert!((told.given_share - 130.0 / 145.0).abs() < 1e-9, "{told:?}");
        assert!((told.left_over_share - (1.0 - 97.0 / 130.0)).abs() < 1e-9, "{told:?}");
    }
}
