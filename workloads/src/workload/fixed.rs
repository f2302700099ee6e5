//! A constant think time.

use super::Think;

pub(super) const THINK: Think = Think {
    name: "fixed",
    default_ns: 500.0,
    quantile: |_, _| 1.0,
    open: false,
    sleeps: false,
    about: "always the same time: fixed:500ns",
};
