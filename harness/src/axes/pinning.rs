//! Whether a vCPU stays on its pCPU.

use super::{Axis, Flag, InId};
use crate::Error;
use crate::error::unknown;

/// Whether a vCPU stays on its pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinning {
    /// Each vCPU is bound to one pCPU.
    Pinned,
    /// All vCPUs may run on any of the cell's pCPUs.
    Floating,
}

impl Axis for Pinning {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "pinning",
        key: "pinnings",
        takes: "NAMES",
        unit: "",
        default: "pinned",
        help: "pinned (each vCPU to a pCPU) or floating (all in the set of pCPUs)",
        in_id: InId::Part,
        in_0_1: true,
        examples: &["pinned", "floating"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "pinned" => Ok(Self::Pinned),
            "floating" => Ok(Self::Floating),
            _ => Err(unknown("pinning", text, ["pinned", "floating"])),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Pinned => "pinned".to_owned(),
            Self::Floating => "floating".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two() {
        assert_eq!(Pinning::parse("floating").unwrap(), Pinning::Floating);
        let said = Pinning::parse("loose").unwrap_err().to_string();
        assert!(said.ends_with("there are: pinned, floating"), "{said}");
    }
}
