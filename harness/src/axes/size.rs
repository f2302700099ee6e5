//! How many vCPUs a cell has.

use super::{Axis, Flag, InId};
use crate::Error;

/// Most vCPUs that a cell may have; limits of the kernel may be lower.
pub(crate) const MOST_VCPUS: u32 = 4096;

/// How many vCPUs a cell has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// This number for each pCPU that the cell is given.
    Factor(f64),
    /// This number, each on a pCPU of its own as long as there are enough.
    Count(u32),
}

impl Size {
    /// vCPUs on so many pCPUs.
    pub fn vcpus(self, pcpus: usize) -> u32 {
        match self {
            Self::Factor(factor) => (factor * pcpus as f64).round().max(1.0) as u32,
            Self::Count(vcpus) => vcpus,
        }
    }

    /// The flag that gives sizes of its kind.
    pub fn flag(self) -> &'static Flag {
        match self {
            Self::Factor(_) => &Self::FLAGS[0],
            Self::Count(_) => &Self::FLAGS[1],
        }
    }

    /// The value as that flag takes it.
    pub fn bare(self) -> String {
        match self {
            Self::Factor(factor) => factor.to_string(),
            Self::Count(vcpus) => vcpus.to_string(),
        }
    }
}

impl Axis for Size {
    const FLAGS: &'static [Flag] = &[
        Flag {
            name: "overcommit",
            key: "overcommit",
            takes: "FACTORS",
            unit: "x",
            default: "1",
            help: "vCPUs per pCPU: 1,1.5,2",
            in_id: InId::Counts,
            in_0_1: true,
            examples: &["1x", "1.5", "2.0", "0.5x", "64"],
        },
        Flag {
            name: "vcpus",
            key: "vcpus",
            takes: "COUNTS",
            unit: "v",
            default: "",
            help: "vCPU counts, instead of factors: 1,2,4",
            in_id: InId::Counts,
            in_0_1: true,
            examples: &["1v", "2", "04", "4096"],
        },
    ];

    fn parse(text: &str) -> Result<Self, Error> {
        if let Some(factor) = text.strip_suffix('x') {
            return match factor.parse() {
                Ok(factor) if (0.01..=64.0).contains(&factor) => Ok(Self::Factor(factor)),
                _ => Err(Error::usage(format!(
                    "overcommit {} is out of range; give 0.01 to 64 vCPUs per pCPU",
                    factor.escape_debug()
                ))),
            };
        }
        let vcpus = text.strip_suffix('v').unwrap_or(text);
        match vcpus.parse() {
            Ok(count) if count > 0 => Ok(Self::Count(count)),
            _ => Err(Error::usage(format!(
                "{} vCPUs cannot be had; give 1 to {MOST_VCPUS}",
                vcpus.escape_debug()
            ))),
        }
    }

    fn show(&self) -> String {
        format!("{}{}", self.bare(), self.flag().unit)
    }

    /// Factors take the place of factors and counts that of counts, in groups that have them.
    fn replace(list: &mut Vec<Self>, given: Vec<Self>) {
        if list.is_empty() {
            *list = given;
            return;
        }
        for flag in Self::FLAGS {
            let of_flag = |size: &Self| size.flag().name == flag.name;
            if list.iter().any(of_flag) && given.iter().any(of_flag) {
                list.retain(|size| !of_flag(size));
                list.extend(given.iter().filter(|size| of_flag(size)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_out_of_range_are_refused() {
        for bad in ["0x", "65x", "NaNx", "x", "0v", "-1v", "v", "", "1.5v", "4xv"] {
            assert!(Size::parse(bad).is_err(), "{bad} was taken");
        }
        assert!(Size::parse("5000v").is_ok(), "whether a machine has so many is for the plan to say");
    }

    #[test]
    fn the_command_line_replaces_the_kind_of_size_that_a_group_has() {
        let replaced = |list: &[Size], given: &[Size]| {
            let mut list = list.to_vec();
            Size::replace(&mut list, given.to_vec());
            list
        };
        let (one, two) = (Size::Factor(1.0), Size::Factor(2.0));
        let (four, eight) = (Size::Count(4), Size::Count(8));
        assert_eq!(replaced(&[one], &[two]), [two]);
        assert_eq!(replaced(&[one], &[eight]), [one], "the group has no counts");
        assert_eq!(replaced(&[one, four], &[eight]), [one, eight]);
        assert_eq!(replaced(&[], &[two, eight]), [two, eight], "`run` has no sizes of its own");
    }
}
