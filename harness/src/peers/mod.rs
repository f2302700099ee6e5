//! Locks that people use today, measured beside the catalogue. They enter as a user's own lock does. One file for each library.

mod futex;
mod mcslock;
mod parking_lot;
mod pthread;
mod spin;
mod std_mutex;

use lockbench_workloads::Family;

/// Every peer.
pub(crate) static PEERS: &[Family] = &[
    Family::of::<std_mutex::StdMutex>(),
    parking_lot::PARKING,
    Family::of::<pthread::Mutex>(),
    Family::of::<pthread::Adaptive>(),
    Family::of::<pthread::Spin>(),
    Family::of::<futex::Mutex>(),
    spin::MUTEX,
    spin::TICKET,
    mcslock::BARGING,
];
