//! Chooses the traced cells that a plot shows.

use crate::derive::setting::{above, environments, main_setting, same};
use crate::derive::timeline::uncounted;
use crate::format::overcommit;
use crate::record::{Cell, CellCauses, Machine, Results};

/// The traced cells of one environment at one step of overcommit, a cell for each lock.
pub(super) struct Traced<'a> {
    pub(super) env: &'a str,
    pub(super) overcommit: f64,
    pub(super) locks: Vec<(&'a Cell, &'a CellCauses)>,
}

impl Traced<'_> {
    /// `emulated, 2x`.
    pub(super) fn place(&self) -> String {
        let env = self.locks.first().map_or_else(|| self.env.to_owned(), |(cell, _)| cell.axes.told_env());
        if above(self.overcommit) {
            format!("{env}, {}", overcommit(self.overcommit))
        } else {
            format!("{env}, without overcommit")
        }
    }
}

/// For each environment the step of overcommit at which most locks were traced; of equals 2x, then the smallest above 1x.
pub(super) fn by_environment(results: &Results) -> Vec<Traced<'_>> {
    environments(results)
        .into_iter()
        .filter_map(|env| {
            let setting = main_setting(results, env)?;
            let mut factors = setting.above_one();
            factors.sort_by_key(|k| !same(*k, 2.0));
            factors.push(1.0);
            let at = |k: f64| Traced {
                env,
                overcommit: k,
                locks: setting
                    .locks()
                    .into_iter()
                    .filter_map(|lock| setting.at(lock, k))
                    .filter_map(|cell| Some((cell, cell.causes.as_ref()?)))
                    .collect(),
            };
            let steps = factors.into_iter().map(at).filter(|traced| !traced.locks.is_empty());
            steps.reduce(|best, next| if next.locks.len() > best.locks.len() { next } else { best })
        })
        .collect()
}

/// The environment and step that say most about preemption: above 1x, then with most locks.
pub(super) fn main(results: &Results) -> Option<Traced<'_>> {
    most(by_environment(results).into_iter())
}

/// Of several the one that says most about preemption.
pub(super) fn most<'a>(traced: impl Iterator<Item = Traced<'a>>) -> Option<Traced<'a>> {
    let weight = |traced: &Traced<'_>| (above(traced.overcommit), traced.locks.len());
    traced.reduce(|best, next| if weight(&next) > weight(&best) { next } else { best })
}

/// A sentence that preemptions could not be counted, with the reason; none if they could.
pub(super) fn untold(machine: &Machine, traced: &Traced<'_>) -> Option<String> {
    let own = traced.locks.iter().find_map(|(_, causes)| causes.no_preemptions.as_deref());
    let why = own.or_else(|| uncounted(machine, traced.env))?;
    Some(format!("Holder and waiter preemption could not be told in {}: {why}.", traced.env))
}
