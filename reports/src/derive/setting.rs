//! A setting: the cells of a run that differ only in lock, vCPUs and pCPUs. One plot or one table shows one setting.

use std::collections::BTreeMap;

use crate::record::{Cell, CellAxes, Results, Status};

/// Cells alike in environment, workload, placement, pinning and parameters, in plan order.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The cells; at least one.
    pub cells: Vec<&'a Cell>,
}

impl<'a> Setting<'a> {
    /// The axes of its first cell, for what all its cells share.
    pub fn axes(&self) -> &'a CellAxes {
        &self.cells[0].axes
    }

    /// `emulated, short+exp, compact, pinned`, and the parameters if there are any.
    pub fn title(&self) -> String {
        let axes = self.axes();
        let mut title = format!("{}, {}, {}, {}", axes.env, axes.workload.name, axes.placement, axes.pinning);
        for told in axes.told_params() {
            title.push_str(&format!(", {told}"));
        }
        title
    }

    /// The locks of its cells, in plan order.
    pub fn locks(&self) -> Vec<&'a str> {
        let mut locks: Vec<&str> = Vec::new();
        for cell in &self.cells {
            if !locks.contains(&cell.axes.lock.as_str()) {
                locks.push(&cell.axes.lock);
            }
        }
        locks
    }

    /// The cells of one lock.
    pub fn of(&self, lock: &str) -> impl Iterator<Item = &'a Cell> {
        self.cells.iter().copied().filter(move |cell| cell.axes.lock == lock)
    }

    /// Overcommit factors above 1, ascending.
    pub fn above_one(&self) -> Vec<f64> {
        let mut factors: Vec<f64> =
            self.cells.iter().map(|cell| cell.axes.overcommit).filter(|k| above(*k)).collect();
        factors.sort_by(f64::total_cmp);
        factors.dedup_by(|a, b| same(*a, *b));
        factors
    }

    /// The cell of a lock at an overcommit factor, on as many pCPUs as possible.
    pub fn at(&self, lock: &str, overcommit: f64) -> Option<&'a Cell> {
        self.of(lock)
            .filter(|cell| same(cell.axes.overcommit, overcommit))
            .max_by_key(|cell| cell.axes.pcpus.len())
    }

    /// The cell of the same lock at 1x on the same pCPUs.
    pub fn at_one(&self, cell: &Cell) -> Option<&'a Cell> {
        self.of(&cell.axes.lock)
            .find(|other| same(other.axes.overcommit, 1.0) && other.axes.pcpus == cell.axes.pcpus)
    }

    fn ok(&self) -> usize {
        self.cells.iter().filter(|cell| cell.status == Status::Ok).count()
    }
}

/// All settings of a run, in the plan order of their first cells. The cells of scenarios belong to none.
pub fn settings(results: &Results) -> Vec<Setting<'_>> {
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let mut settings: Vec<Setting<'_>> = Vec::new();
    for cell in results.cells.iter().filter(|cell| cell.axes.case.is_none()) {
        let axes = &cell.axes;
        let key = format!(
            "{:?}",
            (&axes.env, &axes.workload.name, &axes.placement, &axes.pinning, &axes.params, &axes.scheduler)
        );
        match index.get(&key) {
            Some(&at) => settings[at].cells.push(cell),
            None => {
                index.insert(key, settings.len());
                settings.push(Setting { cells: vec![cell] });
            }
        }
    }
    settings
}

/// The setting of an environment that says most about overcommit: the one with the most measured cells above 1x, then with
/// the most measured cells, then the one planned first.
pub fn main_setting<'a>(results: &'a Results, env: &str) -> Option<Setting<'a>> {
    let weight = |setting: &Setting<'_>| {
        let above =
            setting.cells.iter().filter(|c| c.status == Status::Ok && above(c.axes.overcommit)).count();
        (above, setting.ok())
    };
    settings(results)
        .into_iter()
        .filter(|setting| setting.axes().env == env)
        .reduce(|best, next| if weight(&next) > weight(&best) { next } else { best })
}

/// Environments, in plan order.
pub fn environments(results: &Results) -> Vec<&str> {
    let mut envs: Vec<&str> = Vec::new();
    for cell in &results.cells {
        if !envs.contains(&cell.axes.env.as_str()) {
            envs.push(&cell.axes.env);
        }
    }
    envs
}

/// The cell that differs from `cell` only as `changed` says.
pub fn counterpart<'a>(
    results: &'a Results,
    cell: &Cell,
    changed: impl Fn(&mut CellAxes),
) -> Option<&'a Cell> {
    let mut wanted = cell.axes.clone();
    changed(&mut wanted);
    results.cells.iter().find(|other| other.axes.lock == wanted.lock && alike(&other.axes, &wanted))
}

/// Whether two cells of one run differ in the lock at most.
pub(crate) fn alike(one: &CellAxes, other: &CellAxes) -> bool {
    one.env == other.env
        && one.workload.name == other.workload.name
        && one.placement == other.placement
        && one.pinning == other.pinning
        && one.vcpus == other.vcpus
        && one.pcpus == other.pcpus
        && one.params == other.params
        && one.scheduler == other.scheduler
}

/// Whether an overcommit factor is above 1.
pub fn above(overcommit: f64) -> bool {
    overcommit > 1.0 + 1e-9
}

/// Whether two overcommit factors are the same.
pub fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}
