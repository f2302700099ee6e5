//! A cell under the emulated hypervisor: its schedule is started before the gate opens, and told in the window's record.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::{Case, MOST_DEVIATION, Measured, Schedule, USUAL_GUEST_SLICE_NS, Vm};

use super::WindowSpec;
use super::guest::Guest;
use super::kept::{Between, Summary};
use super::neighbours::Neighbours;
use super::pooled::{self, SliceOf, Slices};
use super::replayed::Replayed;
use crate::Refusal;
use crate::arena::{Board, Memory};
use crate::axes::Scheduler;
use crate::hypervisor::Hypervisor;
use crate::hypervisor::policy::{
    Affinity, Credit, CreditParams, Gang, Guests, Policy, Replay, RoundRobin, VmShare,
};
use crate::measure::clocks::monotonic_ns;

/// A timeslice must be so many times longer than a switch from one vCPU to the next.
const SWITCHES_IN_A_SLICE: f64 = 20.0;

/// Fewer switches than these say nothing of what the machine can do: each may have met another program.
const SWITCHES_TO_JUDGE: usize = 10;

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
    /// The measured machine's arena.
    memory: Arc<Memory>,
    /// What each vCPU's thread had taken of pCPUs that it did not have, when the window opened; once it is over, what it took in the
    /// window.
    between_ns: Vec<u64>,
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
        let policy = with_guests(policy, spec);
        let hypervisor =
            Hypervisor::start(policy, vcpus, homes, &spec.axes.pcpus, self.board, spec.ticks_per_ns)?;
        Ok(Running {
            hypervisor,
            slice_ns: self.slice_ns,
            gangs,
            replayed,
            opened_ns: 0,
            memory: measured.memory.clone(),
            between_ns: Vec::new(),
        })
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

/// The policy with the schedulers of guests over it, if a machine's guest has one.
fn with_guests(policy: Box<dyn Policy>, spec: &WindowSpec) -> Box<dyn Policy> {
    let Some(case) = spec.axes.case.as_ref().filter(|case| case.has_threads()) else { return policy };
    let vcpu_of = case.vcpus_of_users().into_iter().map(|vcpu| vcpu as usize).collect();
    // A vCPU with one thread never switches.
    let slice_ns = |vm: &Vm| vm.thread_slice_ns().unwrap_or(USUAL_GUEST_SLICE_NS);
    let slices_ns = case.vms.iter().flat_map(|vm| iter::repeat_n(slice_ns(vm), vm.vcpus as usize)).collect();
    Box::new(Guests::new(policy, vcpu_of, slices_ns, spec.axes.pcpus.len()))
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
    // Where guests schedule threads, these have homes and this policy sees vCPUs alone.
    let threads = spec.axes.case.as_ref().filter(|case| case.has_threads());
    let vcpus = threads.map_or(homes.len(), |case| case.vms.iter().map(|vm| vm.vcpus as usize).sum());
    let pcpus = spec.axes.pcpus.len();
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
            let vcpu_of = threads.map_or_else(|| (0..vcpus as u32).collect(), Case::vcpus_of_users);
            let users = |row: Vec<usize>| {
                let of_row = |user: &usize| row.contains(&(vcpu_of[*user] as usize));
                (0..vcpu_of.len()).filter(of_row).map(|user| user as u32).collect()
            };
            let gangs = gang.rows().into_iter().map(users).collect();
            return (Box::new(gang), gangs);
        }
    };
    (policy, Vec::new())
}

impl Running {
    /// Tells the schedule that the window opens now. Returns when that is, in ticks.
    pub(super) fn open(&mut self) -> u64 {
        self.opened_ns = monotonic_ns();
        let opened = lockbench_workloads::ticks();
        self.between_ns = between_ns(&self.memory).collect();
        self.hypervisor.open(self.opened_ns);
        opened
    }

    /// Says that the window is over. The schedule goes on.
    pub(super) fn over(&mut self) {
        let now = between_ns(&self.memory);
        self.between_ns = now.zip(&self.between_ns).map(|(now, then)| now.saturating_sub(*then)).collect();
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
        let schedule = summary.schedule(self.slice_ns, &measured.on_cpu_share, &self.between_ns);
        let (slice_ns, of) = slices.shortest();
        if let Some(switch_ns) = too_long_a_switch(slice_ns, &schedule, &summary.switches_ns()) {
            return Err(too_short(slice_ns, of, switch_ns));
        }
        if !is_kept(&schedule) {
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

/// What each vCPU's thread has taken so far of a pCPU that the vCPU had given up or lost, in nanoseconds.
fn between_ns(memory: &Memory) -> impl Iterator<Item = u64> {
    memory.blocks().map(|block| block.control.between_ns.load(Relaxed))
}

/// Whether by the log and by the kernel each vCPU ran for the same time.
fn is_kept(schedule: &Schedule) -> bool {
    schedule.deviation.is_none_or(|deviation| deviation <= MOST_DEVIATION)
}

/// How long a switch takes where that is too long for a timeslice. Where other programs ran, a switch took as long as these let it,
/// and only the shortest of many says what this machine can do.
fn too_long_a_switch(slice_ns: u64, schedule: &Schedule, switches_ns: &[f64]) -> Option<f64> {
    if switches_ns.len() < SWITCHES_TO_JUDGE {
        return None;
    }
    let switch_ns = if is_kept(schedule) {
        schedule.switch_ns.map(|[median, _]| median)
    } else {
        switches_ns.iter().copied().reduce(f64::min)
    };
    switch_ns.filter(|switch_ns| switch_ns * SWITCHES_IN_A_SLICE > slice_ns as f64)
}

/// `of` says whose own timeslice it is.
fn too_short(slice_ns: u64, of: SliceOf<'_>, switch_ns: f64) -> Refusal {
    let us = |ns: f64| ns / 1e3;
    let enough_us = us(switch_ns * SWITCHES_IN_A_SLICE).ceil();
    let advice = match of {
        SliceOf::Pool(pool) => format!("give pool `{pool}` a `slice` of {enough_us:.0}us or more"),
        SliceOf::Guest(vm) => format!("give machine `{vm}` a `guest-slice` of {enough_us:.0}us or more"),
        SliceOf::Cell => format!("give --slice {enough_us:.0}us or more"),
    };
    format!(
        "a timeslice of {:.0} us is too short here: a switch between vCPUs takes {:.1} us, and a slice must be {SWITCHES_IN_A_SLICE} \
         times that; {advice}",
        us(slice_ns as f64),
        us(switch_ns),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::super::kept::tests::{spec_in_pools, spec_with_threads};
    use super::*;

    #[test]
    fn a_switch_that_other_programs_made_long_makes_no_timeslice_too_short() {
        let mut switches_ns = [4e6; 10];
        switches_ns[3] = 30e3;
        let of = |deviation| {
            let switch_ns = Some([4e6, 4.1e6]);
            Schedule { deviation: Some(deviation), switch_ns, ..Schedule::default() }
        };
        assert_eq!(too_long_a_switch(50_000_000, &of(0.2), &switches_ns), None);
        assert_eq!(too_long_a_switch(500_000, &of(0.2), &switches_ns), Some(30e3));
        assert_eq!(too_long_a_switch(50_000_000, &of(0.001), &[4e6; 2]), None, "two are too few");
        assert_eq!(too_long_a_switch(50_000_000, &of(0.001), &switches_ns), Some(4e6));
    }

    #[test]
    fn a_pools_own_timeslice_that_is_too_short_is_told_with_the_pool_and_not_the_option() {
        let spec = spec_in_pools();
        let said = |slice_ns| {
            let slices = Slices::of(&spec, slice_ns, &[]);
            let (slice_ns, of) = slices.shortest();
            format!("{:?}", too_short(slice_ns, of, 100_000.0))
        };
        let of_the_pool = said(30_000_000);
        assert!(of_the_pool.contains("give pool `a` a `slice` of 2000us or more"), "{of_the_pool}");
        assert!(!of_the_pool.contains("--slice"), "{of_the_pool}");
        let of_the_cell = said(500_000);
        assert!(of_the_cell.contains("give --slice 2000us or more"), "{of_the_cell}");
    }

    #[test]
    fn a_guests_timeslice_that_is_too_short_is_told_with_the_machine() {
        let spec = spec_with_threads(300_000);
        let of = |slice_ns| {
            let slices = Slices::of(&spec, slice_ns, &[]);
            let (slice_ns, of) = slices.shortest();
            format!("{:?}", too_short(slice_ns, of, 100_000.0))
        };
        let of_the_guest = of(500_000);
        assert!(of_the_guest.contains("a timeslice of 300 us is too short"), "{of_the_guest}");
        assert!(
            of_the_guest.contains("give machine `guest` a `guest-slice` of 2000us or more"),
            "{of_the_guest}"
        );
        assert!(of(200_000).contains("give --slice 2000us or more"));
    }
}
