//! A waiter overtakes once its patience is over, and not before.

use lockbench_locks::{PreemptableTicket, Ticket};

use super::overtaking::Comes::{AfterRelease, BeforeRelease};
use super::overtaking::spins_to_pass;

/// One ticket is before the one that comes third, so its patience is 256 iterations: from the release on, which it sees
/// after one, or from its coming.
#[test]
fn preemptable_ticket_passes_a_waiter_that_is_off_when_its_patience_is_over() {
    assert_eq!(spins_to_pass::<PreemptableTicket>(BeforeRelease, 0), Some(256));
    assert_eq!(spins_to_pass::<PreemptableTicket>(AfterRelease, 0), Some(256));
    assert_eq!(spins_to_pass::<Ticket>(BeforeRelease, 0), None);
}
