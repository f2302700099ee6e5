//! What each lock that a paper proposes does and its plain ancestor does not, one file for each lock: on one thread that plays
//! all vCPUs, so that every race has one outcome and time passes when the test says so.
#![cfg(not(locks_loom))]

#[path = "../common/mod.rs"]
mod common;
mod ttas_backoff;
