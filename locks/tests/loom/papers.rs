//! Models of the locks that papers propose: one block of rows for each lock.

use lockbench_locks::*;

use super::*;

models! {
    ttas_backoff_twice: bare::<TtasBackoff>(TWICE);
    ttas_backoff_trio: bare::<TtasBackoff>(FAIR_TRIO);
    ttas_backoff_tried: tried_bare::<TtasBackoff>(PAIR);
}
