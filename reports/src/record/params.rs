//! Names in a cell's `params` that reports look for. The harness takes these names for its table of axes.

/// Where the lock and its data are to lie.
pub const MEMORY: &str = "memory";
/// How large the pages of the arena's memory are, where they are not the usual ones: `huge`.
pub const PAGES: &str = "pages";
/// What the steps of a wait do, where they do not only pause: `yield`, `pause-then-yield:100`.
pub const SPIN: &str = "spin";
/// Whether holders ask the kernel for a longer timeslice: `on`.
pub const SLICE_EXTENSION: &str = "slice-extension";
/// Spin iterations before a waiter of a paravirtual lock halts.
pub const SPIN_THRESHOLD: &str = "spin-threshold";
/// What makes a queued waiter halt before its spin threshold.
pub const EARLY_WAIT: &str = "early-wait";
/// Time that each halt and kick is made to cost more, a duration.
pub const KICK_COST: &str = "kick-cost";
/// The scenario and the case in it: `NAME/CASE`.
pub const SCENARIO: &str = "scenario";
/// Who decides which vCPU runs.
pub const SCHEDULER: &str = "scheduler";
/// The timeslice of vCPUs, a duration: of the scheduler, or what their threads asked the kernel for.
pub const SLICE: &str = "slice";
