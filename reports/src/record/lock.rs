//! How a run describes each of its locks, so that a report needs no list of names.

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
    /// Place of the family among those of the build, and of the variant in its family. Colour and marker of a lock follow from
    /// these, so a lock looks the same in every report.
    pub place: [u32; 2],
    /// The order in which waiters are admitted; none in records from before 0.2.0 of a lock that is not built in.
    pub order: Option<Admission>,
    /// How paravirtual code is carried.
    pub paravirt: Carried,
    /// The lock that a reader compares it with (may be itself).
    pub baseline: Option<String>,
    /// Another lock that a reader compares it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_baseline: Option<String>,
    /// One line about the lock.
    pub about: String,
    /// The paper or kernel commit that it comes from.
    pub source: String,
    /// Whether its waiters may sleep as part of the algorithm.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blocks: bool,
    /// Whether it prefers waiters by the NUMA node of their vCPUs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_node: bool,
    /// Whether it is a lock of the user's own: built into neither lockbench nor its peers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// The shared object that it was loaded from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<SharedObject>,
    /// Whether it is a lock that people use, measured beside the catalogue's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub peer: bool,
    /// Whether the lock is leaf code (it calls nothing outside); only such locks run in the `kvm` environment.
    pub leaf: bool,
    /// Revision of the lock, which is raised whenever its machine code changes on purpose.
    pub revision: u32,
    /// What the lock carries natively that its baseline does not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carries: Option<String>,
    /// The kernel builds whose spinlock this lock was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelBuild>,
    /// Whose lock it is, in words that follow "the lock of": the kernel, and the guest or native machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_of: Option<String>,
}

/// The file that a lock was loaded from, as it was when the run began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SharedObject {
    /// Its name, without directories.
    pub file: String,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// The order in which a lock admits its waiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Admission {
    /// Strictly first come, first served.
    Fifo,
    /// First come, first served, except for bounded or rare overtaking.
    Hybrid,
    /// No order: any vCPU may get the lock next.
    Unfair,
}

/// How a lock carries its paravirtual code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Carried {
    /// There is none in the machine code.
    #[default]
    Out,
    /// It is compiled in, and patched out of the code as a kernel does at boot on a native machine.
    Patched,
    /// It is compiled in and switched off at run time.
    Off,
    /// It is compiled in and used wherever the environment is a hypervisor.
    On,
}

/// Kernel builds around the series that brought the paravirtual ticket lock (Linux 3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KernelBuild {
    /// Whether the build has that series.
    #[serde(rename = "patched")]
    pub series: bool,
    /// Whether paravirtual spinlocks are compiled in.
    pub paravirt: bool,
    /// Whether the lock is what such a kernel ran natively.
    pub native: bool,
    /// Whether the lock is what such a kernel ran in a guest.
    pub guest: bool,
}

/// Revision of a lock where none is stated: the first.
pub const FIRST_REVISION: u32 = 1;

/// Descriptors for a record of 0.1.0, which has none: those of its built-in locks, and for any other lock what its cells tell.
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
            own: true,
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
