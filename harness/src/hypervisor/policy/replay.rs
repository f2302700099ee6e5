//! Replay: every pCPU runs whom a timetable names, at the instants that it names.
//!
//! What a vCPU leaves of its turn, because it has halted, stays idle, so that every lock gets the same instants.

use super::timetable::{Timetable, Turn};
use super::{Due, Pick, Policy};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Blocked,
    Runnable,
    Running,
    Leaving,
}

/// A turn of the timetable's run that began at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turned {
    turn: Turn,
    began_ns: u64,
}

#[derive(Clone, Default)]
struct Pcpu {
    /// Whose turn it was when the pCPU asked last.
    turn: Option<Turned>,
    /// The turn that the vCPU on the pCPU runs in.
    ran: Option<Turned>,
    /// Whether the turn's vCPU had halted in it or before it: then it comes when it is kicked.
    halted: bool,
    due: Due,
}

/// The policy that follows a timetable.
pub(crate) struct Replay {
    timetable: Timetable,
    /// When the timetable's first run began; none before anybody asked.
    began_ns: Option<u64>,
    vcpus: Vec<Place>,
    pcpus: Vec<Pcpu>,
}

impl Replay {
    /// Replays a timetable of so many vCPUs. It begins at the first question, and [anew](Policy::opened) with the window.
    pub(crate) fn new(timetable: Timetable, vcpus: usize) -> Self {
        let pcpus = vec![Pcpu::default(); timetable.pcpus()];
        Self { timetable, began_ns: None, vcpus: vec![Place::Blocked; vcpus], pcpus }
    }

    /// Whose turn it is on a pCPU, and when that changes.
    fn turn(&mut self, pcpu: usize, now_ns: u64) -> (Option<Turned>, u64) {
        let first_ns = *self.began_ns.get_or_insert(now_ns);
        let since_ns = now_ns.saturating_sub(first_ns);
        let at_ns = since_ns % self.timetable.length_ns();
        let began_ns = first_ns + since_ns - at_ns;
        let (turn, until_ns) = self.timetable.at(pcpu, at_ns);
        let turn = turn.filter(|turn| turn.vcpu < self.vcpus.len());
        (turn.map(|turn| Turned { turn, began_ns }), began_ns + until_ns)
    }

    /// The pCPU on which it is this vCPU's turn.
    fn wanted_on(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        (0..self.pcpus.len())
            .find(|&pcpu| self.turn(pcpu, now_ns).0.is_some_and(|turned| turned.turn.vcpu == vcpu))
    }
}

impl Policy for Replay {
    fn wake(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        self.vcpus[vcpu] = Place::Runnable;
        self.wanted_on(vcpu, now_ns)
    }

    fn pick(&mut self, pcpu: usize, current: Option<usize>, now_ns: u64) -> Pick {
        let (turned, until_ns) = self.turn(pcpu, now_ns);
        let mut state = std::mem::take(&mut self.pcpus[pcpu]);
        if state.turn != turned {
            (state.turn, state.halted) = (turned, false);
        }
        state.due = Due::default();
        let wanted = turned.map(|turned| turned.turn.vcpu);
        let mut vcpu = None;
        if current.is_some() && wanted == current {
            (vcpu, state.ran) = (current, turned);
        } else {
            if let Some(leaving) = current {
                self.vcpus[leaving] = Place::Leaving;
                let ended = state.ran.filter(|ran| self.timetable.ends(&ran.turn));
                state.due.leaves_ns = ended.map(|ran| ran.began_ns + ran.turn.to_ns);
            }
            state.ran = None;
            if let (Some(coming), Some(turned)) = (wanted, turned) {
                match self.vcpus[coming] {
                    Place::Runnable => {
                        self.vcpus[coming] = Place::Running;
                        let on_time = !state.halted && self.timetable.begins(&turned.turn);
                        state.due.comes_ns = on_time.then_some(turned.began_ns + turned.turn.from_ns);
                        (vcpu, state.ran) = (Some(coming), Some(turned));
                    }
                    Place::Blocked => state.halted = true,
                    // It is still on its way from another pCPU, and comes when it is off there.
                    Place::Running | Place::Leaving => {}
                }
            }
        }
        self.pcpus[pcpu] = state;
        Pick { vcpu, until_ns }
    }

    fn left(&mut self, vcpu: usize, _: usize, now_ns: u64) -> Option<usize> {
        self.vcpus[vcpu] = Place::Runnable;
        self.wanted_on(vcpu, now_ns)
    }

    /// It is still its turn: nobody else gets the pCPU. That it comes again is no matter of the timetable.
    fn yielded(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        self.blocked(vcpu, pcpu, now_ns);
        self.wake(vcpu, now_ns)
    }

    fn blocked(&mut self, vcpu: usize, _: usize, _: u64) {
        self.vcpus[vcpu] = Place::Blocked;
        // Its turn may have gone on to another pCPU while it left this one.
        for state in &mut self.pcpus {
            state.halted |= state.turn.is_some_and(|turned| turned.turn.vcpu == vcpu);
        }
    }

    fn due(&self, pcpu: usize) -> Due {
        self.pcpus[pcpu].due
    }

    fn opened(&mut self, at_ns: u64) {
        self.began_ns = Some(at_ns);
        self.pcpus.fill(Pcpu::default());
    }
}

#[cfg(test)]
mod tests {
    use super::super::RoundRobin;
    use super::super::virtual_time::{DECISION_NS, Habit, Machine};
    use super::*;

    const MS: u64 = 1_000_000;

    fn turn(vcpu: usize, from_ns: u64, to_ns: u64) -> Turn {
        Turn { vcpu, from_ns, to_ns }
    }

    /// vCPU 0, a gap, and vCPU 1, of 100 ns.
    fn replay() -> Replay {
        let turns = vec![turn(0, 0, 40), turn(1, 50, 80), turn(0, 80, 100)];
        let mut replay = Replay::new(Timetable::new(vec![turns], 100).unwrap(), 2);
        replay.opened(1_000);
        replay
    }

    #[test]
    fn a_pcpu_runs_whom_the_timetable_names_and_begins_anew_at_its_end() {
        let mut replay = replay();
        assert_eq!([replay.wake(0, 1_000), replay.wake(1, 1_000)], [Some(0), None]);
        assert_eq!(replay.pick(0, None, 1_000), Pick { vcpu: Some(0), until_ns: 1_040 });
        assert_eq!(replay.due(0), Due::default(), "the window's beginning is no instant of the log");
        assert_eq!(replay.pick(0, Some(0), 1_041), Pick { vcpu: None, until_ns: 1_050 });
        assert_eq!(replay.due(0), Due { leaves_ns: Some(1_040), comes_ns: None });
        assert_eq!(replay.left(0, 0, 1_043), None);
        assert_eq!(replay.pick(0, None, 1_052), Pick { vcpu: Some(1), until_ns: 1_080 });
        assert_eq!(replay.due(0), Due { leaves_ns: None, comes_ns: Some(1_050) });
        assert_eq!(replay.pick(0, Some(1), 1_081), Pick { vcpu: Some(0), until_ns: 1_100 });
        assert_eq!(replay.due(0), Due { leaves_ns: Some(1_080), comes_ns: Some(1_080) });
        replay.left(1, 0, 1_083);
        // The same vCPU goes on into the timetable's second run.
        assert_eq!(replay.pick(0, Some(0), 1_101), Pick { vcpu: Some(0), until_ns: 1_140 });
        assert_eq!(replay.due(0), Due::default());
    }

    #[test]
    fn what_a_halt_leaves_over_stays_idle_and_a_kick_within_the_turn_comes_back() {
        let mut replay = replay();
        replay.wake(0, 1_000);
        replay.wake(1, 1_000);
        assert_eq!(replay.pick(0, None, 1_000).vcpu, Some(0));
        replay.blocked(0, 0, 1_010);
        assert_eq!(replay.pick(0, None, 1_010), Pick { vcpu: None, until_ns: 1_040 }, "vCPU 1 has to wait");
        assert_eq!(replay.wake(0, 1_020), Some(0));
        assert_eq!(replay.pick(0, None, 1_021), Pick { vcpu: Some(0), until_ns: 1_040 });
        assert_eq!(replay.due(0).comes_ns, None, "the kick brought it, not the timetable");
        replay.blocked(0, 0, 1_030);
        assert_eq!(replay.pick(0, None, 1_030).vcpu, None);
        // vCPU 1 halts before its turn ends, and vCPU 0 is still halted when its own begins.
        assert_eq!(replay.pick(0, None, 1_050).vcpu, Some(1));
        assert_eq!(replay.pick(0, Some(1), 1_080), Pick { vcpu: None, until_ns: 1_100 });
        replay.left(1, 0, 1_081);
        assert_eq!(replay.wake(0, 1_090), Some(0));
        assert_eq!(replay.pick(0, None, 1_090).vcpu, Some(0));
        assert_eq!(replay.due(0).comes_ns, None);
    }

    #[test]
    fn a_vcpu_that_moves_comes_when_it_is_off_its_other_pcpu() {
        let lanes = vec![vec![turn(0, 0, 50)], vec![turn(0, 50, 100)]];
        let mut replay = Replay::new(Timetable::new(lanes, 100).unwrap(), 1);
        replay.opened(0);
        assert_eq!(replay.wake(0, 0), Some(0));
        assert_eq!(replay.pick(0, None, 0).vcpu, Some(0));
        assert_eq!(replay.pick(1, None, 50), Pick { vcpu: None, until_ns: 100 });
        assert_eq!(replay.pick(0, Some(0), 52).vcpu, None);
        assert_eq!(replay.left(0, 0, 55), Some(1));
        assert_eq!(replay.pick(1, None, 56).vcpu, Some(0));
        assert_eq!(replay.due(1).comes_ns, Some(50), "late is late");
    }

    #[test]
    fn a_vcpu_that_halts_on_its_way_to_another_pcpu_is_not_late_there() {
        let lanes = vec![vec![turn(0, 0, 50)], vec![turn(0, 50, 100)]];
        let mut replay = Replay::new(Timetable::new(lanes, 100).unwrap(), 1);
        replay.opened(0);
        assert_eq!(replay.wake(0, 0), Some(0));
        assert_eq!(replay.pick(0, None, 0).vcpu, Some(0));
        assert_eq!(replay.pick(1, None, 50).vcpu, None);
        assert_eq!(replay.pick(0, Some(0), 52).vcpu, None);
        replay.blocked(0, 0, 53);
        replay.wake(0, 80);
        assert_eq!(replay.pick(1, None, 80).vcpu, Some(0));
        assert_eq!(replay.due(1).comes_ns, None, "the halt was its own");
    }

    /// The order of vCPUs on a pCPU, each once where it came several times in a row.
    fn order(machine: &Machine, pcpu: usize) -> Vec<usize> {
        let mut order: Vec<usize> = machine
            .schedule
            .iter()
            .filter(|stretch| stretch.pcpu == pcpu && stretch.to_ns - stretch.from_ns > DECISION_NS)
            .map(|stretch| stretch.vcpu)
            .collect();
        order.dedup();
        order
    }

    #[test]
    fn vcpus_that_halt_get_the_same_turns_as_those_that_do_not() {
        let mut policy = RoundRobin::pinned(10 * MS, vec![0, 1, 0, 1], 2).out_of_phase(3);
        let timetable = Timetable::made_by(&mut policy, 4, 2, 200 * MS);
        let run = |habit: Habit| {
            let mut machine = Machine::new(Replay::new(timetable.clone(), 4), vec![habit; 4], 2, 1);
            machine.run(150 * MS);
            machine
        };
        let (runs, halts) = (run(Habit::Runs), run(Habit::Halts { runs_ns: MS / 2, halts_ns: MS / 4 }));
        for pcpu in 0..2 {
            // The last turn is not over, and is in the schedule only of a vCPU that halted in it.
            let (runs, mut halts) = (order(&runs, pcpu), order(&halts, pcpu));
            assert!((runs.len()..runs.len() + 2).contains(&halts.len()), "{runs:?} {halts:?}");
            halts.truncate(runs.len());
            assert_eq!(runs, halts);
        }
        // Within the time that a question and a switch take, each runs only in its own turns.
        for stretch in runs.schedule.iter().chain(&halts.schedule) {
            let within = timetable.lanes()[stretch.pcpu].iter().any(|turn| {
                turn.vcpu == stretch.vcpu
                    && turn.from_ns <= stretch.from_ns
                    && stretch.to_ns <= turn.to_ns + 3 * DECISION_NS
            });
            assert!(within, "{stretch:?}");
        }
        let share = |machine: &Machine| (0..4).map(|vcpu| machine.share(vcpu)).sum::<f64>();
        assert!(share(&runs) > 1.98 && share(&halts) < 1.7, "what halts leave over went to somebody");
    }
}
