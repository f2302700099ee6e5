//! How far emulation can be trusted on a machine: emulated cells compared with the same cells on KVM vCPUs.

use crate::derive::setting::counterpart;
use crate::format::{counted, overcommit, range, ratio};
use crate::judge::comparison::{Comparison, compare};
use crate::record::{Cell, Interval, Results, Status};
use crate::statistics::{MIN_ROUNDS, Verdict, median};

/// Up to this factor either way, emulated figures may be quoted for KVM vCPUs.
const NEAR: f64 = 1.25;
/// Beyond this factor either way, emulation says nothing about KVM vCPUs.
const FAR: f64 = 2.0;

/// One cell in both environments.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<'a> {
    /// The emulated cell.
    pub emulated: &'a Cell,
    /// The same cell in kvm.
    pub kvm: &'a Cell,
    /// Comparison of the emulated rate with that in kvm.
    pub comparison: Comparison,
}

/// Every cell that was measured in both environments, in plan order; of several schedules only the cells of one: the kernel's
/// own, or else the one that was planned first.
pub fn pairs(results: &Results) -> Vec<Pair<'_>> {
    let emulated =
        results.cells.iter().filter(|cell| cell.axes.env == "emulated" && cell.status == Status::Ok);
    let both: Vec<(&Cell, &Cell)> = emulated
        .filter_map(|emulated| {
            let kvm = counterpart(results, emulated, |axes| axes.env = "kvm".into())?;
            (kvm.status == Status::Ok).then_some((emulated, kvm))
        })
        .collect();
    let schedules = both.iter().map(|(emulated, _)| emulated.axes.told_schedule());
    let Some(schedule) = schedules.min_by_key(Option::is_some) else { return Vec::new() };
    both.into_iter()
        .filter(|(emulated, _)| emulated.axes.told_schedule() == schedule)
        .map(|(emulated, kvm)| Pair { emulated, kvm, comparison: compare(results, emulated, kvm) })
        .collect()
}

/// One sentence on how far emulation can be trusted.
pub fn sentence(results: &Results) -> String {
    let (therefore, figures) = parts(results);
    if figures.is_empty() { therefore } else { format!("{figures} On this machine, {therefore}") }
}

/// What follows for emulated figures, and the figures that it follows from; these are empty where nothing was compared.
pub fn parts(results: &Results) -> (String, String) {
    let pairs = pairs(results);
    if pairs.is_empty() {
        let none = "No cell was measured both emulated and in kvm: nothing here says how far emulation can be trusted.";
        return (none.into(), String::new());
    }
    let enough = pairs.iter().filter(|pair| pair.comparison.rounds >= MIN_ROUNDS);
    let known: Vec<(&Pair<'_>, Interval)> =
        enough.filter_map(|pair| Some((pair, pair.comparison.ratio?))).collect();
    let ratios: Vec<f64> = known.iter().map(|(_, ratio)| ratio.median).collect();
    let farthest = known.iter().max_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
    let (Some((pair, times)), Some(middle)) = (farthest, median(&ratios)) else {
        let none = format!(
            "Of {} that ran both emulated and in kvm none has the {MIN_ROUNDS} comparable rounds that a ratio needs: how far \
             emulation can be trusted on this machine cannot be told.",
            counted(pairs.len(), "cell")
        );
        return (none, String::new());
    };
    let count =
        |wanted: fn(&Verdict) -> bool| pairs.iter().filter(|pair| wanted(&pair.comparison.verdict)).count();
    let (same, unsure) = (
        count(|verdict| *verdict == Verdict::Same),
        count(|verdict| matches!(verdict, Verdict::NotEnoughData(_))),
    );
    let therefore = match distance(*times) {
        _ if unsure == pairs.len() => "how far emulation can be trusted cannot be told from this run.",
        far if far <= FAR && 2 * unsure > pairs.len() => {
            "too few cells can be compared to quote emulated figures for real vCPUs."
        }
        far if far <= NEAR => "emulated figures may be quoted for real vCPUs.",
        far if far <= FAR => {
            "the order of locks and the effect of overcommit may be quoted for real vCPUs, emulated figures may not."
        }
        _ => "where the two rates lie far apart, emulated figures say nothing about real vCPUs.",
    };
    let figures = format!(
        "Of {} that ran both emulated and in kvm{}, {same} came out the same, {} did not and of {unsure} it cannot be told. \
         The emulated rate is {} times that in kvm in the median, and farthest off for {} at {}: {} times ({}).",
        counted(pairs.len(), "cell"),
        pair.emulated.axes.told_schedule().map_or_else(String::new, |schedule| format!(" {schedule}")),
        pairs.len() - same - unsure,
        ratio(middle),
        crate::format::printable(&pair.emulated.axes.lock),
        overcommit(pair.emulated.axes.overcommit),
        ratio(times.median),
        range(*times, ratio)
    );
    (therefore.into(), figures)
}

/// The least factor by which two rates differ, by the interval of their ratio: 1 where the interval includes 1.
fn distance(ratio: Interval) -> f64 {
    ratio.low.max(1.0 / ratio.high.max(f64::MIN_POSITIVE)).max(1.0)
}
