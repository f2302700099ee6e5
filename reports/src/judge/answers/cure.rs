//! Answer 2: what a paravirtual lock gains over the plain one, and how that depends on its spin threshold.

use super::{Statement, against, basis, main_factor_first, with_interval};
use crate::derive::roster::cures;
use crate::derive::setting::{Setting, environments, main_setting};
use crate::derive::sweep::{DEFAULT_SPINS, Sweep, loops, sweeps};
use crate::format::{duration, overcommit, range, rate, ratio, vcpus_on};
use crate::judge::comparison::compare;
use crate::record::Results;

pub(super) fn statements(results: &Results) -> Vec<Statement> {
    let mut statements = Vec::new();
    for env in environments(results) {
        let Some(setting) = main_setting(results, env) else { continue };
        let factors = main_factor_first(setting.above_one());
        for pair in cures(results) {
            statements.extend(of_pair(results, &setting, pair.lock, pair.plain, &factors));
        }
        let mut cures: Vec<&str> = cures(results).map(|pair| pair.lock).collect();
        cures.dedup();
        for cure in cures {
            let sweeps = sweeps(results, &setting, cure);
            let longest = sweeps.iter().rev().max_by_key(|sweep| sweep.steps.len());
            statements.extend(longest.and_then(|sweep| of_sweep(results, cure, sweep)));
        }
    }
    if statements.is_empty() {
        statements.push(Statement::missing(
            "no paravirtual lock was run beside its plain one above 1x overcommit outside of a scenario",
        ));
    }
    statements
}

fn of_pair(
    results: &Results,
    setting: &Setting<'_>,
    cure: &str,
    plain: &str,
    factors: &[f64],
) -> Option<Statement> {
    let mut told = factors.iter().filter_map(|&k| {
        let (cured, ill) = (setting.at(cure, k)?, setting.at(plain, k)?);
        Some((k, cured, ill, compare(results, cured, ill)))
    });
    let (k, cured, ill, gain) = told.next()?;
    let axes = &cured.axes;
    let at = format!(
        "{}, {}, {} ({})",
        axes.told_env(),
        axes.workload.name,
        vcpus_on(axes.vcpus, axes.pcpus.len()),
        overcommit(k)
    );
    let mut text = match with_interval(&gain, ratio) {
        Some(times) => {
            format!(
                "{at}: {cure} does {times} times the rate of {plain}{}: {} ({}).",
                whose(results, plain),
                against(cured, ill),
                basis(&gain)
            )
        }
        None => format!("{at}: {cure} to {plain} cannot be told: {}.", against(cured, ill)),
    };
    for (k, _, _, gain) in told {
        if let Some(times) = with_interval(&gain, ratio) {
            text.push_str(&format!(" At {}: {times} times.", overcommit(k)));
        }
    }
    Some(Statement::new(text, Some(gain.verdict)))
}

/// Whose lock it is, in brackets; nothing where the record does not say.
fn whose(results: &Results, lock: &str) -> String {
    let owner = results.lock(lock).and_then(|lock| lock.lock_of.as_deref());
    owner.map_or_else(String::new, |owner| format!(" (the lock of {owner})"))
}

fn of_sweep(results: &Results, cure: &str, sweep: &Sweep<'_>) -> Option<Statement> {
    let median = |cell: &crate::record::Cell| cell.ops_per_second.map_or(0.0, |ops| ops.median);
    let best = sweep.steps.iter().max_by(|a, b| median(a.1).total_cmp(&median(b.1)))?;
    let worst = sweep.steps.iter().min_by(|a, b| median(a.1).total_cmp(&median(b.1)))?;
    let (first, last) = (sweep.steps.first()?, sweep.steps.last()?);
    let spin_ns = results.machine.calibration.spin_ns;
    let loops_of = |spins: u64| match spin_ns > 0.0 && spin_ns.is_finite() {
        true => format!("{} loops ({})", loops(spins), duration(spins as f64 * spin_ns)),
        false => format!("{} loops", loops(spins)),
    };
    let of = |step: &(u64, &crate::record::Cell)| {
        let ops = step.1.ops_per_second?;
        Some(format!("{} ({}) at {}", rate(ops.median), range(ops, rate), loops_of(step.0)))
    };
    let mut text = format!(
        "{}: the rate of {cure} at {} depends on its spin threshold. From {} to {} loops it runs from {} to {}.",
        first.1.axes.told_env(),
        overcommit(sweep.overcommit),
        loops(first.0),
        loops(last.0),
        of(worst)?,
        of(best)?
    );
    let kernel = sweep.steps.iter().find(|step| step.0 == DEFAULT_SPINS && step.0 != best.0);
    let gain = kernel.map(|kernel| compare(results, best.1, kernel.1));
    if let Some(times) = gain.as_ref().and_then(|gain| with_interval(gain, ratio)) {
        text.push_str(&format!(" The best is {times} times the kernel's {}.", loops(DEFAULT_SPINS)));
    }
    Some(Statement::new(text, gain.map(|gain| gain.verdict)))
}
