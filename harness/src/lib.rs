//! Placeholder.

pub mod topology;
