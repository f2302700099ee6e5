//! Throughput against overcommit, which shows the problem and the cure.

use super::Figure;
use super::lines::{Lines, Series};
use super::style::Looks;
use crate::Error;
use crate::derive::setting::{above, main_setting};
use crate::format::{counted, overcommit};
use crate::record::{Cell, Results};

pub(super) fn plot(results: &Results, env: &str) -> Result<Figure, Error> {
    let title = format!("Throughput against overcommit, {env}");
    let nothing = format!("No cell of {env} had more vCPUs than pCPUs.");
    let Some(setting) = main_setting(results, env).filter(|setting| !setting.above_one().is_empty()) else {
        return Ok(Figure::missing(title, nothing));
    };
    let title = format!("Throughput against overcommit, {}", setting.axes().told_env());
    // Only cells on the same pCPUs differ by overcommit alone.
    let pcpus = setting
        .cells
        .iter()
        .filter(|cell| above(cell.axes.overcommit))
        .map(|cell| cell.axes.pcpus.len())
        .max();
    let comparable = |cell: &&Cell| Some(cell.axes.pcpus.len()) == pcpus && cell.axes.overcommit > 1.0 - 1e-9;
    let looks = Looks::of(results);
    let series = setting.locks().into_iter().filter_map(|lock| {
        let cells = setting.of(lock).filter(comparable);
        Series::of_cells(lock, looks.lock(lock), cells, |cell| cell.axes.overcommit)
    });
    Lines {
        id: format!("overcommit-{env}"),
        title: format!("{title}: {} on {}", setting.axes().workload.name, counted(pcpus.unwrap_or(0), "pCPU")),
        env: Some(env.to_owned()),
        reading: "A lock that preemption does not hurt stays level: the pCPUs are the same, only more vCPUs share \
                  them. Each step down the axis is a factor of ten. Bars are intervals of the median.",
        x_title: "vCPUs per pCPU",
        x_label: overcommit,
        y_title: "acquisitions per second, all vCPUs",
        series: series.collect(),
        mark: None,
    }
    .draw(&nothing)
}
