//! In which order pCPUs are used.

use super::{Axis, Flag, InId};
use crate::Error;
use crate::topology::Placement;

impl Axis for Placement {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "placement",
        key: "placements",
        takes: "NAMES",
        unit: "",
        default: "compact",
        help: "Placements: compact, scatter, node:first, node:N, round-robin, smt-first, smt-last",
        in_id: InId::Part,
        in_0_1: true,
        examples: &[
            "compact",
            "scatter",
            "node:first",
            "node:0",
            "node:00",
            "round-robin",
            "smt-first",
            "smt-last",
        ],
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
    fn its_help_names_every_placement() {
        for placement in Placement::ALL {
            assert!(Placement::FLAGS[0].help.contains(&placement.show()), "{placement} is not told of");
        }
        for bad in ["sideways", "node:", "node:x", "Compact"] {
            assert!(<Placement as Axis>::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
