//! Instruments: what is measured of the machine itself.

pub mod calibrate;
pub mod futex;
pub mod idle;
pub mod own_slice;
pub mod ping_pong;
pub mod rseq;
pub mod slice;
