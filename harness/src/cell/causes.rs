//! Why a window's rate is what it is: what its vCPUs booked between its opening and its end.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::{Causes, Gaps, Histogram, Longest, LongestWait, VcpuCauses};
use lockbench_workloads::locks::Event;
use lockbench_workloads::{Phase, histogram, ticks};

use super::WindowSpec;
use super::booked::{Booked, Scale, TookAndEnded, vcpu_causes};
use super::counters::{Own, sum};
use super::handed::Handed;
use super::lock_times::LockTimes;
use crate::arena::Memory;

/// What had been booked in the arena when the window opened.
pub(super) struct Opened {
    vcpus: Vec<Booked>,
    handed: Handed,
}

impl Opened {
    pub(super) fn read(memory: &Memory) -> Self {
        for vcpu in memory.traced() {
            for longest in [&vcpu.longest_wait, &vcpu.longest_hold, &vcpu.longest_handover] {
                longest.ticks.store(0, Relaxed);
            }
            vcpu.longest_gap.store(0, Relaxed);
        }
        memory.worst().worst.store(0, Relaxed);
        Self { handed: Handed::read(memory), vcpus: memory.traced().map(Booked::read).collect() }
    }

    /// What was booked since then, and the acquire times of all vCPUs. `counted` is what each worker counted in the window.
    pub(super) fn close(
        &self,
        memory: &Memory,
        spec: &WindowSpec,
        counted: &[Own],
        (opened, closed): (LockTimes, LockTimes),
    ) -> (Causes, Histogram) {
        let now = ticks();
        let scale = Scale { ticks_per_ns: spec.ticks_per_ns, opened: opened.at, now };
        let mut causes = Causes { time: closed.since(&opened, |ticks| scale.ns(ticks)), ..Causes::default() };
        let mut total = Booked::default();
        let (mut censored, mut halts, mut finished, mut longest_gap) = (Vec::new(), 0, 0, 0);
        for (vcpu, (before, counted)) in memory.traced().zip(self.vcpus.iter().zip(counted)) {
            let gained = Booked::read(vcpu).since(before);
            halts = counted.events[Event::Halt as usize].saturating_add(halts);
            let waiting = vcpu.wait_since.load(Relaxed);
            if waiting != 0 {
                censored.push(scale.ns(now.saturating_sub(waiting)));
            }
            finished = finished.max(vcpu.longest_wait.ticks.load(Relaxed));
            longest_gap = longest_gap.max(vcpu.longest_gap.load(Relaxed));
            let preempted = |phase: Phase| counted.preempted[phase as usize];
            causes.vcpus.push(vcpu_causes(vcpu, &gained, preempted, &scale));
            total.add(&gained);
        }
        causes.handovers = total.handovers;
        causes.granted_off = total.granted_off;
        causes.granted_off_ns = sum(causes.vcpus.iter().map(|vcpu| vcpu.granted_off_ns));
        causes.longest_wait = longest_wait(&causes.vcpus);
        causes.longest_hold = longest(&causes.vcpus, |vcpu| (vcpu.hold_max_ns, vcpu.hold_max_at_ns));
        causes.longest_handover =
            longest(&causes.vcpus, |vcpu| (vcpu.handover_max_ns, vcpu.handover_max_at_ns));
        causes.hold = known(scale.times(&total.hold), causes.longest_hold);
        causes.handover = known(scale.times(&total.handover), causes.longest_handover);
        causes.wake = scale.times(&total.wake);
        causes.reacquire_turns = acquisitions(&total.reacquire);
        causes.spins_before_halt = (halts > 0).then(|| total.spins_before_halt as f64 / halts as f64);
        self.handed.close(memory, spec, &mut causes);
        if spec.count_preemptions {
            causes.gaps = Some(Gaps {
                above_ns: spec.gap_ns() as u64,
                holding: total.gaps_in(Phase::Holding),
                waiting: total.gaps_in(Phase::Waiting),
                thinking: total.gaps_in(Phase::Thinking),
                total_ns: scale.ns(total.gap_ticks),
                longest_ns: scale.ns(longest_gap),
            });
        } else {
            // Without a probe every preemption would pass for a gap, and every grant for one to a running vCPU.
            let by = if spec.axes.values.env.name() == "kvm" { "steal time" } else { "the rseq area" };
            causes.no_preemptions =
                Some(format!("preemptions are not counted here: {by} says nothing of them"));
        }
        censored.sort_unstable();
        (causes, Histogram { censored, max_ns: scale.ns(finished), ..scale.times(&total.acquire) })
    }
}

/// The longest wait of any vCPU; none if no vCPU waited.
fn longest_wait(vcpus: &[VcpuCauses]) -> Option<LongestWait> {
    let (vcpu, of) = vcpus.iter().enumerate().max_by_key(|(_, vcpu)| vcpu.acquire_max_ns)?;
    (of.acquire_max_ns > 0).then_some(LongestWait {
        vcpu: vcpu as u32,
        wait_ns: of.acquire_max_ns,
        at_ns: of.acquire_max_at_ns,
        at_least: of.acquire_max_at_least,
    })
}

/// The longest of the times that `of` takes from each vCPU, and when it ended.
fn longest(vcpus: &[VcpuCauses], of: impl Fn(&VcpuCauses) -> TookAndEnded) -> Option<Longest> {
    let found = vcpus.iter().map(of).enumerate().max_by_key(|(_, (ns, _))| *ns);
    found.filter(|(_, (ns, _))| *ns > 0).map(|(vcpu, (ns, at_ns))| Longest { vcpu: vcpu as u32, ns, at_ns })
}

/// The histogram with the exact longest time in place of its bucket's bound.
fn known(times: Histogram, longest: Option<Longest>) -> Histogram {
    let max_ns = longest.map_or(times.max_ns, |longest| longest.ns);
    Histogram { max_ns, ..times }
}

/// A histogram of whole numbers of acquisitions. They are small, so a bucket is named by its smallest value.
fn acquisitions(counts: &[u64]) -> Histogram {
    let buckets = super::booked::buckets(counts, histogram::lower_bound);
    let max_ns = buckets.last().map_or(0, |(acquisitions, _)| *acquisitions);
    Histogram { buckets, censored: Vec::new(), max_ns }
}
