//! One `quick` run, judged by what it must show.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::program::{cells, rate};
use crate::report;

/// The cell of a lock at about this overcommit, with more than one vCPU and the short section.
fn at(results: &Value, lock: &str, env: &str, overcommit: f64) -> Option<f64> {
    let cell = cells(results, lock, env).find(|cell| {
        cell["overcommit"].as_f64().is_some_and(|k| (k - overcommit).abs() < 0.01)
            && cell["vcpus"].as_u64().is_some_and(|n| n > 1)
            && cell["workload"]["name"] == "short"
    })?;
    Some(rate(cell))
}

fn one_vcpu_empty(results: &Value, lock: &str) -> Option<f64> {
    let cell = cells(results, lock, "native")
        .find(|cell| cell["vcpus"] == 1 && cell["workload"]["name"] == "empty")?;
    Some(1e9 / rate(cell))
}

pub(crate) fn report_all() {
    let out = tempfile::tempdir().expect("a directory");
    let began = std::time::Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_lockbench"))
        .args(["suite", "--profile", "quick", "--out"])
        .arg(out.path())
        .stdout(std::process::Stdio::null())
        .status()
        .expect("the program starts");
    let wall = began.elapsed().as_secs_f64();
    let run = fs::read_dir(out.path()).expect("readable").next().expect("a run").expect("an entry").path();
    let results: Value =
        serde_json::from_slice(&fs::read(run.join("results.json")).expect("results")).expect("JSON");

    report(
        "quick: wall time, exit status 0",
        format!("{wall:.1} s, {status}"),
        "<= 60 s",
        wall <= 60.0 && status.success(),
    );
    let share = results["measuring_share"].as_f64().unwrap_or(0.0);
    report(
        "quick: share of the time inside windows",
        format!("{:.1} %", 100.0 * share),
        ">= 80 %",
        share >= 0.8,
    );
    for env in ["emulated", "kvm"] {
        for lock in ["ticket", "mcs", "queued"] {
            if let (Some(one), Some(two)) = (at(&results, lock, env, 1.0), at(&results, lock, env, 2.0)) {
                let left = two / one;
                report(
                    &format!("{lock}, {env}: rate at 2x : rate at 1x"),
                    format!("{left:.5}"),
                    "<= 0.1",
                    left <= 0.1,
                );
            }
        }
        for (cure, plain) in [("pv-ticket", "ticket"), ("pv-queued", "queued")] {
            if let (Some(cure_rate), Some(plain_rate)) =
                (at(&results, cure, env, 2.0), at(&results, plain, env, 2.0))
            {
                let gain = cure_rate / plain_rate;
                report(&format!("{cure} : {plain} at 2x, {env}"), format!("{gain:.1}"), ">= 5", gain >= 5.0);
            }
        }
    }
    let cost = |lock| one_vcpu_empty(&results, lock);
    if let (Some(ticket), Some(bare), Some(patched), Some(pvops)) =
        (cost("ticket"), cost("pv-ticket-bare"), cost("pv-ticket-patched"), cost("pvops-ticket-patched"))
    {
        let figure = format!("{bare:.2} : {ticket:.2} ns");
        report(
            "native cost: pv-ticket-bare : ticket",
            figure,
            "equal within 3 %",
            (bare / ticket - 1.0).abs() <= 0.03,
        );
        let figure = format!("{patched:.2} : {ticket:.2} ns");
        report("native cost: pv-ticket-patched : ticket", figure, "within 10 %", patched / ticket <= 1.1);
        let figure = format!("{pvops:.2} : {patched:.2} ns");
        report("native cost: pvops-ticket-patched : pv-ticket-patched", figure, "dearer", pvops > patched);
    }
}
