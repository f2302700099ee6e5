//! What is to be measured: profiles, their groups of cells, and the cells that fit into the time.

mod blocks;
mod cell;
mod collect;
mod expand;
mod fit;
mod group;
mod numa;
mod pools;
mod profile;
pub(crate) mod replays;
mod room;
mod rounds;
pub(crate) mod scenarios;
mod vms;
mod width;

pub(crate) use cell::{PlannedCell, Timing};
pub(crate) use expand::{Resources, expand};
pub(crate) use fit::{Fitted, does_not_fit, fit};
pub(crate) use group::{CellGroup, SWITCHES, Switch};
pub(crate) use profile::{BUILT_IN, Profile, name_of};
pub(crate) use rounds::{Step, draws, round};

#[cfg(test)]
mod tests;
