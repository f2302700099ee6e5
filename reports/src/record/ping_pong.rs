//! How far apart the pCPUs of a window were.

use serde::{Deserialize, Serialize};

/// Round trips within this factor belong to one distance class.
pub const CLASS_WIDTH: f64 = 1.5;

/// Whether two round trips belong to different distance classes.
pub fn are_apart(one: f64, other: f64) -> bool {
    one.max(other) > one.min(other) * CLASS_WIDTH
}

/// Two pCPUs between which a cache line is bounced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pair {
    /// Their numbers in the operating system.
    pub pcpus: [u32; 2],
    /// NUMA node of each.
    pub nodes: [u32; 2],
}

impl Pair {
    /// Whether the two lie on one NUMA node.
    pub fn in_one_node(&self) -> bool {
        self.nodes[0] == self.nodes[1]
    }
}

/// "CPUs 0 and 1 in node 0" or "CPUs 0 and 6 across nodes 0 and 3".
impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ([here, there], [near, far]) = (self.pcpus, self.nodes);
        if self.in_one_node() {
            write!(f, "CPUs {here} and {there} in node {near}")
        } else {
            write!(f, "CPUs {here} and {there} across nodes {near} and {far}")
        }
    }
}

/// Round trips between a pair just before a window and just after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PingPong {
    /// The pair.
    #[serde(flatten)]
    pub pair: Pair,
    /// Round trip before the window, in nanoseconds.
    pub before_ns: f64,
    /// Round trip after the window, in nanoseconds.
    pub after_ns: f64,
}

impl PingPong {
    /// Whether the two pCPUs moved apart or together between the two ping-pongs.
    pub fn moved(&self) -> bool {
        are_apart(self.before_ns, self.after_ns)
    }
}

/// Shortest and longest round trip between a pair in several windows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Distance {
    /// The pair.
    #[serde(flatten)]
    pub pair: Pair,
    /// Shortest round trip, in nanoseconds.
    pub shortest_ns: f64,
    /// Longest round trip, in nanoseconds.
    pub longest_ns: f64,
}
