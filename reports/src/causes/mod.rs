//! What a trace's events mean: stretches in which a vCPU waited, held the lock, slept or was off its pCPU.

mod spans;

pub use spans::{Kick, Span, State, Timeline, timeline};
