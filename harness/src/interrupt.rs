//! Ctrl-C: asked for once, noticed everywhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use lockbench_reports::plain;

use crate::Error;

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on SIGINT and SIGTERM only set a flag, so that what was measured can be written first. A second one kills
/// the program as usual.
pub fn install() -> Result<(), Error> {
    let flag = REQUESTED.get_or_init(Arc::default);
    for signal in [libc::SIGINT, libc::SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(flag)))
            .map_err(|e| Error::new(format!("cannot catch signal {signal}: {}", plain::words(&e))))?;
    }
    Ok(())
}

/// Whether the run is to end as soon as possible.
pub fn requested() -> bool {
    REQUESTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}
