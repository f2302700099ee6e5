//! parking_lot's mutex: one byte, spins a little, then parks in a table of its own.

use lockbench_workloads::Family;

pub(super) const PARKING: Family = crate::raw_mutex_family!(
    parking_lot::RawMutex,
    named("parking-lot")
        .against("std-mutex")
        .about("parking_lot's mutex: one byte, spins briefly, then sleeps; now and then handed over in order")
        .source("parking_lot 0.13")
);
