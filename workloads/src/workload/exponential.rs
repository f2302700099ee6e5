//! Exponentially distributed think time, as of arrivals that are independent of one another.

use super::Think;

pub(super) const THINK: Think = Think {
    name: "exp",
    default_ns: 500.0,
    quantile: |u, ln| -ln(1.0 - u),
    open: false,
    sleeps: false,
    about: "exponentially distributed with the given mean: exp:500ns",
};
