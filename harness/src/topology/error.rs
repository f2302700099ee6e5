//! What can go wrong between a topology and a placement, each as one sentence.

use std::{fmt, path::PathBuf};

use super::{Absences, CpuList, Memory, NodeIndex, Placement, Why, absence::Told};

/// Why a topology, a CPU list or a placement cannot be had. `Display` is one sentence that says what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A topology file could not be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// A topology file is not XML that hwloc can load.
    BadXml {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A synthetic description that hwloc does not understand.
    BadSynthetic {
        /// The description.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// hwloc could not discover the machine.
    Discovery(String),
    /// The kernel does not say which CPUs this process may use.
    Untold(String),
    /// A machine of which no CPU may be used.
    NoCpu,
    /// A CPU list that does not parse.
    BadCpuList {
        /// The list.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// CPUs that the machine does not have.
    UnknownCpus {
        /// Those it lacks.
        unknown: CpuList,
        /// Those it has.
        have: CpuList,
    },
    /// CPUs that exist and cannot be used.
    UnavailableCpus {
        /// Those that cannot be used, by why.
        absent: Absences,
        /// Those that can.
        have: CpuList,
    },
    /// A placement asked for more CPUs than it can give.
    TooFewCpus {
        /// The placement's name.
        placement: String,
        /// How many were wanted.
        wanted: usize,
        /// How many there are.
        have: usize,
    },
    /// A NUMA node that the machine does not have.
    UnknownNode {
        /// The node.
        node: NodeIndex,
        /// Those it has.
        have: Vec<NodeIndex>,
    },
    /// A NUMA node that exists and of which nothing can be used.
    UnavailableNode {
        /// The node.
        node: NodeIndex,
        /// Why it cannot be used.
        why: Why,
        /// Those that can.
        have: Vec<NodeIndex>,
    },
    /// A NUMA node without a CPU that can be used was asked to hold vCPUs.
    NodeWithoutCpus {
        /// The node.
        node: NodeIndex,
        /// Its CPUs that cannot be used, by why; empty where it has none at all.
        absent: Absences,
    },
    /// Remote memory where all memory that can be used is in one node.
    NoRemoteNode {
        /// Nodes whose memory exists and cannot be used.
        absent: Vec<NodeIndex>,
    },
    /// A placement name that does not exist.
    UnknownPlacement(String),
    /// A memory policy name that does not exist.
    UnknownMemory(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => {
                write!(f, "cannot read the topology file {}: {reason}", path.display())
            }
            Self::BadXml { path, reason } => write!(
                f,
                "{} is not an hwloc XML topology: {reason}; write one with `lstopo --of xml FILE.xml`",
                path.display()
            ),
            Self::BadSynthetic { text, reason } => write!(
                f,
                "`{}` is not a synthetic topology: {reason}; write one like `pack:2 numa:1 core:4 pu:2`, or give a file \
                 whose name contains `/` or ends in `.xml`",
                Shown(text)
            ),
            Self::Discovery(reason) => {
                write!(
                    f,
                    "hwloc could not discover this machine: {reason}; give --topology to plan for another"
                )
            }
            Self::Untold(reason) => write!(
                f,
                "the kernel does not say which CPUs this program may use: {reason}; let it call sched_getaffinity, which a \
                 container's seccomp profile may forbid"
            ),
            Self::NoCpu => {
                f.write_str("no CPU of the machine may be used; check the CPUs allowed to this process")
            }
            Self::BadCpuList { text, reason } => {
                write!(f, "`{}` is not a list of CPUs: {reason}; write one like `0-3,8`", Shown(text))
            }
            Self::UnknownCpus { unknown, have } => {
                write!(f, "the machine has no {}; choose among {}", Cpus(unknown), Cpus(have))
            }
            Self::UnavailableCpus { absent, have } => {
                write!(f, "{}; choose among {}", Told(absent), Cpus(have))
            }
            Self::TooFewCpus { placement, wanted, have } => write!(
                f,
                "placement {placement} can give {have} CPU{}, not the {wanted} wanted; ask for fewer or place otherwise",
                if *have == 1 { "" } else { "s" }
            ),
            Self::UnknownNode { node, have } => {
                write!(f, "the machine has no NUMA node {node}; choose among {}", listed(have))
            }
            Self::UnavailableNode { node, why, have } => {
                write!(f, "NUMA node {node} is {why}; choose among {}", listed(have))
            }
            Self::NodeWithoutCpus { node, absent } if absent.is_empty() => {
                write!(f, "NUMA node {node} has no CPUs; place vCPUs on another node")
            }
            Self::NodeWithoutCpus { node, absent } => {
                let told = Told(absent);
                write!(f, "of NUMA node {node} no CPU can be used: {told}; place vCPUs on another node")
            }
            Self::NoRemoteNode { absent } if absent.is_empty() => {
                f.write_str("memory cannot be remote: all of it is in one NUMA node; use local memory")
            }
            Self::NoRemoteNode { absent } => write!(
                f,
                "memory cannot be remote: all that this process may use is in one NUMA node, for the memory of node{} {} is \
                 not allowed to it; use local memory",
                if absent.len() == 1 { "" } else { "s" },
                listed(absent)
            ),
            Self::UnknownPlacement(name) => write!(
                f,
                "there is no placement `{}`; choose among {}, node:N",
                Shown(name),
                Placement::ALL.map(|placement| placement.to_string()).join(", ")
            ),
            Self::UnknownMemory(name) => write!(
                f,
                "there is no memory policy `{}`; choose among {}",
                Shown(name),
                Memory::ALL.map(|memory| memory.to_string()).join(", ")
            ),
        }
    }
}

impl std::error::Error for Error {}

/// A user's text, short and without control characters, so that a sentence stays a sentence.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 80;
        for character in self.0.chars().take(LONGEST) {
            write!(f, "{}", if character.is_control() { char::REPLACEMENT_CHARACTER } else { character })?;
        }
        if self.0.chars().nth(LONGEST).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// "0-3,8", for nodes too.
fn listed(nodes: &[NodeIndex]) -> CpuList {
    nodes.iter().map(|node| node.0).collect()
}

/// "CPU 3" or "CPUs 0-3,8".
struct Cpus<'a>(&'a CpuList);

impl fmt::Display for Cpus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CPU{} {}", if self.0.len() == 1 { "" } else { "s" }, self.0)
    }
}
