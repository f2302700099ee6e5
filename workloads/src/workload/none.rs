//! No think time: the highest contention that the number of vCPUs allows.

use super::Think;

pub(super) const THINK: Think = Think {
    name: "none",
    default_ns: 0.0,
    quantile: |_, _| 0.0,
    open: false,
    sleeps: false,
    about: "acquires again at once",
};
