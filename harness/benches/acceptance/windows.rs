//! What a window measures does not depend on its length, and ends when it should.

use crate::program::{cells, interval, rate, run};
use crate::report;

pub(crate) fn report_all() {
    let short = run("--locks ticket --envs emulated --overcommit 2 --rounds 8 --window 150ms --seed 1");
    let long = run("--locks ticket --envs emulated --overcommit 2 --rounds 8 --window 300ms --seed 1");
    let pick = |results| cells(results, "ticket", "emulated").next().map(|cell| (rate(cell), interval(cell)));
    if let (Some((a, (a_low, a_high))), Some((b, (b_low, b_high)))) = (pick(&short), pick(&long)) {
        let overlap = a_low <= b_high && b_low <= a_high;
        let figure = format!("{a:.0} ({a_low:.0}-{a_high:.0}) : {b:.0} ({b_low:.0}-{b_high:.0})");
        report("ticket at 2x: rate over 150 ms : rate over 300 ms", figure, "intervals overlap", overlap);
    }
    let crowd = run("--locks ticket --envs emulated --overcommit 64 --rounds 5 --pcpus 0");
    let closing: Vec<f64> = crowd["cells"][0]["rounds"]
        .as_array()
        .map(|rounds| {
            rounds.iter().filter_map(|round| round["closing_ns"].as_f64()).map(|ns| ns / 1e6).collect()
        })
        .unwrap_or_default();
    let worst = closing.iter().copied().fold(0.0, f64::max);
    let figure = format!("{worst:.1} ms worst of {}", closing.len());
    report(
        "ticket, 64 vCPUs on a pCPU: from the window's end to the kill",
        figure,
        "<= 100 ms, each",
        closing.len() == 5 && worst <= 100.0,
    );
}
