//! No lock keeps settings on the line of its word: waiters would poll the line that everybody fights for.
#![cfg(not(locks_loom))]

use lockbench_locks::{PvByte, PvQueued, PvTicket, PvopsTicket, Queued, Ticket, TicketSplit, VirtSpin};

/// As in a kernel a lock is its word, so there is no room for anything else.
#[test]
fn a_lock_is_its_word() {
    let sizes = [
        ("ticket", size_of::<Ticket>()),
        ("ticket-split", size_of::<TicketSplit>()),
        ("pv-ticket", size_of::<PvTicket>()),
        ("pv-byte", size_of::<PvByte>()),
        ("queued", size_of::<Queued>()),
        ("pv-queued", size_of::<PvQueued>()),
        ("virt-spin", size_of::<VirtSpin>()),
    ];
    for (lock, size) in sizes {
        assert_eq!(size, 4, "{lock}");
    }
}

/// The one lock that has a table of functions beside its word has it on other lines.
#[test]
fn a_table_lies_on_lines_of_its_own() {
    assert_eq!((size_of::<PvopsTicket>(), align_of::<PvopsTicket>()), (256, 128));
}
