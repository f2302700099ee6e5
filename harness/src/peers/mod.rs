//! Locks that people use today, measured beside the catalogue. They enter as a user's own lock does.

mod std_mutex;

use lockbench_workloads::Family;

/// Every peer.
pub(crate) static PEERS: &[Family] = &[Family::of::<std_mutex::StdMutex>()];
