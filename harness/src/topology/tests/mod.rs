//! Tests across the topology files, and the machines that they run on.

mod allowing;
mod binding;
mod drawing;
mod hostile;
mod loading;
mod looking;
pub(crate) mod made;
mod placing;
mod remembering;

use std::path::PathBuf;

use super::{Machine, Source, load};

/// A sample from the hwloc project.
fn sample(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "topologies", name].iter().collect()
}

fn from_sample(name: &str) -> Machine {
    let (mut machine, _) = load(&Source::File(sample(name))).unwrap();
    machine.source = name.to_owned();
    machine
}

pub(crate) fn synthetic(text: &str) -> Machine {
    load(&Source::Synthetic(text.to_owned())).unwrap().0
}

const OPTERON: &str = "64amd64-4s2n4ca2co.xml";
const UV: &str = "192em64t-24n8c2t.xml";
const OFFLINES: &str = "16em64t-4s2c2t-offlines.xml";

/// All sorts of machines, for what must hold on any.
pub(crate) fn zoo() -> Vec<Machine> {
    let mut zoo = vec![from_sample(OPTERON), from_sample(UV), from_sample(OFFLINES)];
    zoo.extend(
        [
            "pu:1",
            "pu:5",
            "core:3 pu:2",
            "pack:2 numa:1 core:4 pu:2",
            "pack:2 numa:2 l3:2 core:2 pu:2",
            "numa:2 pack:2 core:2 pu:4",
            "pack:2 core:2 pu:2(indexes=core:pack:pu)",
            "group:3 numa:1 die:2 core:1 pu:3",
        ]
        .map(synthetic),
    );
    zoo.extend(made::all());
    zoo
}
