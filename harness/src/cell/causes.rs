//! Why a window's rate is what it is: what its vCPUs booked between its opening and its end.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockbench_reports::record::{Causes, Gaps, Handovers, Histogram, LongestWait, VcpuCauses};
use lockbench_reports::statistics::Waits;
use lockbench_workloads::arena::Block;
use lockbench_workloads::histogram;
use lockbench_workloads::locks::Event;
use lockbench_workloads::traced::{MATRIX_PCPUS, Times, Traced};
use lockbench_workloads::{Phase, ticks};

use super::counters::{Own, load_all};
use super::lock_times::LockTimes;
use super::{Memory, WindowSpec};

/// What stood in a tracing arena when the window opened.
pub(super) struct Opened {
    vcpus: Vec<Booked>,
    matrix: Vec<Vec<u64>>,
}

/// What a vCPU has booked so far.
struct Booked {
    acquire: Vec<u64>,
    hold: Vec<u64>,
    handover: Vec<u64>,
    wake: Vec<u64>,
    reacquire: Vec<u64>,
    gaps: Vec<u64>,
    gap_ticks: u64,
    handovers: u64,
    granted_off: u64,
    granted_off_ticks: u64,
    spins_before_halt: u64,
}

impl Booked {
    fn read(vcpu: &Traced) -> Self {
        let times = |times: &Times| load_all(&times.0);
        Self {
            acquire: times(&vcpu.acquire),
            hold: times(&vcpu.hold),
            handover: times(&vcpu.handover),
            wake: times(&vcpu.wake),
            reacquire: times(&vcpu.reacquire),
            gaps: load_all(&vcpu.gaps),
            gap_ticks: vcpu.gap_ticks.load(Relaxed),
            handovers: vcpu.handovers.load(Relaxed),
            granted_off: vcpu.granted_off.load(Relaxed),
            granted_off_ticks: vcpu.granted_off_ticks.load(Relaxed),
            spins_before_halt: vcpu.spins_before_halt.load(Relaxed),
        }
    }
}

impl Opened {
    pub(super) fn read(memory: &Memory) -> Self {
        for vcpu in memory.traced() {
            vcpu.longest_wait.store(0, Relaxed);
            vcpu.longest_gap.store(0, Relaxed);
        }
        memory.header().worst.worst.store(0, Relaxed);
        Self {
            matrix: memory.matrix().iter().map(|octaves| load_all(&octaves.0)).collect(),
            vcpus: memory.traced().map(Booked::read).collect(),
        }
    }

    /// What was booked since, and the acquire times of all vCPUs. `counted` is what each worker had counted when the window
    /// opened.
    pub(super) fn close(
        &self,
        memory: &Memory,
        spec: &WindowSpec,
        counted: &[Own],
        (opened, closed): (LockTimes, LockTimes),
    ) -> (Causes, Histogram) {
        let ns = |ticks: u64| (ticks as f64 / spec.ticks_per_ns).ceil() as u64;
        let now = ticks();
        let [mut acquire, mut hold, mut handover, mut wake, mut reacquire] =
            std::array::from_fn(|_| vec![0; histogram::BUCKETS]);
        let mut gaps = Gaps { above_ns: spec.gap_ns() as u64, ..Gaps::default() };
        let mut causes = Causes { time: closed.since(&opened, ns), ..Causes::default() };
        let (mut censored, mut halts, mut spins) = (Vec::new(), 0, 0);
        let vcpus = memory.traced().zip(memory.blocks()).zip(self.vcpus.iter().zip(counted));
        for (number, ((vcpu, block), (before, counted))) in vcpus.enumerate() {
            let after = Booked::read(vcpu);
            add(&mut acquire, &before.acquire, &after.acquire);
            add(&mut hold, &before.hold, &after.hold);
            add(&mut handover, &before.handover, &after.handover);
            add(&mut wake, &before.wake, &after.wake);
            add(&mut reacquire, &before.reacquire, &after.reacquire);
            let mut by_phase = [0; Phase::COUNT];
            add(&mut by_phase, &before.gaps, &after.gaps);
            gaps.holding += by_phase[Phase::Holding as usize];
            gaps.waiting += by_phase[Phase::Waiting as usize];
            gaps.thinking += by_phase[Phase::Thinking as usize];
            gaps.total_ns += ns(after.gap_ticks.saturating_sub(before.gap_ticks));
            gaps.longest_ns = gaps.longest_ns.max(ns(vcpu.longest_gap.load(Relaxed)));
            causes.handovers += after.handovers.saturating_sub(before.handovers);
            spins += after.spins_before_halt.saturating_sub(before.spins_before_halt);
            halts += halts_of(block).saturating_sub(counted.events[Event::Halt as usize]);
            let waiting = vcpu.wait_since.load(Relaxed);
            if waiting != 0 {
                censored.push(ns(now.saturating_sub(waiting)));
            }
            let longest = vcpu.longest_wait.load(Relaxed);
            if longest > 0 && causes.longest_wait.is_none_or(|known| ns(longest) > known.wait_ns) {
                let ended = vcpu.longest_wait_at.load(Relaxed).saturating_sub(opened.at);
                causes.longest_wait =
                    Some(LongestWait { vcpu: number as u32, wait_ns: ns(longest), at_ns: ns(ended) });
            }
            causes.vcpus.push(vcpu_causes(vcpu, block, before, &after, counted, ns));
        }
        causes.granted_off = causes.vcpus.iter().map(|vcpu| vcpu.granted_off).sum();
        causes.granted_off_ns = causes.vcpus.iter().map(|vcpu| vcpu.granted_off_ns).sum();
        causes.hold = times(&hold, ns);
        causes.handover = times(&handover, ns);
        causes.wake = times(&wake, ns);
        causes.reacquire_turns = times(&reacquire, |turns| turns);
        causes.gaps = Some(gaps);
        causes.spins_before_halt = (halts > 0).then(|| spins as f64 / halts as f64);
        causes.matrix = self.matrix(memory, spec);
        causes.no_matrix = no_matrix(spec);
        censored.sort_unstable();
        let max_ns = causes.longest_wait.map_or(0, |longest| longest.wait_ns);
        (causes, Histogram { censored, max_ns, ..times(&acquire, ns) })
    }

    /// Handovers between each two pCPUs that had any.
    fn matrix(&self, memory: &Memory, spec: &WindowSpec) -> Vec<Handovers> {
        let pcpus = memory.header().plan.layout.matrix_pcpus;
        let pairs =
            memory.matrix().iter().zip(&self.matrix).enumerate().filter_map(|(pair, (after, before))| {
                let mut octaves = vec![0; before.len()];
                add(&mut octaves, before, &load_all(&after.0));
                let count = octaves.iter().sum();
                let pcpu = |index: usize| spec.axes.pcpus.get(index).copied();
                let (from, to) = (pcpu(pair / pcpus)?, pcpu(pair % pcpus)?);
                let median_ns = (octave_median(&octaves)? / spec.ticks_per_ns).round() as u64;
                Some(Handovers { from, to, count, median_ns })
            });
        pairs.collect()
    }
}

/// Why handovers between pCPUs are not told apart.
fn no_matrix(spec: &WindowSpec) -> Option<String> {
    match spec.axes.pcpus.len() {
        _ if spec.axes.pinning != "pinned" => {
            Some("vCPUs float, so that nobody knows which pCPU a handover came from".into())
        }
        pcpus if pcpus > MATRIX_PCPUS => {
            Some(format!("{pcpus} pCPUs are more than the {MATRIX_PCPUS} that it is kept for"))
        }
        _ => None,
    }
}

fn halts_of(block: &Block) -> u64 {
    block.own.events[Event::Halt as usize].load(Relaxed)
}

fn vcpu_causes(
    vcpu: &Traced,
    block: &Block,
    before: &Booked,
    after: &Booked,
    counted: &Own,
    ns: impl Fn(u64) -> u64 + Copy,
) -> VcpuCauses {
    let mut acquire = vec![0; before.acquire.len()];
    add(&mut acquire, &before.acquire, &after.acquire);
    let acquire_max_ns = ns(vcpu.longest_wait.load(Relaxed));
    let waits = Waits::of([&Histogram { max_ns: acquire_max_ns, ..times(&acquire, ns) }]);
    let percentile = |quantile| waits.percentile(quantile).map(|percentile| percentile.ns as u64);
    let preempted = |phase: Phase| {
        let now: &AtomicU64 = &block.own.preempted[phase as usize];
        now.load(Relaxed).saturating_sub(counted.preempted[phase as usize])
    };
    VcpuCauses {
        acquire_p50_ns: percentile(0.5),
        acquire_p99_ns: percentile(0.99),
        acquire_max_ns,
        preempted_holding: preempted(Phase::Holding),
        preempted_waiting: preempted(Phase::Waiting),
        granted_off: after.granted_off.saturating_sub(before.granted_off),
        granted_off_ns: ns(after.granted_off_ticks.saturating_sub(before.granted_off_ticks)),
    }
}

/// Adds what was counted between two readings.
fn add(sum: &mut [u64], before: &[u64], after: &[u64]) {
    for (sum, (before, after)) in sum.iter_mut().zip(before.iter().zip(after)) {
        *sum += after.saturating_sub(*before);
    }
}

/// A histogram for the record. The longest is known no better than its bucket.
fn times(counts: &[u64], ns: impl Fn(u64) -> u64) -> Histogram {
    let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let buckets: Vec<(u64, u64)> =
        filled.map(|(bucket, count)| (ns(histogram::upper_bound(bucket)), *count)).collect();
    let max_ns = buckets.last().map_or(0, |(upper, _)| *upper);
    Histogram { buckets, censored: Vec::new(), max_ns }
}

/// Median of durations counted by octaves, as if each octave's were spread evenly over its logarithm. None without any.
fn octave_median(octaves: &[u64]) -> Option<f64> {
    let half = octaves.iter().sum::<u64>() as f64 / 2.0;
    let mut below = 0.0;
    for (octave, &count) in octaves.iter().enumerate().filter(|(_, count)| **count > 0) {
        let count = count as f64;
        if below + count >= half {
            return Some((octave as f64 + (half - below) / count).exp2());
        }
        below += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_within_its_octave() {
        let mut octaves = vec![0; 64];
        assert_eq!(octave_median(&octaves), None);
        octaves[10] = 10;
        assert_eq!(octave_median(&octaves), Some(10.5_f64.exp2()));
        octaves[20] = 90;
        let median = octave_median(&octaves).unwrap();
        assert!((20_f64.exp2()..21_f64.exp2()).contains(&median), "{median}");
    }
}
