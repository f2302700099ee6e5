//! Where the arena lies.

use super::{Axis, Flag, InId};
use crate::Error;
use crate::topology::Memory;

impl Axis for Memory {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "memory",
        key: "memory",
        takes: "NAMES",
        unit: "",
        default: "local",
        help: "Where the lock and its data lie, seen from the first pCPU: local, remote, interleave",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["local", "remote", "interleave"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        text.parse().map_err(|e: crate::topology::Error| Error::new(e.to_string()))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
