//! Sleep between two requests: the vCPU halts, and its hypervisor's timer wakes it.

use super::{Think, exponential};

pub(super) const THINK: Think = Think {
    name: "sleep",
    default_ns: 1_000_000.0,
    sleeps: true,
    about: "the vCPU halts until a timer of the emulated hypervisor wakes it, after times as of exp: sleep:1ms",
    ..exponential::THINK
};
