//! Locks of shared objects, as an option that every command with locks has.

use crate::{Error, Registry, shared_object};

/// Locks that come from shared objects, beside those that are compiled into this program.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct SharedLocks {
    /// Lock of a shared object, written in C or C++, or one of its locks by name; may be given again. docs/c-locks.md says how to write
    /// one
    #[arg(long, value_name = "PATH[:NAME]")]
    lock_so: Vec<String>,
}

impl SharedLocks {
    /// The locks of this program with those of the shared objects. An object from which no lock can be taken goes to `left_out`.
    pub(super) fn beside(
        &self,
        registry: &Registry,
        left_out: impl FnMut(Error) -> Result<(), Error>,
    ) -> Result<Registry, Error> {
        Ok(registry.with(shared_object::named(&self.lock_so, left_out)?))
    }

    /// Whether any is named.
    pub(super) fn is_empty(&self) -> bool {
        self.lock_so.is_empty()
    }
}
