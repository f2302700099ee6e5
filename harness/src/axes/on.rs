//! How many pCPUs a cell is given.

use std::collections::HashSet;

use super::{Axis, Flag, InId};
use crate::Error;
use crate::topology::{self, Machine, Placement, PuIndex};

/// How many pCPUs a cell is given, in the order of its placement. It uses at most one for each vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// All pCPUs of the placement.
    All,
    /// As many as the first NUMA node has cores, so that all fit on one node and no two must share a core.
    Node,
    /// This number of pCPUs.
    Count(usize),
}

impl On {
    /// The pCPUs of a placement that a cell is given.
    pub fn pcpus(self, placement: Placement, machine: &Machine) -> Result<Vec<PuIndex>, topology::Error> {
        match self {
            Self::All => placement.order(machine),
            Self::Node => placement.place(machine, cores_of_first_node(machine)?),
            Self::Count(pcpus) => placement.place(machine, pcpus),
        }
    }
}

fn cores_of_first_node(machine: &Machine) -> Result<usize, topology::Error> {
    let pus = Placement::FirstNode.order(machine)?;
    let cores: HashSet<usize> = pus.into_iter().filter_map(|pu| machine.pu(pu)).map(|pu| pu.core).collect();
    Ok(cores.len())
}

impl Axis for On {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "on",
        key: "on",
        takes: "NUMBERS",
        unit: "",
        default: "all",
        help: "pCPUs for a cell: all that the placement has, node (as many as a NUMA node has cores), or a number",
        in_id: InId::Counts,
        in_0_1: false,
        examples: &["all", "node", "4", "04"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self::All),
            ("node", _) => Ok(Self::Node),
            (_, Ok(pcpus)) if pcpus > 0 => Ok(Self::Count(pcpus)),
            _ => Err(Error::usage(format!(
                "`{}` is no number of pCPUs; give all, node or a number above 0",
                text.escape_debug()
            ))),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Node => "node".to_owned(),
            Self::Count(pcpus) => pcpus.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::tests::synthetic;

    #[test]
    fn a_node_is_as_many_pcpus_as_it_has_cores() {
        let machine = synthetic("pack:2 numa:1 core:4 pu:2");
        let width = |on: On| on.pcpus(Placement::Scatter, &machine).map(|pcpus| pcpus.len());
        assert_eq!((width(On::All), width(On::Node), width(On::Count(3))), (Ok(16), Ok(4), Ok(3)));
        assert!(width(On::Count(17)).is_err());
        for bad in ["0", "-1", "nodes", "", "1.5"] {
            assert!(On::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
