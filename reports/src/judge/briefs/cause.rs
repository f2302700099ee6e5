//! Why locks collapse: what traced windows saw, and what a law says.

use super::{Brief, elsewhere, place, step_first};
use crate::derive::roster::plain_fifo;
use crate::format::{duration, overcommit, percent, printable, range, rate, ratio};
use crate::judge::laws::{Standing, standing};
use crate::judge::verdicts::Step;
use crate::record::{Cell, CellCauses, Kept, LawName, Results};
use crate::statistics::share_interval;

/// The question, where a lock collapses and where none does.
const QUESTIONS: [&str; 2] = ["Why do locks collapse?", "What happens when the lock is handed over?"];

pub(super) fn brief(results: &Results, step: Option<&Step<'_>>) -> Brief {
    let cells = step_first(results, step);
    let seen = seen(results, step, &cells);
    let law = law(step, &cells);
    let Told { mut said, mut short, mut small } = match seen {
        Some(seen) => seen,
        None => Told { said: untraced(results, step), short: untraced(results, step), small: String::new() },
    };
    if let Some(law) = law {
        said.push_str(&format!(" {}", law.said));
        short.push_str(&format!(" {}", law.short));
        let between = if small.is_empty() { "" } else { ". " };
        small.push_str(&format!("{between}{}", law.small));
    }
    let collapses = step.is_some_and(|step| step.count(Kept::Collapses) > 0);
    Brief::new("why", QUESTIONS[usize::from(!collapses)], said, small).in_short(Some(short))
}

/// What is told: in sentences, in few words, and the figures behind it.
struct Told {
    said: String,
    short: String,
    small: String,
}

/// What a run says that saw no causes.
fn untraced(results: &Results, step: Option<&Step<'_>>) -> String {
    let told = |causes: &CellCauses| causes.no_preemptions.clone();
    let several = |step: &Step<'_>| step.verdicts.iter().any(|verdict| verdict.cell.axes.workload.locks > 1);
    match results.cells.iter().filter_map(|cell| cell.causes.as_ref()).find_map(told) {
        Some(why) => format!("Preemptions were not counted: {why}."),
        None if step.is_some_and(several) => "Events of several locks are not traced.".into(),
        None => "This profile records no event trace; add `--trace`.".into(),
    }
}

/// A cell that traced whether its handovers met vCPUs that ran.
fn traced(cell: &Cell) -> Option<&CellCauses> {
    let causes = cell.causes.as_ref()?;
    (causes.lwp_per_million.is_some() && causes.handovers > 0).then_some(causes)
}

fn seen(results: &Results, step: Option<&Step<'_>>, cells: &[&Cell]) -> Option<Told> {
    let plain: Vec<&str> = plain_fifo(results).collect();
    let is_plain = |cell: &&&Cell| plain.contains(&cell.axes.lock.as_str());
    let all = || cells.iter().filter(|cell| traced(cell).is_some());
    let cell = all().find(is_plain).or_else(|| all().next())?;
    let causes = traced(cell)?;
    let share = share_interval(causes.granted_off, causes.handovers)?;
    let lock = printable(&cell.axes.lock);
    let mut said = format!(
        "{} of {lock}'s handovers{} met a vCPU that was not running",
        whole(share.median),
        elsewhere(cell, step)
    );
    match causes.granted_off_ns {
        Some(ns) => said.push_str(&format!(" and waited {} for it.", duration(ns))),
        None => said.push('.'),
    }
    let mut short = said.clone();
    let worst = cells.iter().filter_map(|cell| Some((cell, cell.causes.as_ref()?.longest_handover?)));
    if let Some((cell, worst)) = worst.max_by_key(|(_, worst)| worst.ns) {
        said.push_str(&format!(
            " The worst handover took {} ({}, {} at {}).",
            duration(worst.ns as f64),
            printable(&cell.axes.lock),
            cell.axes.told_env(),
            overcommit(cell.axes.overcommit)
        ));
        let lock = printable(&cell.axes.lock);
        let place = elsewhere(cell, step);
        short.push_str(&format!(" Worst: {}, {lock}{place}.", duration(worst.ns as f64)));
    }
    let s = if causes.windows == 1 { "" } else { "s" };
    let small = format!("{}; {} in {} traced window{s}", place(cell), range(share, percent), causes.windows);
    Some(Told { said, short, small })
}

/// A percentage without decimals; `78 %`.
fn whole(share: f64) -> String {
    if (0.01..0.995).contains(&share) { format!("{:.0} %", share * 100.0) } else { percent(share) }
}

/// The law of spinning FIFO locks, for the first cell that it holds for.
fn law(step: Option<&Step<'_>>, cells: &[&Cell]) -> Option<Told> {
    let spinning = |cell: &&&Cell| {
        cell.law
            .as_ref()
            .is_some_and(|law| law.law == LawName::FifoSpin && standing(cell, law) != Standing::Fails)
    };
    let cell = cells.iter().find(spinning)?;
    let law = cell.law.as_ref()?;
    let measured = cell.ops_per_second?;
    let lock = printable(&cell.axes.lock);
    let (verdict, aside) = match standing(cell, law) {
        Standing::Inside => ("inside the law's band", ""),
        Standing::Outside => ("outside the law's band", ": something else decides as well"),
        Standing::Untold | Standing::Fails => ("across an end of the law's band", ""),
    };
    let said = format!(
        "Waiting for the scheduler at each handover predicts {} for {lock}{}, which did {}{aside}.",
        rate(law.predicted.median),
        elsewhere(cell, step),
        rate(measured.median)
    );
    let short = format!(
        "A law predicts {} for {lock}{}; it did {}, {} times as much.",
        rate(law.predicted.median),
        elsewhere(cell, step),
        rate(measured.median),
        ratio(law.ratio.median)
    );
    let small = format!(
        "Measured to predicted: {} ({}), {verdict}",
        ratio(law.ratio.median),
        range(law.ratio, ratio)
    );
    Some(Told { said, short, small })
}
