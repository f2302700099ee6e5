//! An open loop: requests arrive at times of their own, whether or not the last one is done. A wait counts from the moment at
//! which its request was due.

use super::{Think, exponential};

pub(super) const THINK: Think = Think {
    name: "open",
    default_ns: 10_000.0,
    open: true,
    about: "an open loop: each vCPU's requests arrive this far apart on average, whether or not the last one is done: open:10us",
    ..exponential::THINK
};
