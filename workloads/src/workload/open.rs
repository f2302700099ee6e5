//! Arrivals that wait for nobody: a turn is due whether or not the last one is over, and its wait counts from then.

use super::{Think, exponential};

pub(super) const THINK: Think = Think {
    name: "open",
    default_ns: 10_000.0,
    open: true,
    about: "each vCPU's turns arrive by themselves, so far apart on average: open:10us",
    ..exponential::THINK
};
