//! Every lock that can be asked for by name.

use std::fmt;

use lockbench_reports::record::{Admission, Carried, KernelBuild, LockDescriptor, SharedObject};
use lockbench_workloads::locks::{Order, Paravirt, Variant};
use lockbench_workloads::{CATALOGUE, Family};

use crate::error::{self, Error};
use crate::peers::PEERS;
use crate::shared_object::{Origin, SharedLock};

/// Names that stand for several locks, so that no lock can have them.
pub(crate) const GROUPS: [&str; 3] = ["core", "all", "own"];

/// A lock under one of its names. A lock's source may have several: its variants.
#[derive(Clone, Copy)]
pub struct Lock {
    /// Its source.
    pub family: &'static Family,
    /// The name, and which parts of the source this variant uses.
    pub variant: &'static Variant,
    /// The shared object that it comes from; none for a lock that was compiled into this program.
    pub origin: Option<&'static Origin>,
}

impl Lock {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.variant.name
    }
}

impl PartialEq for Lock {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All locks: the catalogue's, then the peers, then the user's own: those compiled into the program, then those of shared objects.
#[derive(Clone, Copy)]
pub struct Registry {
    own: &'static [Family],
    shared: &'static [SharedLock],
}

impl Registry {
    /// Makes a registry with the user's own locks, which stand last.
    pub fn new(own: &'static [Family]) -> Self {
        Self { own, shared: &[] }
    }

    /// The same with locks of shared objects.
    pub(crate) fn with(self, shared: &'static [SharedLock]) -> Self {
        Self { shared, ..self }
    }

    /// Every lock source, the user's own last.
    pub fn families(&self) -> impl Iterator<Item = &'static Family> + use<> {
        self.sources().map(|(family, _)| family)
    }

    /// Every lock source with the shared object that it comes from, if it comes from one.
    fn sources(&self) -> impl Iterator<Item = (&'static Family, Option<&'static Origin>)> + use<> {
        CATALOGUE.iter().chain(PEERS).map(|family| (family, None)).chain(self.own_sources())
    }

    fn own_sources(&self) -> impl Iterator<Item = (&'static Family, Option<&'static Origin>)> + use<> {
        let shared = self.shared.iter().map(|lock| (&lock.family, Some(&lock.origin)));
        self.own.iter().map(|family| (family, None)).chain(shared)
    }

    /// Every name under which a lock is measured.
    pub fn locks(&self) -> impl Iterator<Item = Lock> + use<> {
        self.sources().flat_map(locks_of)
    }

    /// The user's own locks.
    pub fn own_locks(&self) -> impl Iterator<Item = Lock> + use<> {
        self.own_sources().flat_map(locks_of)
    }

    /// A lock by name.
    pub fn lock(&self, name: &str) -> Option<Lock> {
        self.locks().find(|lock| lock.name() == name)
    }

    /// What the record says of the locks of a plan, in the registry's order.
    pub(crate) fn descriptors(&self, planned: impl Iterator<Item = Lock> + Clone) -> Vec<LockDescriptor> {
        let built_in = CATALOGUE.len() + PEERS.len();
        let of_family = |(place, (family, origin)): (usize, (&'static Family, Option<&'static Origin>))| {
            let variants = family.variants.iter().enumerate();
            variants.map(move |(nth, variant)| LockDescriptor {
                own: place >= built_in,
                peer: (CATALOGUE.len()..built_in).contains(&place),
                object: origin
                    .map(|origin| SharedObject { file: origin.file().into(), sha256: origin.sha256.clone() }),
                ..describe(family, variant, [place as u32, nth as u32])
            })
        };
        let all = self.sources().enumerate().flat_map(of_family);
        all.filter(|lock| planned.clone().any(|planned| planned.name() == lock.name)).collect()
    }

    /// Refuses a user's lock whose name is taken: asking for the name would measure the other lock, or a group of locks.
    pub fn check(&self) -> Result<(), Error> {
        let mut names: Vec<_> = self.locks().map(Lock::name).collect();
        if let Some(group) = names.iter().find(|name| GROUPS.contains(name)) {
            return Err(Error::usage(format!("`{group}` is a group of locks; rename yours")));
        }
        for lock in self.shared {
            let beside = lock.family.variants.iter().filter_map(|variant| variant.baseline);
            if let Some(unknown) = beside.into_iter().find(|name| !names.contains(name)) {
                let place = format!("`{}` is to be compared with", lock.family.name);
                return Err(error::unknown("lock", unknown, names).inside(place));
            }
        }
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::usage(format!("two locks are named `{}`; rename yours", pair[0]))),
            None => Ok(()),
        }
    }
}

fn describe(family: &Family, variant: &Variant, place: [u32; 2]) -> LockDescriptor {
    LockDescriptor {
        name: variant.name.into(),
        family: family.name.into(),
        place,
        order: Some(match family.order {
            Order::Fifo => Admission::Fifo,
            Order::Hybrid => Admission::Hybrid,
            Order::Unfair => Admission::Unfair,
        }),
        paravirt: match variant.paravirt {
            Paravirt::CompiledOut => Carried::Out,
            Paravirt::Patched => Carried::Patched,
            Paravirt::CarriedOff => Carried::Off,
            Paravirt::On => Carried::On,
        },
        baseline: variant.baseline.map(Into::into),
        second_baseline: variant.second_baseline.map(Into::into),
        about: variant.about.into(),
        source: family.source.into(),
        blocks: family.blocks,
        by_node: family.by_node,
        own: false,
        object: None,
        peer: false,
        leaf: family.leaf,
        revision: family.revision,
        carries: variant.carries.map(Into::into),
        kernel: variant.kernel.map(|kernel| KernelBuild {
            series: kernel.series,
            paravirt: kernel.paravirt,
            native: kernel.native,
            guest: kernel.guest,
        }),
        lock_of: variant.lock_of.map(Into::into),
    }
}

fn locks_of((family, origin): (&'static Family, Option<&'static Origin>)) -> impl Iterator<Item = Lock> {
    family.variants.iter().map(move |variant| Lock { family, variant, origin })
}
