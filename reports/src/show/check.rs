//! What `lockbench check` prints below its verdict: a short table of the lock and those beside it, a block for each environment.

use super::blocks::in_blocks;
use crate::derive::setting::{Setting, above, settings};
use crate::format::{counted, overcommit, percent, printable, rate};
use crate::judge::verdicts::judged;
use crate::record::{Cell, Exclusion, Kept, Results, Round, Served, Status};

/// Width in characters that the table does not exceed where it can be avoided.
const WIDTH: usize = 100;

/// The table: what each lock keeps of its rate at 1x, the one that is checked first, and how it serves its vCPUs.
pub fn table(results: &Results, lock: &str) -> String {
    let results = &*judged(results);
    let told = settings(results).into_iter().filter(|setting| setting.of(lock).any(is_told));
    told.map(|setting| of_setting(&setting, lock)).collect::<Vec<_>>().join("\n")
}

/// In how many windows of a lock exclusion was checked, and that it held; or that it did not.
pub fn exclusion(results: &Results, lock: &str) -> String {
    let cells = || results.cells.iter().filter(|cell| cell.axes.lock == lock);
    let windows = cells().flat_map(|cell| &cell.rounds).filter_map(Round::measured);
    let checked = windows.filter(|measured| measured.exclusion_checked).count();
    let name = printable(lock);
    match cells().find(|cell| cell.exclusion == Exclusion::Violated) {
        Some(broken) => format!("{name} let two vCPUs in at once ({}).", printable(&broken.axes.id)),
        None if checked == 0 => format!("could be checked in no window of {name}."),
        None => format!("held in {} of {name}, where it was checked.", counted(checked, "window")),
    }
}

fn is_told(cell: &Cell) -> bool {
    above(cell.axes.overcommit) && cell.status != Status::Skipped
}

fn of_setting(setting: &Setting<'_>, lock: &str) -> String {
    let mut names = setting.locks();
    names.sort_by_key(|name| *name != lock);
    names.retain(|name| setting.of(name).any(|cell| cell.status != Status::Skipped));
    let heading = |first: &str| std::iter::once(first.to_owned());
    let mut columns: Vec<Vec<String>> = vec![
        heading(setting.axes().told_env().as_ref()).chain(names.iter().map(|name| printable(name))).collect(),
        heading("rate at 1x").chain(names.iter().map(|name| at_one(setting, name))).collect(),
    ];
    for step in setting.above_one() {
        let of = |name: &&str| setting.at(name, step).map_or_else(|| "–".into(), keeps);
        let keeps = format!("keeps at {}", overcommit(step));
        columns.push(heading(&keeps).chain(names.iter().map(of)).collect());
    }
    in_blocks(&columns, WIDTH)
}

fn at_one(setting: &Setting<'_>, name: &str) -> String {
    let one = setting.at(name, 1.0);
    one.and_then(|cell| cell.ops_per_second).map_or_else(|| "–".into(), |ops| rate(ops.median))
}

/// `98.6 % holds`, `0.0123 % collapses`, `49.7 % degrades, unfair`, `hung`.
fn keeps(cell: &Cell) -> String {
    let Some(verdict) = cell.verdict.as_ref().filter(|_| cell.status == Status::Ok) else {
        return cell.status.word().into();
    };
    let kept = verdict.kept.map_or_else(|| "–".into(), |kept| percent(kept.median));
    let label = match verdict.rate {
        Kept::CannotBeTold => "untold",
        label => label.word(),
    };
    let served = match verdict.service {
        Served::Unfair | Served::Starving => format!(", {}", verdict.service.word()),
        Served::Fair | Served::CannotBeTold => String::new(),
    };
    format!("{kept} {label}{served}")
}
