//! For machines of which width a group of cells is.

use lockbench_reports::format::counted;
use lockbench_reports::record::Dropped;

use crate::Error;

/// How many pCPUs a machine has that a group of cells is for. On others the whole group is left out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Width {
    from: Option<usize>,
    below: Option<usize>,
}

impl Width {
    /// Key of the least number of pCPUs.
    pub(crate) const FROM: &'static str = "pcpus-from";
    /// Key of the number of pCPUs from which on the group is left out.
    pub(crate) const BELOW: &'static str = "pcpus-below";

    /// Sets what one of its keys says.
    pub(crate) fn set(&mut self, key: &str, value: &toml::Value) -> Result<(), Error> {
        let number = value.as_integer().and_then(|number| usize::try_from(number).ok()).filter(|n| *n > 0);
        let number = number.ok_or_else(|| Error::usage(format!("`{key}` is a number of pCPUs above 0")))?;
        *(if key == Self::FROM { &mut self.from } else { &mut self.below }) = Some(number);
        Ok(())
    }

    /// Why the group `what` is not for a machine with so many pCPUs, in one line; none if it is.
    pub(crate) fn refusal(self, what: &str, pcpus: usize) -> Option<Dropped> {
        let here = counted(pcpus, "pCPU");
        let reason = match self {
            Self { from: Some(from), .. } if pcpus < from => {
                format!(
                    "the group of cells is for machines with {from} pCPUs or more, and this one has {here}"
                )
            }
            Self { below: Some(below), .. } if pcpus >= below => {
                format!(
                    "the group of cells is for machines with fewer than {below} pCPUs, and this one has {here}"
                )
            }
            _ => return None,
        };
        Some(Dropped { cell: what.to_owned(), reason })
    }
}
