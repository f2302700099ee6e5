//! What a run says of each of its locks, so that a report needs no list of names.

use serde::{Deserialize, Serialize};

use super::CellAxes;

/// A lock as the build that measured it describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LockDescriptor {
    /// Name on the command line and in cells.
    pub name: String,
    /// Name of the source that it is a variant of.
    pub family: String,
    /// Place of the family among those of the build, and of the variant in its family: a lock takes its colour and
    /// marker from it, and so looks the same in every report.
    pub place: [u32; 2],
    /// The order in which waiters are admitted; none where nobody said.
    pub order: Option<Admission>,
    /// How paravirtual code is carried.
    pub paravirt: Carried,
    /// The lock that a reader compares it with (may be itself).
    pub baseline: Option<String>,
    /// One line about it.
    pub about: String,
    /// The paper or kernel commit that it comes from.
    pub source: String,
    /// Whether its waiters may sleep as part of the algorithm.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blocks: bool,
    /// Whether it is leaf code, which alone runs inside a bare vCPU.
    pub leaf: bool,
    /// Raised whenever its machine code changed on purpose.
    pub revision: u32,
    /// What it carries natively beyond its baseline, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carries: Option<String>,
    /// The kernel builds whose spinlock it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelBuild>,
}

/// The order in which a lock admits its waiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Admission {
    /// Strictly first come, first served.
    Fifo,
    /// First come, first served but for a bounded or exceptional overtaking.
    Hybrid,
    /// Whoever gets there first.
    Unfair,
}

/// How a lock carries its paravirtual code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Carried {
    /// None in the machine code.
    #[default]
    Out,
    /// Compiled in and switched off.
    Off,
    /// Compiled in and used wherever the environment is a hypervisor.
    On,
}

/// Kernel builds around the series that brought the paravirtual ticket lock (Linux 3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KernelBuild {
    /// Whether the series is in it.
    pub patched: bool,
    /// Whether paravirtual spinlocks are compiled in.
    pub paravirt: bool,
    /// Whether the lock is what such a kernel ran natively.
    pub native: bool,
    /// Whether the lock is what such a kernel ran in a guest.
    pub guest: bool,
}

/// Revision of a lock where none is stated: the first.
pub const FIRST_REVISION: u32 = 1;

/// Descriptors for a record of before there were any (0.1.0): those of its built-in locks, and for any other lock what
/// its cells tell.
pub fn of_cells(cells: &[CellAxes]) -> Vec<LockDescriptor> {
    let known: Vec<LockDescriptor> =
        serde_json::from_str(include_str!("locks-0.1.0.json")).unwrap_or_default();
    let families = known.iter().map(|lock| lock.place[0] + 1).max().unwrap_or(0);
    let named = |name: &str| cells.iter().any(|cell| cell.lock == name);
    let mut locks: Vec<LockDescriptor> = known.into_iter().filter(|lock| named(&lock.name)).collect();
    let mut unknown = 0;
    for cell in cells {
        if locks.iter().any(|lock| lock.name == cell.lock) {
            continue;
        }
        locks.push(LockDescriptor {
            name: cell.lock.clone(),
            family: cell.lock.clone(),
            place: [families + unknown, 0],
            baseline: cell.baseline.clone(),
            revision: FIRST_REVISION,
            ..LockDescriptor::default()
        });
        unknown += 1;
    }
    locks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptors_of_0_1_0_can_be_read() {
        let known: Vec<LockDescriptor> = serde_json::from_str(include_str!("locks-0.1.0.json")).unwrap();
        assert_eq!(known.len(), 12);
        assert!(known.iter().all(|lock| lock.revision == FIRST_REVISION && lock.order.is_some()));
    }
}
