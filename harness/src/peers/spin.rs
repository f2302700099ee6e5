//! The mutexes of the crate spin.

use lockbench_workloads::Family;

pub(super) const MUTEX: Family = crate::raw_mutex_family!(
    spin::mutex::SpinMutex<()>,
    named("spin-mutex")
        .spins()
        .against("tas")
        .about("the spin crate's mutex: test-and-test-and-set")
        .source("spin 0.12")
);

pub(super) const TICKET: Family = crate::raw_mutex_family!(
    spin::mutex::TicketMutex<()>,
    named("spin-ticket")
        .spins()
        .fifo()
        // Each counter is a word of its own, read as it was written; `ticket` has the kernel's instructions, which are slower.
        .against("ticket-split")
        .about("the spin crate's ticket mutex: two words of the machine's size")
        .source("spin 0.12")
);
