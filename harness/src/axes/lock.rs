//! Which lock. This is the only axis whose values are not all known when this crate is built: users add locks of their own.

use lockbench_workloads::locks::Paravirt;

use super::{Env, Flag, InId};
use crate::error::unknown;
use crate::registry::GROUPS;
pub use crate::registry::Lock;
use crate::{Error, Registry, shared_object};

impl Lock {
    /// How locks are asked for.
    pub const FLAGS: &'static [Flag] = &[Flag {
        name: "locks",
        key: "locks",
        takes: "NAMES",
        unit: "",
        default: "core,own",
        help: "Locks by name, or the groups core (those that answer the three questions), own (yours), all",
        in_id: InId::Part,
        in_0_1: true,
        examples: &["core", "ticket", "pv-queued"],
    }];

    /// Returns the locks of these names and groups, each once.
    pub fn read(names: &[String], registry: &Registry) -> Result<Vec<Self>, Error> {
        let mut locks: Vec<Self> = Vec::new();
        for name in names {
            let named: Vec<Self> = match name.as_str() {
                "core" => registry.locks().filter(|lock| lock.variant.core).collect(),
                "all" => registry.locks().collect(),
                "own" => registry.own_locks().collect(),
                name => vec![Self::named(name, registry, &GROUPS)?],
            };
            for lock in named {
                if !locks.contains(&lock) {
                    locks.push(lock);
                }
            }
        }
        Ok(locks)
    }

    /// The lock of this name. `beside` are words that may stand there too.
    pub(crate) fn named(name: &str, registry: &Registry, beside: &[&'static str]) -> Result<Self, Error> {
        let names = || registry.locks().map(Self::name).chain(beside.iter().copied());
        registry.lock(name).ok_or_else(|| not_there(name, names()))
    }

    /// The locks that are measured when none are named.
    pub fn defaults(registry: &Registry) -> Vec<Self> {
        let names: Vec<String> = Self::FLAGS[0].default.split(',').map(Into::into).collect();
        Self::read(&names, registry).expect("the default is groups")
    }

    /// Whether the lock's waiters may halt in an environment.
    pub fn halts_in(self, env: Env) -> bool {
        self.variant.paravirt == Paravirt::On && env.hypervisor()
    }
}

/// A name that no lock has.
fn not_there<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let names: Vec<&str> = names.collect();
    let of_objects = |name: &str| name.starts_with(shared_object::PREFIX);
    if of_objects(name) && !names.iter().any(|name| of_objects(name)) {
        return Error::usage(format!(
            "unknown lock `{}`: no lock comes from a shared object here; name one that has it with --lock-so PATH",
            name.escape_debug()
        ));
    }
    unknown("lock", name, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_named_twice_is_one() {
        let registry = Registry::new(&[]);
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Lock::read(&names, &registry)
                .map(|locks| locks.iter().map(|lock| lock.name()).collect::<Vec<_>>())
        };
        let core = names(&["core"]).unwrap();
        assert_eq!(names(&["mcs", "core", "mcs"]).unwrap().len(), core.len());
        assert_eq!(names(&["mcs", "core"]).unwrap()[..2], ["mcs", "ticket"]);
        assert_eq!(names(&["own"]).unwrap(), Vec::<&str>::new());
        assert!(names(&["so:mine"]).unwrap_err().to_string().contains("with --lock-so PATH"));
        assert!(names(&["tickt"]).unwrap_err().to_string().contains("did you mean `ticket`"));
        assert_eq!(Lock::defaults(&registry).len(), core.len());
    }
}
