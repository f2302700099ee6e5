//! Two threads at once, where there may be no thread to be had.

use std::io;
use std::thread::{Builder, scope};

/// Runs both, each on a thread of its own, and gives what they come to; none of one that died. `stop` has the first end where
/// the second cannot be started.
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
