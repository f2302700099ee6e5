//! Answer 1: what is left of a lock's rate when its vCPUs outnumber the pCPUs, for plain FIFO locks and for the user's own.

use super::{Statement, against, basis, main_factor_first, with_interval};
use crate::derive::roster::{own, plain_fifo};
use crate::derive::setting::{Setting, environments, main_setting};
use crate::format::{overcommit, percent, vcpus_on};
use crate::judge::comparison::{Comparison, compare};
use crate::record::{Cell, Results};

pub(super) fn statements(results: &Results) -> Vec<Statement> {
    let mut statements = Vec::new();
    for env in environments(results) {
        let Some(setting) = main_setting(results, env) else { continue };
        let factors = main_factor_first(setting.above_one());
        let plain: Vec<&str> = plain_fifo(results).collect();
        // Of the user's own locks all are told, whatever their order: it is of them that the user asks.
        let own = own(results).filter(|lock| !plain.contains(lock));
        for lock in plain.iter().copied().chain(own) {
            statements.extend(of_lock(results, &setting, lock, &factors));
        }
    }
    if statements.is_empty() {
        statements
            .push(Statement::missing("no plain FIFO lock was run above 1x overcommit outside of a scenario"));
    }
    statements
}

fn of_lock(results: &Results, setting: &Setting<'_>, lock: &str, factors: &[f64]) -> Option<Statement> {
    let mut told = factors.iter().filter_map(|&k| {
        let above = setting.at(lock, k)?;
        let one = setting.at_one(above)?;
        Some((k, above, one, compare(results, above, one)))
    });
    let (k, above, one, efficiency) = told.next()?;
    let mut text = sentence(k, above, one, &efficiency);
    for (k, _, _, efficiency) in told {
        if let Some(kept) = with_interval(&efficiency, percent) {
            text.push_str(&format!(" At {}: {kept}.", overcommit(k)));
        }
    }
    Some(Statement::new(text, Some(efficiency.verdict)))
}

fn sentence(k: f64, above: &Cell, one: &Cell, efficiency: &Comparison) -> String {
    let axes = &above.axes;
    let at = format!(
        "{}, {}, {} ({})",
        axes.told_env(),
        axes.workload.name,
        vcpus_on(axes.vcpus, axes.pcpus.len()),
        overcommit(k)
    );
    match with_interval(efficiency, percent) {
        Some(kept) => format!(
            "{at}: {} keeps {kept} of its 1x rate, where 100 % would be fair: {} ({}).",
            axes.lock,
            against(above, one),
            basis(efficiency)
        ),
        None => {
            format!("{at}: what {} keeps of its 1x rate cannot be told: {}.", axes.lock, against(above, one))
        }
    }
}
