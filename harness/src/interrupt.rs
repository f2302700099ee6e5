//! Ctrl-C and termination signals: they set one flag, which every loop looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::Refusal;

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on these signals only set a flag, so that what was measured can be written first:
///
/// - SIGINT and SIGTERM. A second one kills the program as usual.
/// - SIGHUP, when the terminal goes away; not if it was ignored when the program was started, as nohup does. It may come
///   twice, from the kernel and from the shell, and never kills.
/// - SIGXCPU: the limit of CPU time is near. It comes again each second until the program is killed.
///
/// SIGQUIT still ends the program at once.
pub fn install() -> Result<(), Refusal> {
    let flag = REQUESTED.get_or_init(Arc::default);
    let cannot =
        |signal: i32| move |e: std::io::Error| Refusal::of(format!("cannot catch signal {signal}"), e);
    for signal in [libc::SIGINT, libc::SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(flag)).map_err(cannot(signal))?;
    }
    let hangs_up = (!is_ignored(libc::SIGHUP)).then_some(libc::SIGHUP);
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGXCPU].into_iter().chain(hangs_up) {
        signal_hook::flag::register(signal, Arc::clone(flag)).map_err(cannot(signal))?;
    }
    Ok(())
}

fn is_ignored(signal: i32) -> bool {
    // SAFETY: integers and a pointer, of which zeros are valid; the call only writes what is in force.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Whether the run is to end as soon as possible.
pub fn requested() -> bool {
    REQUESTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}
