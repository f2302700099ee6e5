//! Fairness: how a lock's acquisitions were divided among vCPUs.

use super::axis::{Axis, trimmed};
use super::canvas::{Frame, HEIGHT, picture};
use super::dodge::spread;
use super::group::{Group, Place};
use super::labels::{self, Label};
use super::style::{Looks, Style};
use super::{Figure, Plot, Table};
use crate::Error;
use crate::derive::Selection;
use crate::derive::setting::{Setting, environments, main_setting};
use crate::format::{overcommit, significant};
use crate::record::{Cell, Results, Status};
use crate::statistics::{median, shares};

/// A lock with the shares of its vCPUs, largest first.
struct Divided<'a> {
    cell: &'a Cell,
    style: Style,
    shares: Vec<f64>,
}

impl Divided<'_> {
    fn label(&self) -> String {
        format!("{} {}", labels::cut(&self.cell.axes.lock), jain(self.cell))
    }

    fn group(&self, places: &[Place]) -> Group {
        let mut group = Group::of_lock(&self.cell.axes.lock);
        group.line(places, self.style);
        for (rank, (place, share)) in places.iter().zip(&self.shares).enumerate() {
            let lock = &self.cell.axes.lock;
            let told = format!(
                "{lock}, vCPU {} of {}: {} of the fair share",
                rank + 1,
                places.len(),
                trimmed(*share)
            );
            group.marker(*place, self.style, false, &told);
        }
        group
    }
}

/// Where each lock's shares are drawn; shares that would lie on one another stand side by side.
fn places(locks: &[Divided<'_>], frame: &Frame<'_, '_>) -> Vec<Vec<Place>> {
    let at = |(rank, share): (usize, &f64)| frame.at(rank as f64 + 1.0, *share);
    let mut places: Vec<Vec<Place>> =
        locks.iter().map(|lock| lock.shares.iter().enumerate().map(at).collect()).collect();
    spread(&mut places);
    places
}

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let title = "How acquisitions are divided among vCPUs";
    let found = contested(results).map(|(setting, k)| (k, setting.axes(), divided(results, &setting, k)));
    let Some((k, axes, locks)) = found.filter(|found| !found.2.is_empty()) else {
        return Ok(Figure::missing(title, "No lock served several vCPUs often enough to judge by."));
    };
    let title = format!("{title}, {}, {}", axes.told_env(), overcommit(k));
    let most = locks.iter().map(|lock| lock.shares.len()).max().unwrap_or(1);
    let ranks = (1..=most).step_by(most.div_ceil(10)).map(|rank| (rank as f64, rank.to_string())).collect();
    let x = Axis::with_ticks("vCPUs, best served first", 0.7..most as f64 + 0.3, ranks);
    let Some(y) = Axis::from_zero(
        "share of acquisitions (1 is fair)",
        locks.iter().flat_map(|l| l.shares.clone()).chain([1.0]),
    ) else {
        return Ok(Figure::missing(title, "No shares to draw."));
    };
    let told: Vec<String> =
        locks.iter().take(6).map(|lock| format!("{} {}", lock.cell.axes.lock, jain(lock.cell))).collect();
    let description = format!(
        "Shares by rank; Jain's index by lock: {}. The table below has every value.",
        told.join("; ")
    );
    let texts: Vec<String> = locks.iter().map(Divided::label).collect();
    let room = labels::room(texts.iter().map(String::as_str));
    let svg = picture("fairness", &title, &description, labels::height(locks.len(), HEIGHT), |pen| {
        let frame = pen.labelled(x, y, room)?;
        pen.mark(frame.at(0.0, 1.0), frame.at(f64::MAX, 1.0), false)?;
        let (mut groups, mut ends) = (Vec::new(), Vec::new());
        for (lock, places) in locks.iter().zip(places(&locks, &frame)) {
            groups.push(lock.group(&places));
            let label = |end: &Place| Label { text: lock.label(), end: *end, style: lock.style };
            ends.push(places.last().map(label));
        }
        labels::add(&frame, &mut groups, &ends);
        groups.into_iter().for_each(|group| pen.add(group));
        Ok(())
    })?;
    Ok(Figure::Drawn(Plot {
        id: "fairness".into(),
        title,
        env: Some(axes.env.clone()),
        reading: "A level line at 1 is fair. The figure behind a lock's name is Jain's index: 1 where all vCPUs got the same, \
                  1/n where one got everything."
            .into(),
        svg,
        linear: None,
        legend: Vec::new(),
        open: false,
        data: table(&locks),
    }))
}

/// The setting and the overcommit factor that fairness is shown for: the first environment with overcommit, at the smallest factor
/// of 2 or more, or else at the largest; without overcommit, the first environment at 1x.
pub(super) fn contested(results: &Results) -> Option<(Setting<'_>, f64)> {
    let settings: Vec<Setting<'_>> =
        environments(results).into_iter().filter_map(|env| main_setting(results, env)).collect();
    let above = settings.iter().find(|setting| !setting.above_one().is_empty());
    match above {
        Some(setting) => {
            let factors = setting.above_one();
            let k = factors.iter().copied().find(|k| *k >= 2.0 - 1e-9).or(factors.last().copied())?;
            Some((setting.clone(), k))
        }
        None => Some((settings.first()?.clone(), 1.0)),
    }
}

fn divided<'a>(results: &Results, setting: &Setting<'a>, k: f64) -> Vec<Divided<'a>> {
    let looks = Looks::of(results);
    let of = |lock: &str| {
        let cell = setting.at(lock, k).filter(|cell| cell.status == Status::Ok)?;
        let shares = sorted_shares(cell);
        (shares.len() > 1).then(|| Divided { cell, style: looks.lock(lock), shares })
    };
    setting.locks().into_iter().filter_map(of).collect()
}

/// Medians over rounds of the largest share, of the second largest, and so on.
fn sorted_shares(cell: &Cell) -> Vec<f64> {
    let windows: Vec<Vec<f64>> = Selection::of_rate(cell)
        .each()
        .filter_map(|measured| shares(&measured.operations))
        .map(|mut shares| {
            shares.sort_by(|a, b| b.total_cmp(a));
            shares
        })
        .collect();
    let ranks = windows.iter().map(Vec::len).min().unwrap_or(0);
    (0..ranks)
        .filter_map(|rank| median(&windows.iter().map(|shares| shares[rank]).collect::<Vec<_>>()))
        .collect()
}

fn jain(cell: &Cell) -> String {
    cell.fairness.jain.map_or_else(|| "–".into(), significant)
}

fn table(locks: &[Divided<'_>]) -> Table {
    let columns = ["lock", "Jain", "largest share", "smallest share", "longest run", "all shares"];
    let rows = locks.iter().map(|lock| {
        let fairness = &lock.cell.fairness;
        let ends = [lock.shares.first(), lock.shares.last()]
            .map(|share| share.map_or_else(String::new, |s| significant(*s)));
        let all: Vec<String> = lock.shares.iter().take(64).map(|share| trimmed(*share)).collect();
        let [largest, smallest] = ends;
        let run = fairness.longest_run.map_or_else(|| "–".into(), crate::format::count);
        vec![lock.cell.axes.lock.clone(), jain(lock.cell), largest, smallest, run, all.join(" ")]
    });
    Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() }
}
