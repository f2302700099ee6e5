//! Lock-waiter preemption: frequent in a FIFO lock, rare in a lock without an order of admission.

use serde_json::Value;

use crate::program::{cells, rate, run};
use crate::report;

/// Sums over a cell's traced windows.
#[derive(Default)]
struct Sums {
    handovers: f64,
    granted_off: f64,
    preempted_holding: f64,
    operations: f64,
    /// Largest deviation of the sum of a window's five parts from the window's length.
    off_by: f64,
}

fn sums(cell: &Value) -> Sums {
    let mut sums = Sums::default();
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    for round in cell["rounds"].as_array().into_iter().flatten().filter(|round| round["purpose"] == "trace") {
        let causes = &round["causes"];
        sums.handovers += number(&causes["handovers"]);
        sums.granted_off += number(&causes["granted_off"]);
        sums.preempted_holding += number(&round["counters"]["preempted_holding"]);
        sums.operations += round["operations"].as_array().into_iter().flatten().map(number).sum::<f64>();
        let parts: f64 =
            causes["time"].as_object().into_iter().flat_map(|time| time.values()).map(number).sum();
        sums.off_by = sums.off_by.max((parts / number(&round["window_ns"]) - 1.0).abs());
    }
    sums
}

pub(crate) fn report_all() {
    let price =
        run("--locks ticket --envs native --vcpus 1 --workloads empty,short --rounds 7 --trace --latency");
    for cell in price["cells"].as_array().into_iter().flatten() {
        let of = |purpose: &str| {
            let rounds = cell["rounds"].as_array().into_iter().flatten();
            let mut rates: Vec<f64> = rounds
                .filter(|round| round["purpose"] == purpose)
                .filter_map(|round| {
                    Some(round["operations"][0].as_f64()? / round["window_ns"].as_f64()? * 1e9)
                })
                .collect();
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN) / rate(cell)
        };
        let what =
            format!("ticket, 1 vCPU, {}: rate with times, with events : without", cell["workload"]["name"]);
        report(
            &what,
            format!("{:.2}, {:.2}", of("latency"), of("trace")),
            "none: windows of their own",
            true,
        );
    }
    let results = run(
        "--locks ticket,mcs,tas --envs emulated,kvm --overcommit 2,3,4 --rounds 8 --window 200ms --trace",
    );
    for env in ["emulated", "kvm"] {
        for lock in ["ticket", "mcs", "tas"] {
            for cell in cells(&results, lock, env) {
                let sums = sums(cell);
                let k = cell["overcommit"].as_f64().unwrap_or(f64::NAN);
                report(
                    &format!("{lock} at {k}x, {env}: five parts against the window"),
                    format!("off by {:.2} % at worst", 100.0 * sums.off_by),
                    "<= 1 %",
                    sums.off_by <= 0.01,
                );
                let figure = format!(
                    "{} of {} grants off, {} holding",
                    sums.granted_off, sums.handovers, sums.preempted_holding
                );
                if lock == "tas" {
                    let share = sums.granted_off / sums.operations;
                    let what = format!("{lock} at {k}x, {env}: grants to vCPUs off their pCPU");
                    report(&what, figure, "<= 0.1 % of acquisitions", share <= 0.001);
                } else {
                    let share = sums.granted_off / sums.handovers;
                    let bound = format!(">= {:.2}, and 10x holders", 1.0 - 1.0 / k);
                    let dwarfs = sums.granted_off >= 10.0 * sums.preempted_holding;
                    let what = format!("{lock} at {k}x, {env}: grants to vCPUs off their pCPU: {share:.2}");
                    report(&what, figure, &bound, share >= 1.0 - 1.0 / k && dwarfs);
                }
            }
        }
    }
}
