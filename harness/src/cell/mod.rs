//! One cell: its arena, its process, its window.
//!
//! A cell runs in a process of its own, which discovers nothing: the parent resolves everything, writes it into the
//! arena, starts the process, pins its threads, opens the gate, samples the counters and kills it. No measurement waits
//! for a FIFO lock to drain, no hung lock hangs the suite, and a crash costs one window.

mod booked;
mod causes;
pub mod child;
mod counters;
mod distances;
mod exclusion;
mod guest;
mod handed;
mod holes;
mod hypervised;
mod kept;
mod limited;
mod lock_times;
mod measure;
mod neighbours;
mod placing;
mod pooled;
mod prepare;
mod process;
mod recorded;
mod replayed;
mod sample;
mod scheduled;
mod spec;
mod stopped;
mod strayed;
mod throttled;
mod trace;
mod watch;
#[cfg(test)]
mod wild;
mod window;

pub(crate) use counters::thread_times;
pub use measure::{Bench, Interrupted, Taken, measure};
pub use placing::Placer;
pub use process::VERB;
pub(crate) use recorded::RecordedLog;
pub use spec::WindowSpec;
pub(crate) use spec::is_usual;
