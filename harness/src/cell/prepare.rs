//! A window's arena: its memory, and what is written into it once the memory is bound.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::Start;
use lockbench_workloads::arena::{Extent, Layout, MAGIC, Plan, THINK_ENTRIES};
use lockbench_workloads::locks::Params;
use lockbench_workloads::ticks;
use lockbench_workloads::workload::{Locks, Section, Think};
use rustix::param::page_size;

use super::{WindowSpec, handed};
use crate::Refusal;
use crate::arena::{Blank, Memory};
use crate::axes::{Lock, SliceExtension};

/// Pages that sections touch in turn, a power of two: so many that holes are made for hundreds of sections at a time, and few enough
/// that they fit into any machine.
const TOUCHED: usize = 2048;

/// Memory for the arena of `spec`, no page of which was touched yet.
pub(super) fn arena(spec: &WindowSpec, lock: Lock) -> Result<Blank, Refusal> {
    let values = &spec.axes.values;
    let workload = &values.workload;
    let extent = Extent {
        vcpus: spec.axes.vcpus as usize,
        lines: workload.lines as usize,
        detail: spec.detail(),
        pcpus: if spec.pinned() { spec.axes.pcpus.len() } else { 0 },
        nodes: if spec.pinned() { spec.nodes().len() } else { 0 },
        page: values.pages.bytes(),
        touch_step: page_size(),
        apart: !spec.data_nodes.is_empty(),
        touched: if workload.section.touches { TOUCHED } else { 0 },
        locks: workload.locks as usize,
        shares_blocks: lock.family.shares_blocks,
    };
    let family = lock.family;
    let layout = family.lock_for(extent.vcpus).and_then(|lock| Layout::new(lock, family.per_vcpu, &extent));
    let layout = layout.ok_or_else(|| {
        "the lock asks for an alignment above 128 bytes, which the arena does not give".to_owned()
    })?;
    // Arrivals and sleeps are times, in ticks; think time is work, in steps.
    let unit_ns =
        if workload.think.open || workload.think.sleeps { 1.0 / spec.ticks_per_ns } else { spec.work_ns };
    let plan = Plan {
        magic: MAGIC,
        layout,
        params: Params {
            spin_threshold: values.spin_threshold.0,
            early_wait: values.early_wait,
            hypervisor: lock.halts_in(values.env),
            ticks_per_us: (spec.ticks_per_ns * 1e3).round() as u32,
            vcpus: spec.axes.vcpus,
        },
        section_work: steps(workload.section_ns, spec.work_ns),
        varies: workload.section.quantile.is_some(),
        writes: workload.lines > 0 || workload.section.touches,
        touched: extent.touched,
        page: extent.touch_step,
        memory_page: extent.page,
        section_ticks: (workload.section_ns * spec.ticks_per_ns) as u64,
        gap_ticks: (spec.gap_ns() * spec.ticks_per_ns) as u64,
        kick_cost_ticks: (values.kick_cost.ns as f64 * spec.ticks_per_ns) as u64,
        alone: workload.section.alone,
        pauses: values.spin.pauses(),
        extends: values.slice_extension == SliceExtension::On,
        lines: workload.lines,
        start_queued: spec.start == Start::Queued,
        thinks: workload.think_ns > 0.0,
        open: workload.think.open,
        sleeps: workload.think.sleeps,
        draws: spec.draws,
        think: think_table(workload.think, workload.think_ns, unit_ns),
        section: section_table(workload.section, workload.section_ns, spec.work_ns),
        locks: workload.locks,
        nests: workload.section.locks == Locks::Nested,
        picks: workload.picks(),
    };
    Blank::create(plan)
}

/// Writes the plan, and everything else that must stand in the arena before vCPUs run; the gate stays closed.
pub(super) fn write(memory: &mut Memory, spec: &WindowSpec) {
    let header = memory.write_plan();
    header.gate.hold = u32::from(spec.start == Start::Queued).into();
    // No vCPU has this number, so that the first acquisition is not counted as a second one in a row.
    header.time.start(ticks());
    for data in memory.each_data() {
        data.owner.store(u32::MAX, Relaxed);
    }
    for (block, node) in memory.blocks().zip(&spec.vcpu_nodes) {
        block.env.node.store(*node, Relaxed);
    }
    handed::number_nodes(memory, spec);
}

fn steps(ns: f64, work_ns: f64) -> u32 {
    (ns / work_ns).round().min(f64::from(u32::MAX)) as u32
}

/// Quantiles of the section's steps, in units of `unit_ns`, with the mean that was asked for; zeros where it has one length.
fn section_table(section: &Section, mean_ns: f64, unit_ns: f64) -> [u32; THINK_ENTRIES] {
    let Some(quantile) = section.quantile else { return [0; THINK_ENTRIES] };
    let lengths: [f64; THINK_ENTRIES] =
        std::array::from_fn(|i| quantile((i as f64 + 0.5) / THINK_ENTRIES as f64));
    let scale = mean_ns * THINK_ENTRIES as f64 / lengths.iter().sum::<f64>();
    lengths.map(|length| steps(length * scale, unit_ns))
}

/// Quantiles of the think time, in units of `unit_ns`, at the middle of [`THINK_ENTRIES`] equal parts.
fn think_table(think: &Think, mean_ns: f64, unit_ns: f64) -> [u32; THINK_ENTRIES] {
    std::array::from_fn(|i| {
        let u = (i as f64 + 0.5) / THINK_ENTRIES as f64;
        steps(mean_ns * (think.quantile)(u, f64::ln), unit_ns)
    })
}

#[cfg(test)]
mod tests {
    use lockbench_workloads::workload::{SECTIONS, THINKS};

    use super::*;

    #[test]
    fn a_heavy_tail_has_the_mean_asked_for_and_a_section_of_68_times_it() {
        let section = |name| SECTIONS.iter().find(|section| section.name == name).unwrap();
        let table = section_table(section("tail"), 1000.0, 0.5);
        let mean = table.iter().map(|&steps| f64::from(steps)).sum::<f64>() / THINK_ENTRIES as f64;
        assert!((mean - 2000.0).abs() < 2.0, "mean {mean}");
        let (median, longest) = (f64::from(table[THINK_ENTRIES / 2]), f64::from(table[THINK_ENTRIES - 1]));
        assert!(median < 0.3 * mean && (longest / mean - 68.0).abs() < 1.0, "{median}, {longest} of {mean}");
        assert!(section_table(section("work"), 1000.0, 0.5).iter().all(|&steps| steps == 0));
    }

    #[test]
    fn exponential_think_times_have_the_mean_asked_for() {
        let think = |name| THINKS.iter().find(|think| think.name == name).unwrap();
        let table = think_table(think("exp"), 1000.0, 1.0);
        let mean = table.iter().map(|&steps| f64::from(steps)).sum::<f64>() / THINK_ENTRIES as f64;
        assert!((mean - 1000.0).abs() < 5.0, "mean {mean}");
        assert!(table[0] < 5 && table[THINK_ENTRIES - 1] > 6000, "the tail is missing: {table:?}");
        assert!(think_table(think("fixed"), 300.0, 2.0).iter().all(|&steps| steps == 150));
    }
}
