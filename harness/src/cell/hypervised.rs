//! A cell under the emulated hypervisor: its schedule is started before the gate opens, and told in the window's record.

use std::iter;
use std::sync::Arc;

use lockbench_reports::record::{MOST_DEVIATION, Measured, Schedule, Stretch, StretchEnd, Vm};
use lockbench_reports::statistics::middle_and_99th;

use super::WindowSpec;
use super::guest::Guest;
use super::neighbours::Neighbours;
use super::pooled::{self, Slices};
use super::replayed::Replayed;
use crate::Refusal;
use crate::arena::Board;
use crate::axes::Scheduler;
use crate::hypervisor::Hypervisor;
use crate::hypervisor::log::{End, Lane};
use crate::hypervisor::policy::{Affinity, Credit, CreditParams, Gang, Policy, Replay, RoundRobin, VmShare};
use crate::measure::clocks::monotonic_ns;

/// A timeslice must be so many times longer than a switch from one vCPU to the next.
const SWITCHES_IN_A_SLICE: f64 = 20.0;

/// A cell's schedule before it begins.
pub(super) struct Planned {
    board: Arc<Board>,
    slice_ns: u64,
}

/// A cell's schedule.
pub(super) struct Running {
    hypervisor: Hypervisor,
    slice_ns: u64,
    gangs: Vec<Vec<u32>>,
    /// What it replays, and when the window opened on the monotonic clock.
    replayed: Option<Replayed>,
    opened_ns: u64,
}

impl Planned {
    /// The schedule of a cell; none where the kernel schedules.
    pub(super) fn of(spec: &WindowSpec) -> Result<Option<Self>, Refusal> {
        let values = &spec.axes.values;
        let Some(usual_ns) = values.scheduler.usual_slice_ns() else { return Ok(None) };
        let board = Board::create(spec.axes.pcpus.len())
            .map_err(|e| Refusal::of("the hypervisor's board could not be made", e))?;
        let slice_ns = values.slice.ns().unwrap_or(usual_ns);
        Ok(Some(Self { board: Arc::new(board), slice_ns }))
    }

    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    /// Begins to schedule the vCPUs of the machines, all of which stand at their gates. In the schedule the measured machine's
    /// vCPUs come first.
    pub(super) fn start(
        self,
        spec: &WindowSpec,
        measured: &Guest,
        neighbours: &Neighbours,
    ) -> Result<Running, Refusal> {
        let lanes = spec.axes.pcpus.len();
        let (mut vcpus, mut homes) = (Vec::new(), Vec::new());
        let guests = iter::once((spec, measured)).chain(spec.neighbours.iter().zip(neighbours.guests()));
        for (own, guest) in guests {
            let lane = |cpu: usize| {
                let pcpu = own.pcpu_of(cpu);
                spec.axes.pcpus.iter().position(|known| *known == pcpu).unwrap_or(cpu % lanes)
            };
            homes.extend((0..guest.threads.len()).map(lane));
            vcpus.extend(guest.vcpus());
        }
        let Decided { policy, gangs, replayed } = match pooled::policy(spec, self.slice_ns, &shares(spec))? {
            Some(policy) => Decided { policy, gangs: Vec::new(), replayed: None },
            None => decided(spec, self.slice_ns, &homes)?,
        };
        let hypervisor =
            Hypervisor::start(policy, vcpus, homes, &spec.axes.pcpus, self.board, spec.ticks_per_ns)?;
        Ok(Running { hypervisor, slice_ns: self.slice_ns, gangs, replayed, opened_ns: 0 })
    }
}

/// The virtual machines of a cell: its case's, or one with all vCPUs.
fn shares(spec: &WindowSpec) -> Vec<VmShare> {
    let Some(case) = &spec.axes.case else { return vec![VmShare::usual(0..spec.axes.vcpus as usize)] };
    let mut first = 0;
    let share = |vm: &Vm| {
        let vcpus: Vec<usize> = (first..first + vm.vcpus as usize).collect();
        first += vcpus.len();
        VmShare { vcpus, weight: vm.weight, cap_percent: vm.cap_pcpus.map(|pcpus| 100.0 * pcpus) }
    };
    case.vms.iter().map(share).collect()
}

/// Who decides, and what of it a reader of the record must know.
struct Decided {
    policy: Box<dyn Policy>,
    /// The gangs that run at the same time, if any.
    gangs: Vec<Vec<u32>>,
    replayed: Option<Replayed>,
}

/// Who decides. `homes` has the pCPU that each vCPU is placed on.
fn decided(spec: &WindowSpec, slice_ns: u64, homes: &[usize]) -> Result<Decided, Refusal> {
    let scheduler = spec.axes.values.scheduler;
    let (live, gangs) = match scheduler.decides() {
        Some(live) => {
            let (policy, gangs) = policy(live, spec, slice_ns, homes);
            (Some(policy), gangs)
        }
        None => (None, Vec::new()),
    };
    let replayed = match (scheduler, live) {
        (Scheduler::Replay(_), Some(mut policy)) => Replayed::made_by(&mut *policy, homes.len(), spec),
        (_, Some(policy)) => return Ok(Decided { policy, gangs, replayed: None }),
        (_, None) => Replayed::recorded(spec)
            .ok_or_else(|| Refusal::from("the log to replay is not at hand".to_owned()))?,
    };
    let policy = Box::new(Replay::new(replayed.timetable().clone(), homes.len()));
    Ok(Decided { policy, gangs, replayed: Some(replayed) })
}

/// A scheduler's policy, and the gangs that run at the same time, if any.
fn policy(
    scheduler: Scheduler,
    spec: &WindowSpec,
    slice_ns: u64,
    homes: &[usize],
) -> (Box<dyn Policy>, Vec<Vec<u32>>) {
    let (vcpus, pcpus) = (homes.len(), spec.axes.pcpus.len());
    let policy: Box<dyn Policy> = match scheduler {
        Scheduler::Host | Scheduler::Quota(_) | Scheduler::Replay(_) => {
            unreachable!("the kernel's schedule is not ours, and a replay decides nothing")
        }
        Scheduler::RoundRobin if spec.pinned() => {
            Box::new(RoundRobin::pinned(slice_ns, homes.to_vec(), pcpus).out_of_phase(spec.draws))
        }
        Scheduler::RoundRobin => Box::new(RoundRobin::floating(slice_ns, vcpus, pcpus)),
        Scheduler::Credit => {
            let affinities = match &spec.axes.case {
                _ if spec.pinned() => homes.iter().map(|&home| Affinity::hard([home])).collect(),
                Some(case) => pooled::affinities(&case.vms, pcpus),
                None => vec![Affinity::all(pcpus); vcpus],
            };
            Box::new(Credit::new(CreditParams::with_timeslice(slice_ns), &shares(spec), affinities, pcpus))
        }
        Scheduler::Gang => {
            // A gang's members stay where they are, pinned or floating.
            let gang = Gang::new(slice_ns, &shares(spec), vcpus, pcpus);
            let gangs = gang.rows().into_iter();
            let gangs = gangs.map(|row| row.into_iter().map(|vcpu| vcpu as u32).collect()).collect();
            return (Box::new(gang), gangs);
        }
    };
    (policy, Vec::new())
}

/// A window, in ticks of the time-stamp counter.
#[derive(Clone, Copy)]
pub(super) struct Between {
    pub(super) opened: u64,
    pub(super) closed: u64,
}

impl Running {
    /// Tells the schedule that the window opens now. Returns when that is, in ticks.
    pub(super) fn open(&mut self) -> u64 {
        self.opened_ns = monotonic_ns();
        let opened = lockbench_workloads::ticks();
        self.hypervisor.open(self.opened_ns);
        opened
    }

    /// Ends the schedule and enters it into the window's record. Refused where the schedule broke off, which may pass, and where
    /// the timeslice was too short for this machine.
    pub(super) fn close(
        self,
        spec: &WindowSpec,
        between: Between,
        measured: &mut Measured,
    ) -> Result<(), Refusal> {
        let moves = self.hypervisor.moved();
        let slices = Slices::of(spec, self.slice_ns, &moves);
        let lanes = self.hypervisor.stop();
        if let Some(fault) = lanes.iter().find_map(|lane| lane.fault.as_ref()) {
            return Err(Refusal::passing(format!("the schedule broke off: {}", fault.0)));
        }
        let summary = Summary { spec, between, lanes: &lanes, slices: &slices };
        let schedule = summary.schedule(self.slice_ns, &measured.on_cpu_share);
        let (slice_ns, pool) = slices.shortest();
        if let Some([median, _]) = schedule.switch_ns
            && median * SWITCHES_IN_A_SLICE > slice_ns as f64
        {
            return Err(too_short(slice_ns, pool, median));
        }
        if schedule.deviation.is_some_and(|deviation| deviation > MOST_DEVIATION) {
            // The same words each time, so that readers get one reason; the record has the figure.
            measured.disturbed.get_or_insert_with(|| {
                format!(
                    "the schedule was not kept: by the log and by the kernel's count a vCPU's time differs by more than {:.0} % of \
                     the window, as where other programs run",
                    100.0 * MOST_DEVIATION
                )
            });
        }
        let replay = self.replayed.map(|replayed| replayed.close(&lanes, self.opened_ns, between, spec));
        // In a replay the log says how long each stretch is, not the timeslice.
        let slice_ratio = schedule.slice_ratio.filter(|_| replay.is_none());
        measured.schedule = Some(Schedule { gangs: self.gangs, moves, replay, slice_ratio, ..schedule });
        Ok(())
    }
}

/// `pool` is the name of the pool whose own timeslice it is, if it is one's.
fn too_short(slice_ns: u64, pool: Option<&str>, switch_ns: f64) -> Refusal {
    let us = |ns: f64| ns / 1e3;
    let enough_us = us(switch_ns * SWITCHES_IN_A_SLICE).ceil();
    let advice = match pool {
        Some(pool) => format!("give pool `{pool}` a `slice` of {enough_us:.0}us or more"),
        None => format!("give --slice {enough_us:.0}us or more"),
    };
    format!(
        "a timeslice of {:.0} us is too short here: a switch between vCPUs takes {:.1} us, and a slice must be {SWITCHES_IN_A_SLICE} \
         times that; {advice}",
        us(slice_ns as f64),
        us(switch_ns),
    )
    .into()
}

struct Summary<'a> {
    spec: &'a WindowSpec,
    between: Between,
    lanes: &'a [Lane],
    slices: &'a Slices,
}

impl Summary<'_> {
    fn schedule(&self, slice_ns: u64, on_cpu_share: &[f64]) -> Schedule {
        let ns = |ticks: u64| ticks as f64 / self.spec.ticks_per_ns;
        let inside = |at: u64| (self.between.opened..=self.between.closed).contains(&at);
        let window_ns = ns(self.between.closed.saturating_sub(self.between.opened)).max(1.0);
        let (mut own_ns, mut lived_ns) = (0, 0);
        let mut schedule = Schedule { slice_ns, real_time: true, ..Schedule::default() };
        let vcpus = self.spec.axes.vcpus as usize;
        // By the log, and less what the hypervisor took of it.
        let (mut logged, mut net) = (vec![0.0; vcpus], vec![0.0; vcpus]);
        let (mut lengths, mut pauses, mut switches) = (Vec::new(), Vec::new(), Vec::new());
        for (number, lane) in self.lanes.iter().enumerate() {
            schedule.real_time &= lane.real_time && lane.pinned;
            own_ns += lane.own_ns;
            lived_ns += lane.lived_ns;
            for (index, stretch) in lane.stretches.iter().enumerate() {
                let (from, to) = (stretch.from.max(self.between.opened), stretch.to.min(self.between.closed));
                if to <= from {
                    continue;
                }
                let share = (to - from) as f64 / (stretch.to - stretch.from).max(1) as f64;
                if let Some(logged) = logged.get_mut(stretch.vcpu as usize) {
                    *logged += ns(to - from);
                    net[stretch.vcpu as usize] += ns(to - from) - stretch.own_ns as f64 * share;
                }
                schedule.log.push(self.entry(lane.pcpu, stretch));
                if !inside(stretch.to) {
                    continue;
                }
                match stretch.end {
                    End::Paused { latency, handed_over } => {
                        schedule.slices += 1;
                        let asked_ns = self.slices.at(number, self.since(stretch.from));
                        lengths.push(ns(stretch.to - stretch.from) / asked_ns as f64);
                        pauses.push(ns(latency));
                        if let Some(next) = lane.stretches.get(index + 1).filter(|_| handed_over) {
                            switches.push(ns(next.from.saturating_sub(stretch.to)));
                        }
                    }
                    End::Halt => schedule.halts += 1,
                    End::Open => {}
                }
            }
        }
        schedule.own_share = own_ns as f64 / lived_ns.max(1) as f64;
        schedule.slice_ratio = middle_and_99th(&mut lengths);
        schedule.pause_ns = middle_and_99th(&mut pauses);
        schedule.switch_ns = middle_and_99th(&mut switches);
        schedule.shares = logged.iter().map(|ns| ns / window_ns).collect();
        let differences = net.iter().zip(on_cpu_share).map(|(net, share)| (net / window_ns - share).abs());
        schedule.deviation = differences.reduce(f64::max);
        schedule.log.sort_by_key(|stretch| (stretch.from_ns, stretch.pcpu));
        schedule
    }

    /// Nanoseconds since the window's opening.
    fn since(&self, at: u64) -> i64 {
        let ticks = at.wrapping_sub(self.between.opened).cast_signed();
        (ticks as f64 / self.spec.ticks_per_ns).round() as i64
    }

    fn entry(&self, pcpu: u32, stretch: &crate::hypervisor::log::Stretch) -> Stretch {
        let end = match stretch.end {
            End::Paused { .. } => StretchEnd::Paused,
            End::Halt => StretchEnd::Halted,
            End::Open => StretchEnd::Open,
        };
        Stretch {
            pcpu,
            vcpu: stretch.vcpu,
            from_ns: self.since(stretch.from),
            to_ns: self.since(stretch.to),
            end,
        }
    }
}

#[cfg(test)]
mod tests {
    use lockbench_reports::record::{Case, Change, Move, Moved, Pool};

    use super::*;
    use crate::axes::{Axes, Values};
    use crate::hypervisor::log;
    use crate::registry::Registry;

    #[test]
    fn a_pcpu_that_idles_after_a_timeslice_does_not_switch() {
        let lock = Registry::new(&[]).lock("tas").unwrap();
        let spec = WindowSpec {
            ticks_per_ns: 1.0,
            ..WindowSpec::of(Axes::new(lock, Values::usual(), 3, vec![0, 1], None))
        };
        let stretch = |vcpu, from, to, handed_over| log::Stretch {
            vcpu,
            from,
            to,
            end: End::Paused { latency: 5, handed_over },
            due: Default::default(),
            own_ns: 0,
        };
        let busy = vec![stretch(0, 100, 200, true), stretch(2, 210, 310, true), stretch(0, 320, 420, true)];
        let idles = vec![stretch(1, 100, 200, false), stretch(1, 320, 420, false)];
        let lanes = [busy, idles].map(|stretches| Lane { stretches, ..Lane::default() });
        let (between, slices) = (Between { opened: 0, closed: 1_000 }, Slices::of(&spec, 100, &[]));
        let summary = Summary { spec: &spec, between, lanes: &lanes, slices: &slices };
        let schedule = summary.schedule(100, &[]);
        assert_eq!(schedule.slices, 5);
        assert_eq!(schedule.switch_ns, Some([10.0, 10.0]));
    }

    /// A cell of one pCPU in pool `a`, with a timeslice of 1 ms of its own, that goes to pool `b` with the cell's 30 ms.
    fn spec_in_pools() -> WindowSpec {
        let lock = Registry::new(&[]).lock("tas").unwrap();
        let pool = |name: &str, pcpus: Vec<u32>, slice_ns| Pool {
            name: name.into(),
            pcpus,
            scheduler: None,
            slice_ns,
        };
        let vm = Vm { pool: Some("a".into()), ..Vm::usual("guest", 2) };
        let case = Case {
            vms: vec![vm],
            pools: vec![pool("a", vec![0, 1], Some(1_000_000)), pool("b", vec![2], None)],
            moves: vec![Move {
                at_ns: 9_500_000,
                change: Change::Pcpu { number: 0, pool: Some("b".into()) },
            }],
            ..Case::default()
        };
        let axes = Axes { case: Some(case), ..Axes::new(lock, Values::usual(), 2, vec![0, 1, 2], None) };
        WindowSpec { ticks_per_ns: 1.0, ..WindowSpec::of(axes) }
    }

    #[test]
    fn a_pools_own_timeslice_that_is_too_short_is_told_with_the_pool_and_not_the_option() {
        let spec = spec_in_pools();
        let said = |slice_ns| {
            let slices = Slices::of(&spec, slice_ns, &[]);
            let (slice_ns, pool) = slices.shortest();
            format!("{:?}", too_short(slice_ns, pool, 100_000.0))
        };
        let of_the_pool = said(30_000_000);
        assert!(of_the_pool.contains("give pool `a` a `slice` of 2000us or more"), "{of_the_pool}");
        assert!(!of_the_pool.contains("--slice"), "{of_the_pool}");
        let of_the_cell = said(500_000);
        assert!(of_the_cell.contains("give --slice 2000us or more"), "{of_the_cell}");
    }

    #[test]
    fn a_stretch_is_measured_by_the_timeslice_of_the_pool_that_its_pcpu_was_in_when_it_began() {
        let spec = spec_in_pools();
        let stretch = |from, to| log::Stretch {
            vcpu: 0,
            from,
            to,
            end: End::Paused { latency: 5, handed_over: false },
            due: Default::default(),
            own_ns: 0,
        };
        let lanes = [Lane { stretches: vec![stretch(9_000_000, 10_000_000)], ..Lane::default() }];
        let moved = [Moved { asked_ns: 9_500_000, done_ns: Some(10_000_000) }];
        let between = Between { opened: 0, closed: 20_000_000 };
        let slices = Slices::of(&spec, 30_000_000, &moved);
        let summary = Summary { spec: &spec, between, lanes: &lanes, slices: &slices };
        assert_eq!(summary.schedule(30_000_000, &[]).slice_ratio, Some([1.0, 1.0]));
    }
}
