//! Which CPUs the vCPUs go on.

use std::{collections::HashMap, fmt, hash::Hash, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{CacheKind, Error, Machine, NodeIndex, Pu, PuIndex, group::grouped};

/// An order in which a machine's CPUs are used. A placement of n pCPUs is the first n of that order.
///
/// Wherever an order speaks of cores, a core's first CPU (sibling rank 0) is meant, and the other hardware threads
/// come when the cores of that scope are used up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Placement {
    /// `compact`: fills one NUMA node of a package after the other. Within a node every core gets one vCPU before any
    /// sibling gets a second, as the Linux scheduler and `numactl --cpunodebind` would have it. Where a node has several
    /// packages it fills one of them after the other.
    Compact,
    /// `scatter`: as far apart as can be. Deals over packages, in a package over its nodes (where nodes have several
    /// packages: over nodes, in a node over its packages), then over last-level caches, in a cache over its cores; siblings
    /// only when every core of the machine has one vCPU.
    Scatter,
    /// `node:first`: as `compact`, but on the CPUs of one NUMA node alone, the first of the tree that has any.
    FirstNode,
    /// `node:N`: as `compact`, but on the CPUs of NUMA node N alone.
    Node(NodeIndex),
    /// `round-robin`: one vCPU per NUMA node by ascending node number, then again from the first; in a node cores in
    /// order, then siblings. CPUs that are near no node count as one node more per package, after the others.
    RoundRobin,
    /// `smt-first`: fills all hardware threads of a core, then the next core of the tree. This is what OpenMP calls
    /// `close` over threads: neighbouring vCPUs share a core.
    SmtFirst,
    /// `smt-last`: one vCPU on every core of the machine in tree order, then every second sibling, and so on.
    SmtLast,
}

impl Placement {
    /// The first `wanted` CPUs of this placement, distinct, in order.
    pub fn place(self, machine: &Machine, wanted: usize) -> Result<Vec<PuIndex>, Error> {
        let mut order = self.order(machine)?;
        if wanted > order.len() {
            return Err(Error::TooFewCpus { placement: self.to_string(), wanted, have: order.len() });
        }
        order.truncate(wanted);
        Ok(order)
    }

    /// Every CPU that this placement can use, in its order.
    pub fn order(self, machine: &Machine) -> Result<Vec<PuIndex>, Error> {
        let pus: Vec<&Pu> = machine.pus.iter().collect();
        let order = match self {
            Self::Compact => compact(machine, pus),
            Self::Scatter => scatter(machine, pus),
            Self::FirstNode => match pus.iter().find_map(|pu| pu.home()) {
                Some(node) => compact(machine, of_node(machine, node)?),
                None => compact(machine, pus),
            },
            Self::Node(node) => compact(machine, of_node(machine, node)?),
            Self::RoundRobin => {
                // Numbered nodes first: `None` would sort before them.
                let mut nodes = grouped(pus, |pu| {
                    (pu.home().is_none(), pu.home(), pu.home().is_none().then_some(pu.package))
                });
                nodes.sort_by_key(|(key, _)| *key);
                deal(nodes.into_iter().map(|(_, pus)| cores_first(pus)).collect())
            }
            Self::SmtFirst => grouped(pus, |pu| pu.core).into_iter().flat_map(|(_, pus)| pus).collect(),
            Self::SmtLast => cores_first(pus),
        };
        Ok(order.into_iter().map(|pu| pu.os_index).collect())
    }

    /// The placements that make sense on any machine, in the order that `list` shows; `node:N` is left out.
    pub const ALL: [Self; 6] =
        [Self::Compact, Self::Scatter, Self::FirstNode, Self::RoundRobin, Self::SmtFirst, Self::SmtLast];
}

/// The pCPU of each of `vcpus` vCPUs: vCPU i runs on pCPU i modulo their number.
///
/// So every pCPU carries as many vCPUs as any other, give or take one, and neighbouring vCPUs never share one.
/// No pCPUs, no assignment: the result is then empty.
pub fn assign(vcpus: usize, pcpus: &[PuIndex]) -> Vec<PuIndex> {
    pcpus.iter().copied().cycle().take(vcpus).collect()
}

fn of_node(machine: &Machine, node: NodeIndex) -> Result<Vec<&Pu>, Error> {
    let have = machine.node_indices();
    let Some(found) = machine.node(node) else {
        return Err(match machine.absent_nodes.get(&node) {
            Some(&why) => Error::UnavailableNode { node, why, have },
            None => Error::UnknownNode { node, have },
        });
    };
    if found.cpus.is_empty() {
        return Err(Error::NodeWithoutCpus { node, absent: machine.absences(&found.unavailable) });
    }
    Ok(machine.pus.iter().filter(|pu| pu.nodes.contains(&node)).collect())
}

/// A package, or a NUMA node, if any.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Scope {
    Package(usize),
    Node(Option<NodeIndex>),
}

/// The package and the node that a CPU is in, the one with more CPUs first.
fn scopes(machine: &Machine, pu: &Pu) -> [Scope; 2] {
    let (package, node) = (Scope::Package(pu.package), Scope::Node(pu.home()));
    let in_node = pu.home().and_then(|node| machine.node(node)).map_or(0, |node| node.cpus.len());
    if in_node > machine.packages[pu.package].cpus.len() { [node, package] } else { [package, node] }
}

fn compact<'a>(machine: &Machine, pus: Vec<&'a Pu>) -> Vec<&'a Pu> {
    let wide = grouped(pus, |pu| scopes(machine, pu)[0]);
    let narrow = wide.into_iter().flat_map(|(_, pus)| grouped(pus, |pu| scopes(machine, pu)[1]));
    narrow.flat_map(|(_, pus)| cores_first(pus)).collect()
}

/// One CPU of each core, then the second of each, and so on; otherwise in the order given.
fn cores_first(mut pus: Vec<&Pu>) -> Vec<&Pu> {
    pus.sort_by_key(|pu| pu.sibling_rank);
    pus
}

fn scatter<'a>(machine: &Machine, pus: Vec<&'a Pu>) -> Vec<&'a Pu> {
    let last_level = last_level_caches(machine);
    let mut ranks = grouped(pus, |pu| pu.sibling_rank);
    ranks.sort_by_key(|(rank, _)| *rank);
    let dealt = ranks.into_iter().flat_map(|(_, pus)| {
        dealt_by(
            pus,
            |pu| scopes(machine, pu)[0],
            |pus| {
                dealt_by(
                    pus,
                    |pu| scopes(machine, pu)[1],
                    |pus| dealt_by(pus, |pu| last_level.get(&pu.os_index), |pus| pus),
                )
            },
        )
    });
    dealt.collect()
}

/// For each CPU that has one, an index of the cache farthest from it.
fn last_level_caches(machine: &Machine) -> HashMap<PuIndex, usize> {
    let mut last_level = HashMap::new();
    // The list ascends by level, so a farther cache replaces a nearer one.
    for (index, cache) in
        machine.caches.iter().enumerate().filter(|(_, cache)| cache.kind != CacheKind::Instruction)
    {
        last_level.extend(cache.cpus.iter().map(|cpu| (cpu, index)));
    }
    last_level
}

/// Groups by `key`, orders each group by `inner`, and deals from the groups in turn.
fn dealt_by<'a, K: Clone + Eq + Hash>(
    pus: Vec<&'a Pu>,
    key: impl Fn(&&'a Pu) -> K,
    inner: impl Fn(Vec<&'a Pu>) -> Vec<&'a Pu>,
) -> Vec<&'a Pu> {
    deal(grouped(pus, key).into_iter().map(|(_, pus)| inner(pus)).collect())
}

/// The first of each group, then the second of each that has one, and so on.
fn deal(groups: Vec<Vec<&Pu>>) -> Vec<&Pu> {
    let mut groups: Vec<_> = groups.into_iter().map(Vec::into_iter).collect();
    let mut dealt = Vec::new();
    loop {
        let before = dealt.len();
        dealt.extend(groups.iter_mut().filter_map(Iterator::next));
        if dealt.len() == before {
            return dealt;
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compact => f.pad("compact"),
            Self::Scatter => f.pad("scatter"),
            Self::FirstNode => f.pad("node:first"),
            Self::Node(node) => f.pad(&format!("node:{node}")),
            Self::RoundRobin => f.pad("round-robin"),
            Self::SmtFirst => f.pad("smt-first"),
            Self::SmtLast => f.pad("smt-last"),
        }
    }
}

impl FromStr for Placement {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownPlacement(name.to_owned());
        if let Some(found) = Self::ALL.into_iter().find(|placement| placement.to_string() == name) {
            return Ok(found);
        }
        if let Some(node) = name.strip_prefix("node:") {
            let digits = !node.is_empty() && node.bytes().all(|byte| byte.is_ascii_digit());
            return match node.parse() {
                Ok(node) if digits => Ok(Self::Node(NodeIndex(node))),
                _ => Err(unknown()),
            };
        }
        Err(unknown())
    }
}

impl TryFrom<String> for Placement {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl From<Placement> for String {
    fn from(placement: Placement) -> Self {
        placement.to_string()
    }
}
