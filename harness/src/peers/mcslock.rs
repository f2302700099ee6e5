//! mcslock's barging mutex. Its plain MCS mutex has no acquire and release apart: it runs a closure under the lock, and a worker
//! cannot be put into one.

use lockbench_workloads::Family;

pub(super) const BARGING: Family = crate::raw_mutex_family!(
    mcslock::barging::spins::Mutex<()>,
    named("mcslock-barging")
        .spins()
        .against("mcs-tas")
        .about("the mcslock crate's barging mutex: whoever comes first takes a free lock, the others queue, as in mcs-tas")
        .source("mcslock 0.4")
);
