//! How large the pages of the arena's memory are.

use lockbench_reports::record::params;
use rustix::param::page_size;

use super::{Axis, Flag, InId};
use crate::Error;
use crate::arena::HUGE_PAGE;

/// The pages that the lock, its data and everything else in the arena lie on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pages {
    /// The kernel's usual ones.
    Small,
    /// Huge pages of 2 MiB, from the kernel's pool.
    Huge,
}

impl Pages {
    /// Bytes of a page.
    pub fn bytes(self) -> usize {
        match self {
            Self::Small => page_size(),
            Self::Huge => HUGE_PAGE,
        }
    }
}

impl Axis for Pages {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::PAGES,
        key: "pages",
        takes: "NAMES",
        unit: "",
        default: "small",
        help: "Pages of the memory of lock and data, also of those that the section touch touches: small, or huge (2 MiB, of the \
               kernel's pool: vm.nr_hugepages)",
        in_id: InId::Param,
        in_0_1: false,
        examples: &["small", "huge"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "small" => Ok(Self::Small),
            "huge" => Ok(Self::Huge),
            _ => Err(Error::usage(format!("pages are small or huge, not `{}`", text.escape_debug()))),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Small => "small".to_owned(),
            Self::Huge => "huge".to_owned(),
        }
    }
}
