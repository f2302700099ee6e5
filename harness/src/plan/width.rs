//! How many pCPUs a cell is given.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::topology::{self, Machine, Placement, PuIndex};

/// How many pCPUs a cell is given, in the order of its placement. It uses at most one for each vCPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Width {
    /// `all`: every one that the placement has.
    #[default]
    All,
    /// `node`: as many as the first NUMA node has cores, so that all of them fit on one node and no two need share a core.
    Node,
    /// So many.
    Count(usize),
}

impl Width {
    /// The pCPUs of a placement that a cell of this width is given.
    pub(crate) fn pcpus(
        self,
        placement: Placement,
        machine: &Machine,
    ) -> Result<Vec<PuIndex>, topology::Error> {
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

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Node => f.write_str("node"),
            Self::Count(pcpus) => pcpus.fmt(f),
        }
    }
}

impl FromStr for Width {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self::All),
            ("node", _) => Ok(Self::Node),
            (_, Ok(pcpus)) if pcpus > 0 => Ok(Self::Count(pcpus)),
            _ => Err(Error::new(format!(
                "`{}` is no number of pCPUs; give all, node or a number above 0",
                text.escape_debug()
            ))),
        }
    }
}
