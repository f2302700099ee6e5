//! Where the arena lies.

use lockbench_reports::record::params;

use super::{Axis, Flag, InId};
use crate::Error;
use crate::topology::Memory;

impl Axis for Memory {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::MEMORY,
        key: "memory",
        takes: "NAMES",
        unit: "",
        default: "local",
        help: "Where the lock and its data lie, seen from the first pCPU: local, remote, interleave; or apart: remote-lock (its data is local), remote-data (its lock is)",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["local", "remote", "interleave", "remote-lock", "remote-data"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        Ok(text.parse()?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_help_names_every_policy() {
        for memory in Memory::ALL {
            assert!(Memory::FLAGS[0].help.contains(&memory.show()), "{memory} is not told of");
        }
        assert!(<Memory as Axis>::parse("far").is_err());
    }
}
