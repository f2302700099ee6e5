//! Instruments that measure the machine itself.

mod at_once;
pub mod calibrate;
pub mod clocks;
pub mod futex;
pub mod idle;
pub mod own_slice;
pub mod ping_pong;
pub mod rseq;
pub mod slice;
pub mod slice_extension;

pub use at_once::at_once;
