//! What is to be measured: profiles, axes, cells, and what of them fits into the time.

mod cell;
mod collect;
mod expand;
mod fit;
mod numa;
mod profile;
mod rounds;
mod width;
mod workload;

pub(crate) use cell::{PlannedCell, Timing};
pub(crate) use expand::{Resources, expand};
pub(crate) use fit::{Fitted, fit};
pub(crate) use profile::{BUILT_IN, CellGroup, Profile, parse_duration, show_duration};
pub(crate) use rounds::{Turn, round};

#[cfg(test)]
mod tests;
