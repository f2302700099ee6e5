//! Runs two threads at once; starting a thread may fail.

use std::io;
use std::thread::{Builder, scope};

/// Runs both functions, each on a thread of its own, and returns their results; none for a thread that died. `stop` must make
/// the first end; it is called if the second cannot be started.
pub fn at_once<A: Send, B: Send>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
    stop: impl FnOnce(),
) -> io::Result<(Option<A>, Option<B>)> {
    scope(|scope| {
        let first = Builder::new().spawn_scoped(scope, first)?;
        let second = Builder::new().spawn_scoped(scope, second).inspect_err(|_| stop())?;
        let second = second.join().ok();
        Ok((first.join().ok(), second))
    })
}
