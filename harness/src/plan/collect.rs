//! Collects the cells of a plan, each once: different axes may come out as the same cell on a machine.

use std::collections::{BTreeSet, HashMap};

use lockbench_reports::record::{self, Dropped};

use super::PlannedCell;
use crate::axes::{Axes, Values};

/// Cells as they are planned, most important first.
#[derive(Default)]
pub(crate) struct Collected {
    cells: Vec<PlannedCell>,
    places: HashMap<String, usize>,
    dropped: Vec<Dropped>,
    same: Vec<Same>,
}

/// A name under which the same cells were asked for again.
struct Same {
    again: String,
    first: String,
    sizes: BTreeSet<(u32, usize)>,
}

impl Collected {
    /// Adds a cell. If it is the same as an earlier one, only its purposes are added to that.
    pub(crate) fn add(&mut self, cell: PlannedCell) {
        let at = *self.places.entry(essence(&cell)).or_insert(self.cells.len());
        let Some(known) = self.cells.get_mut(at) else {
            self.cells.push(cell);
            return;
        };
        for purpose in cell.purposes {
            if !known.purposes.contains(&purpose) {
                known.purposes.push(purpose);
            }
        }
        if known.axes.id != cell.axes.id {
            let (again, first) = difference(&cell.axes.values, &known.axes.values);
            let size = (cell.axes.vcpus, cell.axes.pcpus.len());
            match self.same.iter_mut().find(|same| (&same.again, &same.first) == (&again, &first)) {
                Some(same) => drop(same.sizes.insert(size)),
                None => self.same.push(Same { again, first, sizes: [size].into() }),
            }
        }
    }

    /// Adds the reason why something cannot be measured; each reason once.
    pub(crate) fn refuse(&mut self, refused: Dropped) {
        if !self.dropped.iter().any(|known| known.cell == refused.cell) {
            self.dropped.push(refused);
        }
    }

    /// The cells, and everything that was left out with the reasons.
    pub(crate) fn finish(mut self) -> (Vec<PlannedCell>, Vec<Dropped>) {
        self.dropped.extend(self.same.into_iter().map(Same::told));
        (self.cells, self.dropped)
    }
}

impl Same {
    fn told(self) -> Dropped {
        let sizes: Vec<String> =
            self.sizes.iter().map(|(vcpus, pcpus)| format!("{vcpus}v:{pcpus}p")).collect();
        let reason =
            format!("comes out the same as {} at {}, so it is measured once", self.first, sizes.join(", "));
        Dropped { cell: self.again, reason }
    }
}

/// Everything that a window of a cell depends on, whatever names it was asked for by.
fn essence(cell: &PlannedCell) -> String {
    let Axes { vcpus, pcpus, values, case, .. } = &cell.axes;
    let workload = record::Workload { name: String::new(), ..values.workload.record() };
    let usual = Values::usual();
    // What these axes ask for stands beside them in numbers. On one pCPU there is nowhere to float to.
    let others = Values {
        placement: usual.placement,
        on: usual.on,
        size: usual.size,
        workload: usual.workload,
        arrivals: usual.arrivals,
        memory: usual.memory,
        pinning: if pcpus.len() > 1 { values.pinning } else { usual.pinning },
        ..values.clone()
    };
    format!("{:?}", (cell.lock, workload, vcpus, pcpus, &cell.memory_nodes, &cell.data_nodes, others, case))
}

/// The axes in which two cells differ, as each of them has it: `placement=scatter`, `placement=compact`.
fn difference(again: &Values, first: &Values) -> (String, String) {
    let (again, first) = (again.named(), first.named());
    let only = |these: &[(&str, String)], those: &[(&str, String)]| {
        let own = these.iter().filter(|axis| !those.contains(axis));
        own.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    };
    (only(&again, &first), only(&first, &again))
}
