//! The facts about the machine and the run.

use serde::Serialize;

use super::view::{Table, TableEntry, shown};
use crate::format::{count, counted, duration, percent, significant};
use crate::record::{CostNs, CpuQuota, KvmCosts, LockDescriptor, Results};

/// A group of facts under a heading.
#[derive(Serialize)]
pub(super) struct Group {
    name: &'static str,
    facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Fact {
    name: String,
    value: String,
    code: bool,
}

fn fact(name: &str, value: impl AsRef<str>) -> Option<Fact> {
    let value = shown(value.as_ref());
    (!value.is_empty()).then(|| Fact { name: shown(name), value, code: false })
}

fn positive(name: &'static str, value: f64, show: impl Fn(f64) -> String) -> Option<Fact> {
    if value > 0.0 && value.is_finite() { fact(name, show(value)) } else { None }
}

pub(super) fn groups(results: &Results) -> Vec<Group> {
    let mut groups = vec![
        Group { name: "Run", facts: run(results) },
        Group { name: "Machine", facts: machine(results) },
        Group { name: "System", facts: system(results) },
        Group { name: "Calibration", facts: calibration(results) },
    ];
    groups.extend(
        results.machine.kvm_costs.as_deref().map(|costs| Group { name: "What KVM costs", facts: kvm(costs) }),
    );
    let objects = objects(results);
    if !objects.is_empty() {
        groups.push(Group { name: "Locks of shared objects", facts: objects });
    }
    groups
}

/// Which file each lock was loaded from: two runs with the same name may have measured two locks.
fn objects(results: &Results) -> Vec<Fact> {
    let of = |lock: &LockDescriptor| {
        let object = lock.object.as_ref()?;
        fact(&lock.name, format!("{}, SHA-256 {}", object.file, object.sha256))
    };
    results.locks.iter().filter_map(of).collect()
}

fn run(results: &Results) -> Vec<Fact> {
    // The command is shown whole, word by word, so that a reader can repeat it.
    let command: String = results.command.chars().take(4_000).collect();
    let command = command.split(' ').map(shown).collect::<Vec<_>>().join(" ");
    let ended = match &results.stopped {
        _ if results.interrupted => "before its plan did".into(),
        Some(stopped) => format!("after {}, for its time was up", counted(stopped.rounds as usize, "round")),
        None => "as planned".into(),
    };
    [
        Some(Fact { name: "Command".into(), value: command, code: true }),
        fact("Seed", results.seed.to_string()),
        fact("Profile", &results.profile),
        fact("Rounds", results.rounds.to_string()),
        positive("Window", results.window_ns as f64, duration),
        fact("Started", &results.started_at),
        fact("Ended", &ended),
        results
            .wall_seconds
            .and_then(|seconds| positive("Wall time", seconds, |s| format!("{} s", significant(s)))),
        results.measuring_share.and_then(|share| positive("Of it measuring", share, percent)),
        fact("Run", &results.run_id),
        fact("Schema", results.schema_version.to_string()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn machine(results: &Results) -> Vec<Fact> {
    let machine = &results.machine;
    let counts = format!(
        "{}, {}, {}, {}",
        counted(machine.packages as usize, "package"),
        counted(machine.cores as usize, "core"),
        counted(machine.pus as usize, "CPU"),
        counted(machine.numa_nodes as usize, "NUMA node")
    );
    [
        fact("Processor", &machine.cpu_model),
        fact("Architecture", &machine.arch),
        fact("Counts", counts),
        fact("Topology", &machine.topology),
        fact("Hypervisor", &machine.hypervisor),
        fact("KVM offered", &machine.kvm),
        positive("Memory", machine.memory_bytes as f64, |bytes| {
            format!("{} GiB", significant(bytes / (1_u64 << 30) as f64))
        }),
        fact("SMT", &machine.smt),
        fact(
            "Governor",
            if machine.governor.is_empty() { "not shown by this machine" } else { &machine.governor },
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn system(results: &Results) -> Vec<Fact> {
    let machine = &results.machine;
    [
        fact("Kernel", &machine.kernel),
        fact("Microcode", &machine.microcode),
        fact("System", &machine.os),
        fact("Compiler", &machine.toolchain),
        fact("lockbench", &machine.lockbench),
        fact("Host name", &machine.hostname),
        machine.cpu_quota.as_ref().and_then(quota),
        machine.scheduling.as_ref().and_then(|started| {
            fact("Started with", format!("{}, nice value {}", started.class, started.nice))
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn quota(quota: &CpuQuota) -> Option<Fact> {
    let period = quota.period_ns as f64;
    let of = format!("{} of every {}", duration(quota.cpus * period), duration(period));
    positive("CPU quota", quota.cpus, |cpus| {
        format!("{} CPUs ({of}), in {}", significant(cpus), quota.source)
    })
}

fn calibration(results: &Results) -> Vec<Fact> {
    let calibration = &results.machine.calibration;
    let threshold = calibration.spin_ns * crate::derive::sweep::DEFAULT_SPINS as f64;
    [
        positive("One pause", calibration.pause_ns, duration),
        positive("One spin loop", calibration.spin_ns, duration),
        positive("Kernel's threshold", threshold, |ns| {
            format!("{} loops, {}", count(crate::derive::sweep::DEFAULT_SPINS), duration(ns))
        }),
        positive("Timeslice", calibration.slice_ns, duration),
        positive("Time-stamp counter", calibration.ticks_per_ns, |ticks| {
            format!("{} GHz", significant(ticks))
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn kvm(costs: &KvmCosts) -> Vec<Fact> {
    let cost = |name, cost: &CostNs| {
        let shown =
            |p50| format!("{}; p90 {}, p99 {}", duration(p50), duration(cost.p90), duration(cost.p99));
        positive(name, cost.p50, shown)
    };
    let clocks = if costs.clocks_agree { "the host's" } else { "not the host's" };
    let parameters: Vec<String> =
        costs.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        cost("Doorbell and back", &costs.round_trip_ns),
        cost("Entry", &costs.entry_ns),
        cost("Kick, by event", &costs.kick_event_ns),
        cost("Kick, by exit", &costs.kick_exit_ns),
        positive("Speed of ring 3", costs.ring3_speed, |speed| format!("{} of native", percent(speed))),
        fact("Guest's clock", clocks),
        fact("Parameters", parameters.join(" ")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The table of facilities: what environments need, and whether this machine has it.
pub(super) fn facilities(results: &Results) -> Table {
    let rows = results.machine.facilities.iter().map(|facility| {
        let (badge, class) = if facility.available { ("available", "good") } else { ("missing", "unsure") };
        let state = TableEntry { badge: Some(badge.into()), class: Some(class), ..TableEntry::default() };
        vec![TableEntry::text(&facility.name), state, TableEntry::text(&facility.detail)]
    });
    let mut table = Table::new(
        "Facilities",
        &[("Facility", false), ("State", false), ("How it was verified, or why it is missing", false)],
        rows.collect(),
    );
    table.sortable = false;
    table
}
