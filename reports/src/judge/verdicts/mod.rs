//! What is said of a lock at a step of overcommit: whether it holds, degrades or collapses, and whether it is fair.

mod thresholds;

pub use thresholds::fifo_turn_slices;
