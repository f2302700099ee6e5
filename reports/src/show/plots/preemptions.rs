//! Holder and waiter preemptions side by side.

use super::axis::{Axis, trimmed};
use super::markers::{self, Mark};
use super::style::nth;
use super::traced::{by_environment, most, untold};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::format::{count, counted, duration, percent, significant};
use crate::record::{Cell, CellCauses, Results};

const TITLE: &str = "Holder and waiter preemptions per million acquisitions";
const KINDS: [&str; 2] = ["holder preempted (LHP)", "granted to a vCPU not running (LWP)"];

fn kinds(causes: &CellCauses) -> [Option<f64>; 2] {
    [causes.lhp_per_million, causes.lwp_per_million].map(|value| value.filter(|value| *value > 0.0))
}

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let environments = by_environment(results);
    if environments.is_empty() {
        return Ok(Figure::missing(TITLE, "No windows were traced."));
    }
    let whys: Vec<String> =
        environments.iter().filter_map(|traced| untold(&results.machine, traced)).collect();
    let told = environments.into_iter().filter(|traced| untold(&results.machine, traced).is_none());
    let Some(traced) = most(told) else { return Ok(Figure::missing(TITLE, whys.join(" "))) };
    let locks = &traced.locks[..traced.locks.len().min(40)];
    let values = locks.iter().flat_map(|(_, causes)| kinds(causes)).flatten();
    let Some(x) = Axis::log10("per million acquisitions (log scale)", values, trimmed) else {
        return Ok(Figure::missing(TITLE, "No preemption of a holder or of a vCPU next in line was seen."));
    };
    let title = format!("{TITLE}, {}", traced.place());
    let told: Vec<String> = locks
        .iter()
        .take(6)
        .map(|(cell, causes)| {
            let [lhp, lwp] = [causes.lhp_per_million, causes.lwp_per_million].map(|value| match value {
                None => "unknown".into(),
                Some(none) if none <= 0.0 => "none".into(),
                Some(some) => significant(some),
            });
            format!("{} LHP {lhp}, LWP {lwp}", cell.axes.lock)
        })
        .collect();
    let description = format!("{}. The table below has every value.", told.join("; "));
    let row = |(cell, causes): &(&Cell, &CellCauses)| {
        let marks = kinds(causes).into_iter().zip(KINDS).enumerate().filter_map(|(place, (value, kind))| {
            let (lock, value) = (cell.axes.lock.clone(), value?);
            let told = format!("{lock}, {kind}: {} per million", significant(value));
            Some(Mark { lock, value, style: nth(place), told })
        });
        (cell.axes.lock.clone(), marks.collect())
    };
    let rows: Vec<(String, Vec<Mark>)> = locks.iter().map(row).collect();
    let svg = markers::rows("preemptions", &title, &description, x, &rows)?;
    Ok(Figure::Drawn(Plot {
        id: "preemptions".into(),
        title,
        env: Some(traced.env.to_owned()),
        reading: format!(
            "{}Far right is bad. In a FIFO lock under overcommit the waiter next in line is preempted far more often than the \
             holder; in a lock that any running vCPU may take, only holders are preempted. No marker means that none was \
             seen; waiter preemptions of a lock that may sleep in the kernel are not known. \
             Preemptions are those by the kernel that runs the vCPUs. {}",
            whys.iter().map(|why| format!("{why} ")).collect::<String>(),
            beneath(locks)
        ),
        svg,
        linear: None,
        legend: KINDS.iter().enumerate().map(|(place, name)| Key::new(*name, nth(place), false)).collect(),
        open: false,
        data: table(locks),
    }))
}

/// A sentence on gaps: absences without a preemption by the kernel that runs the vCPUs.
fn beneath(locks: &[(&Cell, &CellCauses)]) -> String {
    let looked = || locks.iter().filter_map(|(cell, causes)| Some((cell, causes, causes.gaps?)));
    let Some(above) = looked().map(|(.., gaps)| gaps.above_ns).max() else {
        return "Gaps, in which a vCPU was off its pCPU without such a preemption, were not looked for."
            .into();
    };
    let (mut gaps, mut away, mut time) = (0_u64, 0.0, 0.0);
    for (cell, causes, seen) in looked() {
        gaps = [seen.holding, seen.waiting, seen.thinking].into_iter().fold(gaps, u64::saturating_add);
        away += seen.total_ns as f64;
        time += causes.window_ns as f64 * f64::from(cell.axes.vcpus);
    }
    let longest = looked().map(|(.., gaps)| gaps.longest_ns).max().unwrap_or(0);
    if gaps == 0 {
        return format!(
            "No vCPU was off its pCPU for more than {} without such a preemption.",
            duration(above as f64)
        );
    }
    format!(
        "In these windows vCPUs were off their pCPUs {} for more than {} without such a preemption, {} of their time, {} \
         at the longest: that was a host beneath this kernel, an interrupt or a page fault.",
        counted(gaps as usize, "time"),
        duration(above as f64),
        percent(away / time.max(1.0)),
        duration(longest as f64)
    )
}

/// A row for each lock, and below it a row for each of its vCPUs.
fn table(locks: &[(&Cell, &CellCauses)]) -> Table {
    let columns = [
        "lock, vCPU",
        "acquisitions",
        "holder preempted",
        "granted while not running",
        "of its handovers",
        "gaps",
        "mean time until it ran",
        "median acquire",
        "longest wait",
    ];
    let mut rows = Vec::new();
    let time = |ns: Option<f64>| ns.map_or_else(|| "–".into(), duration);
    let part =
        |part: u64, whole: u64| if whole > 0 { percent(part as f64 / whole as f64) } else { "–".into() };
    for (cell, causes) in locks {
        let granted = |count: String| if causes.lwp_per_million.is_some() { count } else { "–".into() };
        let held: u64 = causes.vcpus.iter().fold(0, |sum, vcpu| sum.saturating_add(vcpu.preempted_holding));
        let wait = causes.longest_wait;
        rows.push(vec![
            cell.axes.lock.clone(),
            count(causes.operations),
            count(held),
            granted(count(causes.granted_off)),
            granted(part(causes.granted_off, causes.handovers)),
            causes.gaps.map_or_else(
                || "–".into(),
                |gaps| {
                    count([gaps.waiting, gaps.thinking].into_iter().fold(gaps.holding, u64::saturating_add))
                },
            ),
            time(causes.granted_off_ns),
            "–".into(),
            wait.map_or_else(
                || "–".into(),
                |w| {
                    let (long, at) = (duration(w.wait_ns as f64), duration(w.at_ns as f64));
                    let (least, end) = if w.at_least { ("≥ ", "cut off") } else { ("", "ended") };
                    format!("{least}{long}, v{}, {end} {at} into its window", w.vcpu)
                },
            ),
        ]);
        for (index, vcpu) in causes.vcpus.iter().enumerate().take(64) {
            let mean = (vcpu.granted_off > 0).then(|| vcpu.granted_off_ns as f64 / vcpu.granted_off as f64);
            rows.push(vec![
                format!("{}, v{index}", cell.axes.lock),
                count(vcpu.operations),
                count(vcpu.preempted_holding),
                granted(count(vcpu.granted_off)),
                granted(part(vcpu.granted_off, causes.granted_off.max(vcpu.granted_off)) + " of all"),
                "–".into(),
                time(mean),
                time(vcpu.acquire_p50_ns),
                [if vcpu.acquire_max_at_least { "≥ " } else { "" }, &duration(vcpu.acquire_max_ns as f64)]
                    .concat(),
            ]);
        }
    }
    Table { columns: columns.map(str::to_owned).to_vec(), rows }
}
