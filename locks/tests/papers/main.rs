//! What each lock that a paper or this project proposes does and its plain ancestor does not, one file for each lock: on one thread
//! that plays all vCPUs, or on a stage where one vCPU runs at a time, so that every race has one outcome and time passes when the test
//! says so.
#![cfg(not(locks_loom))]

mod anderson;
mod clh;
#[path = "../common/mod.rs"]
mod common;
mod fissile;
mod flexguard;
mod i_spinlock;
mod malthusian;
mod mcs_tas;
mod mcs_tp;
mod numa;
mod oticket;
mod overtaking;
mod preemptable_ticket;
mod pv_barging;
mod reciprocating;
mod rqspinlock;
mod spin_then_park;
mod ttas_backoff;
