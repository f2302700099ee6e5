//! Laws beside measurements, of whole runs: what they are given, and where they do not speak.

use lockbench_reports::derive::derive;
use lockbench_reports::judge::briefs::briefs;
use lockbench_reports::judge::laws::{Standing, band, sentence, standing};
use lockbench_reports::judge::verdicts::judge;
use lockbench_reports::record::{
    Carried, Cell, CellAxes, LawCheck, LawName, Line, Measured, Outcome, Results, Scheduler, Thresholds,
};

use crate::fixture;

/// The fixture's run, with its planned cells and what was measured of them changed.
fn run(plan: impl Fn(&mut CellAxes), measured: impl Fn(&str, &mut Measured)) -> Results {
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        match line {
            Line::Header(header) => header.cells.iter_mut().for_each(&plan),
            Line::Round(round) => {
                if let Outcome::Measured(of) = &mut round.outcome {
                    measured(&round.cell, of);
                }
            }
            _ => {}
        }
    }
    let mut results = derive(lines.into_iter());
    judge(&mut results, Thresholds::default());
    results
}

fn unchanged() -> Results {
    run(|_| {}, |_, _| {})
}

fn cell<'a>(results: &'a Results, id: &str) -> &'a Cell {
    let (start, params) = id.split_once('?').unwrap_or((id, ""));
    let id = format!("{start}/compact/pinned{params}");
    results.cells.iter().find(|cell| cell.axes.id == id).unwrap_or_else(|| panic!("{id}"))
}

fn law(results: &Results, id: &str) -> Option<LawCheck> {
    cell(results, id).law.clone()
}

const EXACT: &str = "ticket/emulated/short+exp/4v:2p?/scheduler=round-robin";

#[test]
fn a_law_stands_beside_a_measurement_and_says_where_it_fails() {
    let results = unchanged();
    let id = "ticket/emulated/short+exp/4v:2p";
    let ticket = law(&results, id).unwrap();
    assert_eq!((ticket.law, ticket.predicted.median), (LawName::FifoSpin, 500.0));
    assert_eq!(standing(cell(&results, id), &ticket), Standing::Inside, "{ticket:?}");
    assert!(ticket.ratio.low < ticket.ratio.median && ticket.ratio.median < ticket.ratio.high);
    let id = "ticket/emulated/short+exp/3v:2p";
    assert_eq!(standing(cell(&results, id), &law(&results, id).unwrap()), Standing::Fails);
    assert_eq!(law(&results, "pv-ticket/emulated/short+exp/4v:2p").unwrap().law, LawName::FifoHalt);
    for id in [
        "tas/emulated/short+exp/4v:2p",
        "ticket/native/short+exp/2v:2p",
        "std-mutex/emulated/short+exp/4v:2p",
    ] {
        assert_eq!(law(&results, id), None, "{id}");
    }
    let sleeper = results.locks.iter().find(|lock| lock.name == "pv-ticket").unwrap();
    assert_eq!(sleeper.paravirt, Carried::On);
}

/// Laws are those of one lock: nobody may wait at another one meanwhile.
#[test]
fn no_law_speaks_of_several_locks() {
    let several = run(|axes| (axes.workload.section, axes.workload.locks) = ("many".into(), 64), |_, _| {});
    assert!(several.cells.iter().all(|cell| cell.law.is_none()));
}

/// In the exact slices of the emulated hypervisor: handovers per second are P / timeslice, from the timeslice that its log shows and not from the one that was asked for.
#[test]
fn in_round_robin_slices_the_first_law_takes_the_slices_that_were_kept() {
    let results = unchanged();
    let told = law(&results, EXACT).unwrap();
    assert_eq!(told.law, LawName::FifoSpin);
    assert!((told.predicted.median / 200.0 - 1.0).abs() < 0.01, "{told:?}");
    let of = cell(&results, EXACT);
    assert_eq!(standing(of, &told), Standing::Inside, "{told:?}");
    let text = sentence(of, &told);
    assert!(
        text.contains("emulated in round-robin slices of 10 ms") && text.contains("band of 0.65 to 1.05"),
        "{text}"
    );
    for (slice_ns, kept) in [(1_000_000, 1.0), (2_000_000, 1.1), (5_000_000, 0.98), (30_000_000, 1.0)] {
        let results = run(
            |_| {},
            |id, measured| {
                let Some(schedule) = &mut measured.schedule else { return };
                schedule.slice_ns = slice_ns;
                schedule.slice_ratio = Some([kept, 2.0]);
                let seconds = measured.window_ns as f64 / 1e9;
                let rate = 2e9 / (slice_ns as f64 * kept);
                if id.starts_with("ticket/") {
                    // All of them by one vCPU: a few do not divide evenly.
                    measured.operations.iter_mut().for_each(|operations| *operations = 0);
                    measured.operations[0] = (rate * seconds).round() as u64;
                }
            },
        );
        let told = law(&results, EXACT).unwrap();
        let predicted = 2e9 / (slice_ns as f64 * kept);
        assert!((told.predicted.median / predicted - 1.0).abs() < 1e-6, "{slice_ns}: {told:?}");
        assert!((0.95..=1.05).contains(&told.ratio.median), "{slice_ns}: {told:?}");
        assert_eq!(standing(cell(&results, EXACT), &told), Standing::Inside, "{slice_ns}");
    }
}

/// What the other schedulers of the hypervisor do, a limit or another virtual machine, no law was made for.
#[test]
fn no_law_speaks_of_other_schedulers_or_of_several_virtual_machines() {
    for scheduler in [Scheduler::Credit, Scheduler::Gang, Scheduler::Quota { cpus: 1.0 }] {
        let results = run(
            |axes| {
                if axes.scheduler == Scheduler::RoundRobin {
                    axes.scheduler = scheduler.clone();
                }
            },
            |_, _| {},
        );
        assert_eq!(law(&results, EXACT), None, "{scheduler:?}");
    }
    let results = run(|axes| axes.neighbours = vec!["hog".into()], |_, _| {});
    assert!(results.cells.iter().all(|cell| cell.law.is_none()));
}

#[test]
fn a_law_fails_where_the_schedule_was_not_kept() {
    let told = law(&unchanged(), "ticket/emulated/short+exp/4v:2p?/scheduler=round-robin/slice=1ms");
    // No window that kept it, no rate: nothing is set against the law.
    assert_eq!(told, None);
    let results = run(
        |_| {},
        |_, measured| {
            if let Some(schedule) = &mut measured.schedule {
                schedule.deviation = Some(0.5);
            }
        },
    );
    let told = law(&results, EXACT).unwrap();
    assert_eq!(told.fails.as_deref(), Some("most windows did not keep the schedule"));
}

/// The slice that a cell's vCPUs had counts, whatever the calibration said and whatever was asked for.
#[test]
fn on_the_kernels_scheduler_the_first_law_takes_the_measured_slice() {
    for slice_ms in [1.0, 3.0, 12.0, 24.0] {
        let results = run(
            |_| {},
            |id, measured| {
                if id.starts_with("ticket/emulated/short+exp/6v:2p") {
                    measured.slice_ns = Some(slice_ms * 1e6);
                }
            },
        );
        let told = law(&results, "ticket/emulated/short+exp/6v:2p").unwrap();
        let predicted = 2e9 / (slice_ms * 1e6 * 2.0);
        assert!((told.predicted.median / predicted - 1.0).abs() < 1e-9, "{slice_ms}: {told:?}");
    }
}

#[test]
fn the_second_law_takes_the_threshold_of_the_cell_and_fails_below_two_to_the_ten() {
    let results = unchanged();
    let spin_ns = results.machine.calibration.spin_ns;
    for exponent in 8..15 {
        let loops = 1_u32 << exponent;
        let id = format!("pv-ticket/emulated/short+exp/8v:2p?/spin-threshold={loops}");
        let told = law(&results, &id).unwrap();
        assert_eq!(told.law, LawName::FifoHalt);
        let predicted = 2e9 / (f64::from(loops) * spin_ns);
        assert!((told.predicted.median / predicted - 1.0).abs() < 1e-9, "{loops}: {told:?}");
        let fails = told.fails.as_deref();
        assert_eq!(fails == Some("under 2^10 loops wake-ups decide"), exponent < 10, "{loops}: {fails:?}");
    }
    let alone = law(&results, "pv-ticket/emulated/short+exp/3v:2p").unwrap();
    assert_eq!(alone.fails.as_deref(), Some("a waiter can sleep alone while the others run"));
}

/// A long section beside a short threshold: the sections decide, though both are short beside a timeslice.
#[test]
fn the_second_law_fails_where_a_request_is_not_short_beside_the_threshold() {
    let results = run(|axes| axes.workload.section_ns = 60_000.0, |_, _| {});
    let told = law(&results, "pv-ticket/emulated/short+exp/8v:2p?/spin-threshold=4096").unwrap();
    assert_eq!(told.fails.as_deref(), Some("a request is not short beside the spin threshold"));
    let spinning = law(&results, "ticket/emulated/short+exp/4v:2p").unwrap();
    assert_eq!(spinning.fails, None, "short beside a timeslice all the same");
}

#[test]
fn the_second_law_fails_where_switches_are_not_short_beside_the_threshold() {
    let id = "pv-ticket/emulated/short+exp/4v:2p?/scheduler=round-robin";
    let fails = |switch_ns: f64| {
        let results = run(
            |_| {},
            |_, measured| {
                if let Some(schedule) = &mut measured.schedule {
                    schedule.switch_ns = Some([switch_ns, switch_ns]);
                }
            },
        );
        law(&results, id).unwrap().fails
    };
    assert_eq!(fails(2_000.0), None);
    let why = fails(200_000.0);
    assert_eq!(
        why.as_deref(),
        Some("the emulated hypervisor's switches are not short beside the spin threshold")
    );
}

/// Every law that is told on the first screen holds for its cell, in runs with and without kvm and at any step.
#[test]
fn the_first_screen_tells_no_law_that_fails() {
    for (vcpus, told) in [(3, false), (4, true), (6, true)] {
        for with_kvm in [true, false] {
            let mut lines = fixture::lines(7, 1.0);
            if let Some(Line::Header(header)) = lines.first_mut() {
                header.cells.retain(|cell| {
                    (cell.vcpus <= 2 || cell.vcpus == vcpus)
                        && (with_kvm || cell.env != "kvm")
                        && cell.scheduler == Scheduler::Host
                });
            }
            let mut results = derive(lines.into_iter());
            judge(&mut results, Thresholds::default());
            let why = briefs(&results).into_iter().find(|brief| brief.word == "why").unwrap();
            assert_eq!(why.said.contains("predicts"), told, "{vcpus}, {with_kvm}: {}", why.said);
        }
    }
    assert_eq!(band(cell(&unchanged(), EXACT), LawName::FifoHalt), [0.65, 1.45]);
}
