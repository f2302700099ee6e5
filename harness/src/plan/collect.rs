//! The cells of a plan, each once, and what came out as another.

use std::collections::{BTreeSet, HashMap};

use lockbench_reports::record::{CellAxes, Dropped};

use super::PlannedCell;

/// Cells as they are planned, most important first.
#[derive(Default)]
pub(crate) struct Collected {
    cells: Vec<PlannedCell>,
    places: HashMap<Essence, usize>,
    dropped: Vec<Dropped>,
    same: Vec<Same>,
}

/// All that a window of a cell depends on, by whatever names it was asked for.
#[derive(PartialEq, Eq, Hash)]
struct Essence {
    lock: String,
    env: String,
    workload: [u64; 3],
    think: String,
    vcpus: u32,
    pcpus: Vec<u32>,
    /// On a single pCPU there is nowhere to float to.
    floats: bool,
    memory_nodes: Vec<u32>,
    spin_threshold: u32,
    early_wait: &'static str,
    slice_ns: Option<u64>,
    probe: Option<String>,
}

/// A name under which the same cells were asked for again.
struct Same {
    again: String,
    first: String,
    sizes: BTreeSet<(u32, usize)>,
}

impl Collected {
    /// Takes a cell. One that comes out as an earlier one only adds its purposes to that.
    pub(crate) fn add(&mut self, cell: PlannedCell) {
        let at = *self.places.entry(Essence::of(&cell)).or_insert(self.cells.len());
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
            let (again, first) = difference(&cell.axes, &known.axes);
            let size = (cell.axes.vcpus, cell.axes.pcpus.len());
            match self.same.iter_mut().find(|same| (&same.again, &same.first) == (&again, &first)) {
                Some(same) => drop(same.sizes.insert(size)),
                None => self.same.push(Same { again, first, sizes: [size].into() }),
            }
        }
    }

    /// Takes the reason why something cannot be measured; each once.
    pub(crate) fn refuse(&mut self, refused: Dropped) {
        if !self.dropped.iter().any(|known| known.cell == refused.cell) {
            self.dropped.push(refused);
        }
    }

    /// The cells, and what is not among them with the reasons.
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

impl Essence {
    fn of(cell: &PlannedCell) -> Self {
        let axes = &cell.axes;
        let workload = &axes.workload;
        Self {
            lock: axes.lock.clone(),
            env: axes.env.clone(),
            workload: [workload.section_ns.to_bits(), u64::from(workload.lines), workload.think_ns.to_bits()],
            think: workload.think.clone(),
            vcpus: axes.vcpus,
            pcpus: axes.pcpus.clone(),
            floats: axes.pinning == "floating" && axes.pcpus.len() > 1,
            memory_nodes: cell.memory_nodes.clone(),
            spin_threshold: cell.spin_threshold,
            early_wait: cell.early_wait.name(),
            slice_ns: cell.slice_ns,
            probe: axes.params.get("probe").cloned(),
        }
    }
}

/// The axes in which two cells differ, as each of them has it: `placement=scatter`, `placement=compact`.
fn difference(again: &CellAxes, first: &CellAxes) -> (String, String) {
    let named = |axes: &CellAxes| {
        let fixed = [
            ("workload", axes.workload.name.clone()),
            ("placement", axes.placement.clone()),
            ("pinning", axes.pinning.clone()),
        ];
        let fixed = fixed.into_iter().map(|(name, value)| (name.to_owned(), value));
        fixed.chain(axes.params.clone()).collect::<Vec<_>>()
    };
    let (again, first) = (named(again), named(first));
    let only = |these: &[(String, String)], those: &[(String, String)]| {
        let own = these.iter().filter(|axis| !those.contains(axis));
        let own: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
        if own.is_empty() { "the default".to_owned() } else { own.join(", ") }
    };
    (only(&again, &first), only(&first, &again))
}
