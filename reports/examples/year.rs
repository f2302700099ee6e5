//! Prints a SYNTHETIC history of a year as JSON lines that can be imported: 365 nights of 300 series, none of it measured.
//!
//! `cargo run -p lockbench-reports --example year | lockbench history import - --history year.db`, then
//! `/usr/bin/time -v lockbench history report --history year.db` shows what the trend page costs.

use std::collections::BTreeMap;

use lockbench_reports::derive::digest::{
    CellDigest, DIGEST_VERSION, Digest, Identity, Measure, Metric, Noise, Reading,
};
use lockbench_reports::judge::history::{Blessing, HistoryLine};
use lockbench_reports::record::{Interval, Status};
use lockbench_reports::statistics::{Random, Trips, interval};

const NIGHTS: usize = 365;
/// As in profiles/nightly.toml.
const ROUNDS: usize = 20;
const LOCKS: [&str; 10] = [
    "ticket",
    "pvops-ticket-patched",
    "pv-ticket",
    "pv-ticket-patched",
    "mcs",
    "queued",
    "pv-queued",
    "std-mutex",
    "tas",
    "pv-byte",
];
/// Places of one vCPU have a rate only; the others have fairness as well: 10 x (10 + 2 x 10) is 300.
const PLACES: [(&str, &str, u32); 20] = [
    ("native", "empty", 1),
    ("native", "short+exp", 1),
    ("native", "lines", 1),
    ("native", "long+exp", 1),
    ("emulated", "short+exp", 1),
    ("emulated", "lines", 1),
    ("kvm", "empty", 1),
    ("kvm", "short+exp", 1),
    ("kvm", "lines", 1),
    ("kvm", "long+exp", 1),
    ("native", "short+exp", 2),
    ("native", "lines", 2),
    ("emulated", "short+exp", 2),
    ("emulated", "short+exp", 3),
    ("emulated", "short+exp", 4),
    ("emulated", "short+exp", 8),
    ("kvm", "short+exp", 2),
    ("kvm", "short+exp", 3),
    ("kvm", "short+exp", 4),
    ("kvm", "short+exp", 8),
];

fn main() {
    let mut random = Random::new(7);
    let machine = Identity {
        cpu_model: "Synthetic Processor 9000".into(),
        arch: "x86_64".into(),
        packages: 1,
        cores: 2,
        pus: 2,
        numa_nodes: 1,
        topology: "Package:1 NUMANode:1 L3(32768KiB):1 Core:2 PU:2".into(),
        hypervisor: "kvm".into(),
    };
    for night in (0..NIGHTS).filter(|night| night % 41 != 17) {
        print(&HistoryLine::Run(digest(night, &machine, &mut random)));
    }
    print(&HistoryLine::Blessing(Blessing {
        machine: machine.key(),
        cells: "mcs".into(),
        run_id: run_id(280),
        reason: "mcs now checks its node's owner, which costs what it costs".into(),
        blessed_at: "2025-10-10T08:00:00Z".into(),
    }));
}

fn print(entry: &HistoryLine) {
    println!("{}", serde_json::to_string(entry).expect("an entry is JSON"));
}

fn date(night: usize) -> String {
    const DAYS: [usize; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (mut month, mut day) = (0, night % 365);
    while day >= DAYS[month] {
        day -= DAYS[month];
        month += 1;
    }
    format!("2025-{:02}-{:02}", month + 1, day + 1)
}

fn run_id(night: usize) -> String {
    format!("{}T031500Z-nightly-{night:04x}", date(night).replace('-', ""))
}

fn digest(night: usize, machine: &Identity, random: &mut Random) -> Digest {
    let kernel = ["6.18.1", "6.18.9", "6.19.2", "7.0.1"][night / 100];
    let environment = BTreeMap::from([
        ("kernel".to_owned(), kernel.to_owned()),
        ("toolchain".to_owned(), format!("rustc 1.{}.0", 95 + night / 60)),
        ("lockbench".to_owned(), format!("0.1.0 {:07x}", night / 3 * 7919)),
    ]);
    // A bad night slows every cell down; a host that moves the pCPUs apart, every cell that uses two.
    let bad = if random.below(40) == 0 { 0.7 } else { 1.0 };
    let trip = if random.below(12) == 0 { 400.0 } else { 84.0 };
    let mut cells = Vec::new();
    for (place, &(env, workload, vcpus)) in PLACES.iter().enumerate() {
        for (lock_place, lock) in LOCKS.iter().enumerate() {
            cells.push(cell(night, place, (env, workload, vcpus), lock_place, lock, bad, trip, random));
        }
    }
    Digest {
        digest_version: DIGEST_VERSION,
        run_id: run_id(night),
        started_at: format!("{}T03:15:00Z", date(night)),
        profile: "nightly".into(),
        machine: machine.clone(),
        environment,
        interrupted: false,
        report: Some(format!("https://ci.example.org/lockbench/{}/report.html", run_id(night))),
        noise: vec![Noise {
            class: "contended".into(),
            env: "native".into(),
            lock: String::new(),
            halts: false,
            floor: 0.04,
        }],
        cells,
        skipped: Vec::new(),
        stopped_after: None,
    }
}

#[expect(clippy::too_many_arguments, reason = "a made-up cell depends on all of them")]
fn cell(
    night: usize,
    place: usize,
    (env, workload, vcpus): (&str, &str, u32),
    lock_place: usize,
    lock: &str,
    bad: f64,
    trip: f64,
    random: &mut Random,
) -> CellDigest {
    let pcpus = vcpus.min(2);
    let over = f64::from(vcpus) / f64::from(pcpus);
    let mut rate = 1.6e8 / (1.0 + lock_place as f64 * 0.3 + place as f64) / over.powi(3);
    // The changes that the trend page should find.
    if lock == "ticket" && workload == "empty" && night >= 150 {
        rate *= 0.88;
    }
    if lock == "pv-queued" && over > 1.0 && (200..320).contains(&night) {
        rate *= 1.45;
    }
    if lock == "mcs" && env == "native" && night >= 280 {
        rate *= 0.91;
    }
    if env == "kvm" && night >= 200 {
        rate *= 1.08;
    }
    let spread = if over > 1.0 { 0.06 } else { 0.015 };
    let far = if pcpus > 1 && trip > 200.0 { 0.4 } else { 1.0 };
    let level = rate * bad * far * (spread * 0.6 * random.normal()).exp();
    let mut measures = Vec::new();
    let trips = Trips::first((pcpus > 1).then_some(trip));
    let mut measure = |metric, of: &mut dyn FnMut() -> f64| {
        let windows: Vec<Reading> = (0..ROUNDS)
            .map(|_| Reading { value: rounded(of()), trips: trips.clone(), count: (rate / 5.0) as u64 })
            .collect();
        let values: Vec<f64> = windows.iter().map(|window| window.value).collect();
        let Interval { median, low, high } = interval(&values).expect("values are finite");
        measures.push(Measure { metric, median, low, high, windows, untold: 0 });
    };
    measure(Metric::Rate, &mut || level * (spread * random.normal()).exp());
    if vcpus > 1 {
        let unfair: f64 = if matches!(lock, "tas" | "std-mutex" | "pv-queued") { 0.2 } else { 0.002 };
        measure(Metric::Fairness, &mut || 1.0 / (1.0 + unfair * (0.2 * random.normal()).exp()));
    }
    let class = match (vcpus, over) {
        (1, _) => "one-vcpu",
        (_, over) if over > 1.0 => "overcommitted",
        _ => "contended",
    };
    let family = if lock.contains("ticket") || lock == "pv-byte" { "ticket" } else { lock };
    CellDigest {
        revision: 1,
        id: format!("{lock}/{env}/{workload}/{vcpus}v:{pcpus}p/compact/pinned"),
        lock: lock.into(),
        family: family.into(),
        env: env.into(),
        class: class.into(),
        halts: false,
        status: Status::Ok,
        reason: None,
        measures,
    }
}

fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().expect("a number")
}
