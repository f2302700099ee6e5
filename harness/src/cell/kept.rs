//! What was kept of a window's schedule: its logs beside what was asked for and beside the kernel's counts.

use lockbench_reports::record::{Case, Schedule, Stretch, StretchEnd};
use lockbench_reports::statistics::middle_and_99th;

use super::WindowSpec;
use super::pooled::Slices;
use crate::hypervisor::log::{self, End, Lane};

/// A window, in ticks of the time-stamp counter.
#[derive(Clone, Copy)]
pub(super) struct Between {
    pub(super) opened: u64,
    pub(super) closed: u64,
}

/// The logs of a window, and what they are measured by.
pub(super) struct Summary<'a> {
    pub(super) spec: &'a WindowSpec,
    pub(super) between: Between,
    pub(super) lanes: &'a [Lane],
    pub(super) slices: &'a Slices,
}

impl Summary<'_> {
    /// What the window's record says of its schedule. `on_cpu_share` is the kernel's count of each vCPU's time, `between_ns` what of
    /// it went into giving its pCPU up and getting it back, while the log has it off.
    pub(super) fn schedule(&self, slice_ns: u64, on_cpu_share: &[f64], between_ns: &[u64]) -> Schedule {
        let ns = |ticks: u64| self.ns(ticks);
        let window_ns = ns(self.between.closed.saturating_sub(self.between.opened)).max(1.0);
        let (mut own_ns, mut lived_ns) = (0, 0);
        let mut schedule = Schedule { slice_ns, real_time: true, ..Schedule::default() };
        let vcpus = self.spec.axes.vcpus as usize;
        // By the log, and less what the hypervisor took of it.
        let (mut logged, mut net) = (vec![0.0; vcpus], vec![0.0; vcpus]);
        let (mut lengths, mut pauses) = (Vec::new(), Vec::new());
        let vcpu_of = self.vcpus_of_threads();
        for (number, lane) in self.lanes.iter().enumerate() {
            schedule.real_time &= lane.real_time && lane.pinned;
            own_ns += lane.own_ns;
            lived_ns += lane.lived_ns;
            for turn in turns(lane, &vcpu_of) {
                let stretch = turn.stretch;
                let (from, to) = (stretch.from.max(self.between.opened), stretch.to.min(self.between.closed));
                if to <= from {
                    continue;
                }
                let share = (to - from) as f64 / (stretch.to - stretch.from).max(1) as f64;
                if let Some(logged) = logged.get_mut(stretch.vcpu as usize) {
                    *logged += ns(to - from);
                    net[stretch.vcpu as usize] += ns(to - from) - stretch.own_ns as f64 * share;
                }
                let of_vcpu = vcpu_of.get(stretch.vcpu as usize).copied();
                let entry = self.entry(lane.pcpu, stretch);
                schedule.log.push(Stretch { of_vcpu, by_guest: turn.by_guest, ..entry });
                if !self.is_inside(stretch.to) {
                    continue;
                }
                match stretch.end {
                    End::Paused { latency, .. } => pauses.push(ns(latency)),
                    End::Halt => schedule.halts += 1,
                    End::Yield => schedule.yields += 1,
                    End::Open => {}
                }
                if turn.ends_slice {
                    schedule.slices += 1;
                    let asked_ns = |came| self.slices.at(number, self.since(came)) as f64;
                    lengths.extend(turn.came.map(|came| ns(stretch.to - came) / asked_ns(came)));
                }
            }
        }
        schedule.own_share = own_ns as f64 / lived_ns.max(1) as f64;
        schedule.slice_ratio = middle_and_99th(&mut lengths);
        schedule.pause_ns = middle_and_99th(&mut pauses);
        schedule.switch_ns = middle_and_99th(&mut self.switches_ns());
        schedule.shares = logged.iter().map(|ns| ns / window_ns).collect();
        let net = net.iter().enumerate().map(|(vcpu, net)| net + *between_ns.get(vcpu).unwrap_or(&0) as f64);
        let differences = net.zip(on_cpu_share).map(|(net, share)| (net / window_ns - share).abs());
        schedule.deviation = differences.reduce(f64::max);
        schedule.log.sort_by_key(|stretch| (stretch.from_ns, stretch.pcpu));
        schedule
    }

    /// How long each switch from one vCPU to the next took in the window, in nanoseconds.
    pub(super) fn switches_ns(&self) -> Vec<f64> {
        let pairs = self.lanes.iter().flat_map(|lane| lane.stretches.windows(2));
        let handed_over = pairs.filter(|pair| {
            matches!(pair[0].end, End::Paused { handed_over: true, .. }) && self.is_inside(pair[0].to)
        });
        handed_over.map(|pair| self.ns(pair[1].from.saturating_sub(pair[0].to))).collect()
    }

    /// The vCPU of each thread, where guests schedule threads; empty where none does.
    fn vcpus_of_threads(&self) -> Vec<u32> {
        let case = self.spec.axes.case.as_ref().filter(|case| case.has_threads());
        case.map_or_else(Vec::new, Case::vcpus_of_users)
    }

    fn is_inside(&self, at: u64) -> bool {
        (self.between.opened..=self.between.closed).contains(&at)
    }

    fn ns(&self, ticks: u64) -> f64 {
        ticks as f64 / self.spec.ticks_per_ns
    }

    /// Nanoseconds since the window's opening.
    fn since(&self, at: u64) -> i64 {
        let ticks = at.wrapping_sub(self.between.opened).cast_signed();
        (ticks as f64 / self.spec.ticks_per_ns).round() as i64
    }

    fn entry(&self, pcpu: u32, stretch: &log::Stretch) -> Stretch {
        let end = match stretch.end {
            End::Paused { .. } => StretchEnd::Paused,
            End::Halt => StretchEnd::Halted,
            End::Yield => StretchEnd::Yielded,
            End::Open => StretchEnd::Open,
        };
        Stretch::of_vcpu(pcpu, stretch.vcpu, self.since(stretch.from), self.since(stretch.to), end)
    }
}

/// A stretch, as far as those beside it on its pCPU tell which of two schedulers began and ended it.
struct Turn<'a> {
    stretch: &'a log::Stretch,
    /// When the vCPU came that has the pCPU, whose guest may switch threads meanwhile; none where that is not known.
    came: Option<u64>,
    /// Whether its guest's scheduler ended it.
    by_guest: bool,
    /// Whether a timeslice of the hypervisor ended with it.
    ends_slice: bool,
}

/// The stretches of a pCPU. `vcpu_of` has the vCPU of each thread, where guests schedule threads.
fn turns<'a>(lane: &'a Lane, vcpu_of: &[u32]) -> Vec<Turn<'a>> {
    let mut came = None;
    let each = lane.stretches.iter().enumerate().map(|(at, stretch)| {
        let before = at.checked_sub(1).map(|before| &lane.stretches[before]);
        came = match before.filter(|before| same_vcpu(before, stretch, vcpu_of)).map(|one| one.end) {
            Some(End::Paused { handed_over: true, .. }) => came,
            // The thread that halted or yielded may have been the last one, and then this is another timeslice.
            Some(End::Halt | End::Yield) => None,
            _ => Some(stretch.from),
        };
        let next = lane.stretches.get(at + 1);
        let handed_over = matches!(stretch.end, End::Paused { handed_over: true, .. });
        let by_guest = handed_over && next.is_some_and(|next| same_vcpu(stretch, next, vcpu_of));
        // Which of the two schedulers ended the last stretch of all is not known.
        let told = next.is_some() || vcpu_of.is_empty();
        let ends_slice = matches!(stretch.end, End::Paused { .. }) && !by_guest && told;
        Turn { stretch, came, by_guest, ends_slice }
    });
    each.collect()
}

/// Whether two stretches that follow one another on a pCPU are of different threads of the same vCPU.
fn same_vcpu(left: &log::Stretch, came: &log::Stretch, vcpu_of: &[u32]) -> bool {
    let vcpu = |stretch: &log::Stretch| vcpu_of.get(stretch.vcpu as usize);
    left.vcpu != came.vcpu && vcpu(left).is_some() && vcpu(left) == vcpu(came)
}

#[cfg(test)]
pub(super) mod tests {
    use lockbench_reports::record::{Change, Move, Moved, Pool, Vm};

    use super::*;
    use crate::axes::{Axes, Values};
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
        let schedule = summary.schedule(100, &[], &[]);
        assert_eq!(schedule.slices, 5);
        assert_eq!(schedule.switch_ns, Some([10.0, 10.0]));
    }

    /// A cell of one pCPU in pool `a`, with a timeslice of 1 ms of its own, that goes to pool `b` with the cell's 30 ms.
    pub(in crate::cell) fn spec_in_pools() -> WindowSpec {
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

    /// A cell of four threads on two vCPUs, in timeslices of the guest of that length.
    pub(in crate::cell) fn spec_with_threads(guest_slice_ns: u64) -> WindowSpec {
        let lock = Registry::new(&[]).lock("tas").unwrap();
        let vm = Vm { threads_per_vcpu: 2, guest_slice_ns: Some(guest_slice_ns), ..Vm::usual("guest", 2) };
        let case = Case { vms: vec![vm], ..Case::default() };
        let axes = Axes { case: Some(case), ..Axes::new(lock, Values::usual(), 4, vec![0], None) };
        WindowSpec { ticks_per_ns: 1.0, ..WindowSpec::of(axes) }
    }

    #[test]
    fn threads_of_a_vcpu_that_follow_one_another_are_one_timeslice_of_the_hypervisor() {
        let spec = spec_with_threads(300);
        let stretch =
            |vcpu, from, to, end| log::Stretch { vcpu, from, to, end, due: Default::default(), own_ns: 0 };
        let paused = End::Paused { latency: 5, handed_over: true };
        // vCPU 0 has the threads 0 and 2, vCPU 1 has 1 and 3.
        let stretches = vec![
            stretch(0, 0, 300, paused),
            stretch(2, 310, 600, paused),
            stretch(0, 620, 1_000, paused),
            stretch(3, 1_010, 2_010, paused),
            stretch(2, 2_020, 2_100, End::Halt),
            stretch(0, 2_110, 3_800, paused),
            stretch(1, 3_810, 4_810, End::Paused { latency: 5, handed_over: false }),
            stretch(3, 5_000, 6_000, End::Paused { latency: 5, handed_over: false }),
            stretch(0, 6_010, 6_040, paused),
        ];
        let lanes = [Lane { stretches, ..Lane::default() }];
        let (between, slices) = (Between { opened: 0, closed: 9_000 }, Slices::of(&spec, 1_000, &[]));
        let summary = Summary { spec: &spec, between, lanes: &lanes, slices: &slices };
        let schedule = summary.schedule(1_000, &[], &[]);
        assert_eq!((schedule.slices, schedule.halts), (5, 1));
        assert_eq!(schedule.slice_ratio, Some([1.0, 1.0]), "but for that in which a thread halted");
        let log = schedule.log.iter().map(|one| (one.vcpu, one.of_vcpu.unwrap(), one.by_guest));
        let told = [
            (0, 0, true),
            (2, 0, true),
            (0, 0, false),
            (3, 1, false),
            (2, 0, false),
            (0, 0, false),
            (1, 1, false),
            (3, 1, false),
            (0, 0, false),
        ];
        assert_eq!(log.collect::<Vec<_>>(), told);
    }

    #[test]
    fn a_yield_ends_a_stretch_and_what_it_takes_of_the_pcpu_is_no_deviation() {
        let spec = spec_with_threads(300);
        let stretch =
            |vcpu, from, to, end| log::Stretch { vcpu, from, to, end, due: Default::default(), own_ns: 0 };
        let stretches = vec![stretch(0, 0, 400, End::Yield), stretch(1, 500, 900, End::Yield)];
        let lanes = [Lane { stretches, ..Lane::default() }];
        let (between, slices) = (Between { opened: 0, closed: 1_000 }, Slices::of(&spec, 1_000, &[]));
        let summary = Summary { spec: &spec, between, lanes: &lanes, slices: &slices };
        let told = |between_ns: &[u64]| summary.schedule(1_000, &[0.5, 0.5, 0.0, 0.0], between_ns);
        let schedule = told(&[100, 100, 0, 0]);
        assert_eq!((schedule.yields, schedule.slices, schedule.halts), (2, 0, 0));
        assert_eq!(schedule.log[0].end, StretchEnd::Yielded);
        assert!(schedule.deviation.unwrap() < 1e-9 && told(&[]).deviation.unwrap() > 0.09);
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
        assert_eq!(summary.schedule(30_000_000, &[], &[]).slice_ratio, Some([1.0, 1.0]));
    }
}
