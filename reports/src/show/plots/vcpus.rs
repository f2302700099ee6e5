//! Throughput against the number of vCPUs.

use super::Figure;
use super::axis::trimmed;
use super::lines::{Lines, Series};
use super::style::Looks;
use crate::Error;
use crate::derive::setting::main_setting;
use crate::record::Results;

pub(super) fn plot(results: &Results, env: &str) -> Result<Figure, Error> {
    let title = format!("Throughput against vCPUs, {env}");
    let nothing = format!("No cell of {env} gave a rate.");
    let Some(setting) = main_setting(results, env) else { return Ok(Figure::missing(title, nothing)) };
    let vcpus = |cell: &crate::record::Cell| f64::from(cell.axes.vcpus);
    let looks = Looks::of(results);
    let locks = setting.locks().into_iter();
    let series: Vec<Series> =
        locks.filter_map(|lock| Series::of_cells(lock, looks.lock(lock), setting.of(lock), vcpus)).collect();
    let pcpus = setting.cells.iter().map(|cell| cell.axes.pcpus.len()).max().unwrap_or(0);
    let run_out = setting.cells.iter().any(|cell| cell.axes.vcpus as usize > pcpus);
    Lines {
        id: format!("vcpus-{env}"),
        title: format!("{title}: {}", setting.axes().workload.name),
        reading: "Higher is better. Bars are intervals of the median, faint dots single rounds. In a closed loop each vCPU \
                  asks for the lock again as soon as it has thought, so a slow lock is also asked less often. Right of the \
                  dashed line there are more vCPUs than pCPUs.",
        x_title: "vCPUs",
        x_label: trimmed,
        y_title: "acquisitions per second, all vCPUs (log scale)",
        series,
        mark: run_out.then(|| (pcpus as f64, format!("{pcpus} pCPUs"))),
    }
    .draw(&nothing)
}
