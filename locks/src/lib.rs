//! Spinlock algorithms as hypervisor guests and kernels have used them, over one small [`Platform`] seam.
//!
//! Every lock is leaf code: `no_std`, no allocation, no system call, no panic. What a lock needs from the vCPU it
//! runs on (a relax hint, halting, kicking another vCPU) it asks of the [`Platform`]; what it needs per vCPU (queue
//! nodes, hash slots) it declares as [`RawLock::PerVcpu`] and reaches through [`Ctx`].
#![no_std]
#[cfg(any(test, locks_loom, locks_delays))]
extern crate std;

mod catalogue;
mod direct_call;
pub mod doorbell;
mod event;
mod hash;
mod line;
mod optable;
mod params;
mod parking;
mod patched;
pub mod pause;
mod platform;
mod queue;
mod raw;
pub mod sync;
mod vcpu_set;

/// What the machine code of each variant executes uncontended, and by which locked instructions the others wait, as JSON:
/// made from the disassembly by `tests/instructions`, which fails where it is no longer so.
pub const INSTRUCTIONS: &str = include_str!("../instructions.json");

pub use event::Event;
pub use params::{EarlyWait, Params};
pub use platform::{Code, Platform};
pub use raw::{Ctx, Kernel, Order, Paravirt, RawLock, Variant};

catalogue::catalogue! {
    ticket::Ticket,
    pvops_ticket::PvopsTicket,
    pv_ticket::PvTicket,
    pv_byte::PvByte,
    mcs::Mcs,
    queued::Queued,
    pv_queued::PvQueued,
    tas::Tas,
    ticket_split::TicketSplit,
    virt_spin::VirtSpin,
    pv_barging::PvBarging;
    papers:
    ttas_backoff::TtasBackoff,
    malthusian::Malthusian,
    fissile::Fissile,
    reciprocating::Reciprocating,
    spin_then_park::SpinThenPark,
    flexguard::FlexGuard,
    cna::Cna,
    cohort::Cohort,
    shfl::Shfl,
    clh::Clh,
    anderson::Anderson,
    mcs_tas::McsTas,
    mcs_tp::McsTp,
    preemptable_ticket::PreemptableTicket,
    oticket::Oticket,
    i_spinlock::ISpinlock,
    rqspinlock::Rqspinlock,
}
