//! Causes of a cell over its traced windows.

use std::collections::BTreeMap;

use super::selection::{Selected, Selection};
use crate::record::{
    Causes, CellCauses, Gaps, Handovers, Histogram, LockTime, Round, TimeShares, Times, VcpuShare,
};
use crate::statistics::{Percentile, Waits, median, weighted_median};

/// A traced window.
type Traced<'a> = (Selected<'a>, &'a Causes);

pub(super) fn causes(rounds: &[Round]) -> Option<CellCauses> {
    let windows = Selection::traced(rounds);
    if windows.is_empty() {
        return None;
    }
    let all = || windows.iter().map(|(.., causes)| *causes);
    let window_ns = sum(windows.iter().map(|(selected, _)| selected.window.window_ns));
    let done = sum(windows.iter().map(|(selected, _)| selected.window.operations));
    let vcpus = vcpus(&windows);
    let lhp = sum(vcpus.iter().map(|vcpu| vcpu.preempted_holding));
    let (handovers, granted_off) = (sum(all().map(|c| c.handovers)), sum(all().map(|c| c.granted_off)));
    let off_ns = sum(all().map(|causes| causes.granted_off_ns));
    let per_million = |events: u64| (done > 0).then(|| events as f64 * 1e6 / done as f64);
    let no_preemptions = all().find_map(|causes| causes.no_preemptions.clone());
    let counted = no_preemptions.is_none();
    let spins: Vec<f64> = all().filter_map(|causes| causes.spins_before_halt).collect();
    Some(CellCauses {
        windows: windows.len() as u32,
        operations: done,
        window_ns,
        ops_per_second: median(
            &windows.iter().map(|(selected, _)| selected.window.rate()).collect::<Vec<_>>(),
        ),
        time: shares(all().map(|causes| causes.time), window_ns).filter(|_| counted),
        lhp_per_million: per_million(lhp).filter(|_| counted),
        lwp_per_million: per_million(granted_off).filter(|_| counted && !all().any(|causes| causes.sleeps)),
        handovers,
        granted_off,
        granted_off_ns: (granted_off > 0).then(|| off_ns as f64 / granted_off as f64),
        hold_ns: times(all().map(|causes| &causes.hold)),
        handover_ns: times(all().map(|causes| &causes.handover)),
        wake_ns: times(all().map(|causes| &causes.wake)),
        reacquire_turns: times(all().map(|causes| &causes.reacquire_turns)),
        gaps: gaps(all().filter_map(|causes| causes.gaps)),
        spins_before_halt: median(&spins),
        longest_wait: all().filter_map(|causes| causes.longest_wait).max_by_key(|wait| wait.wait_ns),
        longest_hold: all().filter_map(|causes| causes.longest_hold).max_by_key(|hold| hold.ns),
        longest_handover: all().filter_map(|causes| causes.longest_handover).max_by_key(|one| one.ns),
        no_preemptions,
        vcpus,
        matrix: matrix(all().map(|causes| &causes.matrix)),
        no_matrix: all().find_map(|causes| causes.no_matrix.clone()),
        node_matrix: matrix(all().map(|causes| &causes.node_matrix)),
        no_node_matrix: all().find_map(|causes| causes.no_node_matrix.clone()),
    })
}

fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

fn shares(times: impl Iterator<Item = LockTime>, window_ns: u64) -> Option<TimeShares> {
    let parts = times.fold([0.0; 5], |mut total, time| {
        let of = [time.idle_ns, time.free_ns, time.granted_off_ns, time.held_off_ns, time.held_ns];
        total.iter_mut().zip(of).for_each(|(total, ns)| *total += ns as f64);
        total
    });
    let total: f64 = parts.iter().sum();
    let [idle, free, granted_off, held_off, held] = parts.map(|ns| ns / total);
    let covered = if window_ns > 0 { total / window_ns as f64 } else { 0.0 };
    (total > 0.0).then_some(TimeShares { idle, free, granted_off, held_off, held, covered })
}

fn gaps(windows: impl Iterator<Item = Gaps>) -> Option<Gaps> {
    windows.reduce(|sum, one| Gaps {
        above_ns: sum.above_ns.max(one.above_ns),
        holding: sum.holding.saturating_add(one.holding),
        waiting: sum.waiting.saturating_add(one.waiting),
        thinking: sum.thinking.saturating_add(one.thinking),
        total_ns: sum.total_ns.saturating_add(one.total_ns),
        longest_ns: sum.longest_ns.max(one.longest_ns),
    })
}

fn times<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Option<Times> {
    let waits = Waits::of(histograms);
    let mut at_least = Vec::new();
    let mut take = |name: &str, percentile: Option<Percentile>| {
        let percentile = percentile?;
        if percentile.at_least {
            at_least.push(name.to_owned());
        }
        Some(percentile.ns)
    };
    let max = take("max", waits.max());
    max?;
    let mut of = |name, quantile| take(name, waits.percentile(quantile));
    let (p50, p90, p99) = (of("p50", 0.5), of("p90", 0.9), of("p99", 0.99));
    let (p999, p9999, p99999) = (of("p999", 0.999), of("p9999", 0.9999), of("p99999", 0.99999));
    Some(Times { p50, p90, p99, p999, p9999, p99999, max, at_least, samples: waits.samples })
}

fn vcpus(windows: &[Traced<'_>]) -> Vec<VcpuShare> {
    let most = windows.iter().map(|(.., causes)| causes.vcpus.len()).max().unwrap_or(0);
    let of = |vcpu: usize| {
        let all = || windows.iter().filter_map(move |(.., causes)| causes.vcpus.get(vcpu));
        let medians = |of: fn(&crate::record::VcpuCauses) -> Option<u64>| {
            median(&all().filter_map(of).map(|ns| ns as f64).collect::<Vec<_>>())
        };
        let longest = all().max_by_key(|one| one.acquire_max_ns);
        VcpuShare {
            operations: sum(windows
                .iter()
                .filter_map(|(selected, _)| selected.measured.operations.get(vcpu).copied())),
            preempted_holding: sum(all().map(|one| one.preempted_holding)),
            preempted_waiting: sum(all().map(|one| one.preempted_waiting)),
            granted_off: sum(all().map(|one| one.granted_off)),
            granted_off_ns: sum(all().map(|one| one.granted_off_ns)),
            acquire_p50_ns: medians(|one| one.acquire_p50_ns),
            acquire_p99_ns: medians(|one| one.acquire_p99_ns),
            acquire_max_ns: longest.map_or(0, |one| one.acquire_max_ns),
            acquire_max_at_least: longest.is_some_and(|one| one.acquire_max_at_least),
            hold_p50_ns: medians(|one| one.hold_p50_ns),
            hold_p99_ns: medians(|one| one.hold_p99_ns),
            hold_max_ns: all().map(|one| one.hold_max_ns).max().unwrap_or(0),
            handover_p50_ns: medians(|one| one.handover_p50_ns),
            handover_p99_ns: medians(|one| one.handover_p99_ns),
            handover_max_ns: all().map(|one| one.handover_max_ns).max().unwrap_or(0),
        }
    };
    (0..most).map(of).collect()
}

fn matrix<'a>(windows: impl Iterator<Item = &'a Vec<Handovers>>) -> Vec<Handovers> {
    let mut pairs: BTreeMap<(u32, u32), Vec<(f64, u64)>> = BTreeMap::new();
    for entry in windows.flatten().filter(|entry| entry.count > 0) {
        pairs.entry((entry.from, entry.to)).or_default().push((entry.median_ns as f64, entry.count));
    }
    let pairs = pairs.into_iter().map(|((from, to), mut of)| Handovers {
        from,
        to,
        count: sum(of.iter().map(|(_, count)| *count)),
        median_ns: weighted_median(&mut of).unwrap_or(0.0) as u64,
    });
    pairs.collect()
}
