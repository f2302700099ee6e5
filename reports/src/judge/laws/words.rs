//! Laws and their predictions in words.

use super::{Standing, fifo_halt, fifo_spin};
use crate::format::{duration, overcommit, range, rate, ratio};
use crate::record::{Cell, LawCheck, LawName, Scheduler};

/// Where a measured rate stands beside its law.
pub fn standing(cell: &Cell, check: &LawCheck) -> Standing {
    let [low, high] = band(cell, check.law);
    match check.ratio {
        _ if check.fails.is_some() => Standing::Fails,
        ratio if ratio.low >= low && ratio.high <= high => Standing::Inside,
        ratio if ratio.high < low || ratio.low > high => Standing::Outside,
        _ => Standing::Untold,
    }
}

/// The law in a few words.
pub fn name(law: LawName) -> &'static str {
    match law {
        LawName::FifoSpin => "waits for the scheduler",
        LawName::FifoHalt => "spends its spin threshold",
    }
}

/// Prediction, measurement, their ratio and the band, in one sentence.
pub fn sentence(cell: &Cell, check: &LawCheck) -> String {
    let [low, high] = band(cell, check.law);
    let measured = cell.ops_per_second.map_or_else(|| "nothing".into(), |ops| rate(ops.median));
    let verdict = match standing(cell, check) {
        Standing::Inside => format!("inside the law's band of {low} to {high}"),
        Standing::Outside => format!("outside the law's band of {low} to {high}"),
        Standing::Untold => format!("across an end of the law's band of {low} to {high}"),
        Standing::Fails => match &check.fails {
            Some(why) => format!("a case where the law fails: {why}"),
            None => String::new(),
        },
    };
    format!(
        "{} at {}, {}: {} predicted from {}, {measured} measured, {} ({}) times as much, {verdict}.",
        cell.axes.lock,
        overcommit(cell.axes.overcommit),
        cell.axes.told_env(),
        rate(check.predicted.median),
        input(cell, check),
        ratio(check.ratio.median),
        range(check.ratio, ratio),
    )
}

/// What the prediction was made from.
fn input(cell: &Cell, check: &LawCheck) -> String {
    let pcpus = cell.axes.pcpus.len() as u32;
    let s = if pcpus == 1 { "" } else { "s" };
    match check.law {
        LawName::FifoSpin => {
            let wait = match cell.axes.scheduler {
                Scheduler::RoundRobin => Some(1.0 / f64::from(pcpus)),
                _ => fifo_spin::wait_slices(pcpus, cell.axes.overcommit),
            };
            let wait = wait.unwrap_or(f64::NAN);
            let slice = 1e9 / check.predicted.median / wait;
            format!("a timeslice of {} on {pcpus} pCPU{s}", duration(slice))
        }
        LawName::FifoHalt => {
            let threshold = f64::from(pcpus) * 1e9 / check.predicted.median;
            format!("a spin threshold of {} on {pcpus} pCPU{s}", duration(threshold))
        }
    }
}

/// Between which ratios of measured to predicted rate a law holds for a cell.
pub fn band(cell: &Cell, law: LawName) -> [f64; 2] {
    match (law, &cell.axes.scheduler) {
        (LawName::FifoSpin, Scheduler::RoundRobin) => fifo_spin::EXACT_BAND,
        (LawName::FifoSpin, _) => fifo_spin::BAND,
        (LawName::FifoHalt, _) => fifo_halt::BAND,
    }
}
