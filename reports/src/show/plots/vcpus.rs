//! Throughput against the number of vCPUs, each of which has a pCPU of its own. What more vCPUs than pCPUs do is the plot of
//! overcommit.

use super::Figure;
use super::axis::trimmed;
use super::lines::{Lines, Series};
use super::style::Looks;
use crate::Error;
use crate::derive::setting::{above, main_setting};
use crate::record::{Cell, Results};

pub(super) fn plot(results: &Results, env: &str) -> Result<Figure, Error> {
    let title = format!("Throughput against vCPUs, {env}");
    let nothing = format!("No cell of {env} gave a rate without overcommit.");
    let Some(setting) = main_setting(results, env) else { return Ok(Figure::missing(title, nothing)) };
    let title = format!("Throughput against vCPUs, {}", setting.axes().told_env());
    let alone = |cell: &&Cell| !above(cell.axes.overcommit);
    let mut sizes: Vec<u32> =
        setting.cells.iter().copied().filter(alone).map(|cell| cell.axes.vcpus).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() < 2 && !setting.above_one().is_empty() {
        let why = "Only one number of vCPUs was measured without overcommit; the plot of overcommit has it.";
        return Ok(Figure::missing(title, why));
    }
    let looks = Looks::of(results);
    let series = setting.locks().into_iter().filter_map(|lock| {
        let cells = setting.of(lock).filter(alone);
        Series::of_cells(lock, looks.lock(lock), cells, |cell| f64::from(cell.axes.vcpus))
    });
    Lines {
        id: format!("vcpus-{env}"),
        title: format!("{title}: {}", setting.axes().workload.name),
        env: Some(env.to_owned()),
        reading: "Higher is better; each vCPU has a pCPU of its own. Bars are intervals of the median, faint dots single \
                  rounds. In a closed loop each vCPU asks for the lock again as soon as it has thought, so a slow lock is also \
                  asked less often.",
        x_title: "vCPUs",
        x_label: trimmed,
        y_title: "acquisitions per second, all vCPUs",
        series: series.collect(),
        mark: None,
    }
    .draw(&nothing)
}
