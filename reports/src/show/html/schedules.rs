//! What the emulated hypervisor was asked for and what it kept, with pictures of a few logs.

use serde::Serialize;

use super::view::{Table, TableEntry, shown, unbroken};
use crate::Error;
use crate::format::{count, counted, duration, overcommit, percent};
use crate::record::{Cell, CellSchedule, LoggedPreemptions, Results};
use crate::show::plots::{Figure, lanes};

/// The section.
#[derive(Serialize)]
pub(super) struct Schedules {
    /// What was kept, in plain words.
    said: Vec<String>,
    table: Table,
    figures: Vec<Figure>,
}

/// A cell and what its schedule kept.
type Kept<'a> = (&'a Cell, &'a CellSchedule);

/// The section; none where the kernel scheduled every vCPU.
pub(super) fn view(results: &Results) -> Result<Option<Schedules>, Error> {
    let cells: Vec<Kept<'_>> =
        results.cells.iter().filter_map(|cell| Some((cell, cell.schedule.as_ref()?))).collect();
    if cells.is_empty() {
        return Ok(None);
    }
    // What was kept is told of cells that kept their schedule in some window.
    let some: Vec<Kept<'_>> =
        cells.iter().copied().filter(|(_, kept)| kept.not_kept < kept.windows).collect();
    let said =
        [slices(&some), pauses(&some), own(&some), replays(&some), not_kept(&cells), preemptions(&some)];
    let said = said.into_iter().flatten().map(|sentence| unbroken(&sentence)).collect();
    Ok(Some(Schedules { said, table: table(&cells), figures: lanes::plots(results)? }))
}

fn slices(cells: &[Kept<'_>]) -> Option<String> {
    let each = || cells.iter().filter_map(|(_, kept)| kept.slice_ratio);
    let off = each().map(|[middle, _]| (middle - 1.0).abs()).reduce(f64::max)?;
    let tail = each().map(|[_, tail]| tail).reduce(f64::max)?;
    Some(format!(
        "Timeslices: the median of every cell is within {} of what was asked for, and the 99th percentile of \
         a window is at most {tail:.3} times that. A vCPU that wakes, halts or yields may end a timeslice early; one that is slow to stop makes it longer.",
        percent(off)
    ))
}

fn pauses(cells: &[Kept<'_>]) -> Option<String> {
    let each = || cells.iter().filter_map(|(_, kept)| kept.pause_ns);
    let middle = each().map(|[middle, _]| middle).reduce(f64::max)?;
    let tail = each().map(|[_, tail]| tail).reduce(f64::max)?;
    Some(format!(
        "Pause latency, from the hypervisor's wish until the vCPU had stopped: at most {} in the median of a cell, and at most {} \
         in the 99th percentile of a window.",
        duration(middle),
        duration(tail)
    ))
}

fn own(cells: &[Kept<'_>]) -> Option<String> {
    let most = cells.iter().map(|(_, kept)| kept.own_share).reduce(f64::max)?;
    let late = cells.iter().filter(|(_, kept)| !kept.real_time).count();
    let priority = match late {
        0 => "They had a real-time priority (SCHED_FIFO) in every window, so no ordinary task of this machine could hold them up."
            .to_owned(),
        _ => format!(
            "In {} of {} they had no real-time priority (SCHED_FIFO), so other tasks could hold them up and timeslices end \
             late.",
            late,
            counted(cells.len(), "cell")
        ),
    };
    Some(format!(
        "The hypervisor's own threads took at most {} of the pCPUs' time: that is work that no vCPU got. {priority}",
        percent(most)
    ))
}

fn replays(cells: &[Kept<'_>]) -> Option<String> {
    let replays = || cells.iter().filter_map(|(_, kept)| kept.replay.as_ref());
    let planned: u64 = replays().map(|replay| replay.planned).sum();
    let done: u64 = replays().map(|replay| replay.done).sum();
    let middle = replays().filter_map(|replay| replay.error_ns).map(|[middle, _]| middle).reduce(f64::max);
    let tail = replays().filter_map(|replay| replay.error_ns).map(|[_, tail]| tail).reduce(f64::max);
    let left = replays().map(|replay| replay.left_over_share).reduce(f64::max)?;
    let errors = match middle.zip(tail) {
        None => String::new(),
        Some((middle, tail)) => format!(
            ", at most {} from the instant in the median of a cell and at most {} in the 99th percentile",
            duration(middle),
            duration(tail)
        ),
    };
    Some(format!(
        "Replays: of {} instants at which logs give a pCPU to a vCPU or take it away {} were followed{errors}. At the others the vCPU \
         had halted, or the hypervisor was too late. What halted vCPUs leave over stays idle, at most {} of what a cell's logs give \
         them: a live schedule would give it to others, so a replay says less for a lock that halts.",
        count(planned),
        count(done),
        percent(left)
    ))
}

fn not_kept(cells: &[Kept<'_>]) -> Option<String> {
    let windows: u64 = cells.iter().map(|(_, kept)| u64::from(kept.windows)).sum();
    let not: u64 = cells.iter().map(|(_, kept)| u64::from(kept.not_kept)).sum();
    let worst = cells.iter().filter_map(|(_, kept)| kept.deviation).reduce(f64::max);
    let Some(worst) = worst else {
        return Some(
            "This kernel does not count how long a vCPU ran, so the log could not be checked.".into(),
        );
    };
    Some(match not {
        0 => format!(
            "In all {windows} windows the log agrees with the kernel's own count of each vCPU's time, to within {} of a window.",
            percent(worst)
        ),
        _ => format!(
            "In {not} of {windows} windows the log and the kernel's own count of a vCPU's time differ by more than 2 % of the \
             window, by up to {}. Something else ran on the pCPUs there, so the schedule was not kept; no rate on this page is \
             taken from such a window.",
            percent(worst)
        ),
    })
}

fn preemptions(cells: &[Kept<'_>]) -> Option<String> {
    let told: Vec<(&str, LoggedPreemptions)> =
        cells.iter().filter_map(|(cell, kept)| Some((cell.axes.env.as_str(), kept.preemptions?))).collect();
    let sum = |env: &str, of: fn(&LoggedPreemptions) -> u64| -> u64 {
        told.iter().filter(|(one, _)| *one == env).map(|(_, told)| of(told)).sum()
    };
    let of_env = |env: &str| {
        format!(
            "by the log {} of {} pauses began in a hold and {} kept a vCPU away while the lock was granted to it; the vCPUs \
             themselves saw {} and {}",
            sum(env, |one| one.holding),
            sum(env, |one| one.pauses),
            sum(env, |one| one.granted),
            sum(env, |one| one.seen_holding),
            sum(env, |one| one.seen_granted)
        )
    };
    let has = |env: &str| told.iter().any(|(one, _)| *one == env);
    let mut parts = Vec::new();
    if has("emulated") {
        parts.push(format!(
            "Emulated, around the worst handovers of traced windows: {}. A vCPU sees this through rseq, which knows nothing of the \
             log: each checks the other.",
            of_env("emulated")
        ));
    }
    if has("kvm") {
        parts.push(format!(
            "In kvm: {}. There a vCPU reads the hypervisor's own count of its pauses, so the two come from the same source and \
             do not check each other.",
            of_env("kvm")
        ));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "{} Outside of these traces what a vCPU sees at its next look is all that is counted.",
            parts.join(" ")
        )
    })
}

fn table(cells: &[Kept<'_>]) -> Table {
    let columns = [
        ("Lock", false),
        ("Where", false),
        ("Asked", false),
        ("Given : asked", true),
        ("Slices", true),
        ("Pause latency", true),
        ("Own share", true),
        ("Log against kernel", true),
    ];
    let rows = cells.iter().map(|(cell, kept)| row(cell, kept)).collect();
    Table::new("Schedules: what was asked for and what was kept", &columns, rows).with_links("schedule")
}

fn row(cell: &Cell, kept: &CellSchedule) -> Vec<TableEntry> {
    let axes = &cell.axes;
    let tail = |of: Option<[f64; 2]>, show: fn(f64) -> String| {
        of.map_or_else(String::new, |[_, tail]| format!("p99 {}", show(tail)))
    };
    let middle = |of: Option<[f64; 2]>| of.map(|[middle, _]| middle);
    let mut asked = axes.told_params();
    let schedule = if asked.is_empty() { String::new() } else { asked.remove(0) };
    let size = format!("{}v : {}p, {}, {}", axes.vcpus, axes.pcpus.len(), axes.workload.name, axes.pinning);
    let own = TableEntry::number(Some(kept.own_share), percent);
    let not_kept = format!("{} of {} not kept", kept.not_kept, counted(kept.windows as usize, "window"));
    vec![
        TableEntry::text(&axes.lock),
        TableEntry::text(format!("{} at {}", axes.env, overcommit(axes.overcommit))).with_note(size),
        TableEntry { text: unbroken(&shown(&schedule)), ..TableEntry::default() }.with_note(asked.join(", ")),
        TableEntry::number(middle(kept.slice_ratio), |ratio| format!("{ratio:.3}"))
            .with_note(tail(kept.slice_ratio, |ratio| format!("{ratio:.3}"))),
        TableEntry::number(Some(kept.slices as f64), |_| count(kept.slices)).with_note(given_up(kept)),
        TableEntry::number(middle(kept.pause_ns), duration).with_note(tail(kept.pause_ns, duration)),
        if kept.real_time { own } else { own.with_note("no real-time priority") },
        TableEntry::number(kept.deviation, percent).with_note(if kept.not_kept > 0 {
            not_kept
        } else {
            String::new()
        }),
    ]
}

/// How often vCPUs gave their pCPUs up themselves.
fn given_up(kept: &CellSchedule) -> String {
    let both = [("halts", kept.halts), ("yields", kept.yields)];
    let some =
        both.iter().filter(|(_, times)| *times > 0).map(|(what, times)| format!("{} {what}", count(*times)));
    some.collect::<Vec<_>>().join(", ")
}
