//! The one list of locks: a line here and a file beside it make a lock known to everything else.

/// Declares a module for each lock and [`for_each_lock!`](crate::for_each_lock), which hands the whole list of types
/// to a macro of the caller's. Tests, models, benches, docs and the harness all walk this list.
///
/// First the locks that kernels and hypervisors ran, in files of their own; then those of the folder `papers`.
macro_rules! catalogue {
    ($($module:ident :: $lock:ident),+; papers: $($paper:ident :: $proposed:ident),* $(,)?) => {
        $(mod $module; pub use $module::$lock;)+
        /// Locks that papers propose, one file each; `docs/locks/` has a card for each of them.
        mod papers { $(pub(crate) mod $paper;)* }
        $(pub use papers::$paper::$proposed;)*
        catalogue::emit_for_each!(($) $($lock),+ $(, $proposed)*);
    };
}

/// Emits `for_each_lock!`; apart because a macro that writes a macro needs a `$` of its own.
macro_rules! emit_for_each {
    (($dollar:tt) $($lock:ident),+) => {
        /// Calls `callback! { Type, Type, … }` with every lock type of the catalogue, in its order.
        #[macro_export]
        macro_rules! for_each_lock {
            ($dollar callback:ident) => { $dollar callback! { $($crate::$lock),+ } };
        }
    };
}

pub(crate) use {catalogue, emit_for_each};
