//! What counts as reproduced: every threshold of the published shapes, and why it is where it is.
//!
//! They follow from the published figures (each of [`super::shapes`] names its source) and from arithmetic, never from
//! what this program measured somewhere. An interval must lie wholly on one side of a threshold; one that
//! straddles it is told as "cannot be told".

/// S1. A lock that carries the cure switched off takes at most this many times as long, uncontended, for the cost to
/// be called small. Published for one task: 1.33 (ticket) and 1.23 (queued); the dearest of all published cases is
/// 1.47. Half as much again is the round figure above them, and twice would no longer be "small" to anyone.
pub const SMALL_COST: f64 = 1.5;

/// S1. The noise floor below which "no cost shows" says something: half of the smallest published cost of one task
/// (+23 %, queued; +33 %, ticket). An interval is about as wide either way as the floor; only where both together
/// stay below it would that cost have shown.
pub const FLOOR_THAT_SHOWS_A_COST: f64 = 0.23 / 2.0;

/// S2. A pair of lock and unlock takes at least this many times as long once there is a second contender, for
/// "several times". Published: 4. Two is the least that the word can mean; the machine's distance between two pCPUs,
/// which decides by how much it exceeds it, differs by a factor of five between machines.
pub const SEVERAL: f64 = 2.0;

/// S3. At 1x the rates of the cure and of the plain lock differ by at most this factor either way, for "gains about
/// nothing". Published: +0.8 % (PV ticket) and +8 % (bounded disorder), both called no gain by their authors.
pub const ABOUT_NOTHING: f64 = 1.10;

/// S4. What a plain FIFO lock keeps of its 1x rate at 2x, at most, for "far more than its fair share". Fair is 1: the
/// pCPUs are the same. Below a half, more is lost than to anything but the lock. Published: about 0.2 (a tenth of
/// the rate for half of the pCPUs).
pub const FAR_BELOW_FAIR: f64 = 0.5;

/// S6. Steps of overcommit from 1x on that must be known before a peak can be told from a slope: the peak, and a lower
/// one to either side of it, of which 1x may be the left one. Published: +0.8, +16.6, +14.0, +5.0 % at four steps, which
/// rise once and fall once.
pub const STEPS_FOR_A_PEAK: usize = 3;

/// S8. Waiting much too early costs at least this factor at 3x. Published: 7.7. Half as much again is far beyond any
/// noise floor and far below what was published.
pub const EARLY_WAIT_HURTS: f64 = 1.5;

/// S8. Early waits to an acquisition, at least, for the control to control anything. Published is a loss from halts at
/// about every contended acquisition. By published costs (wake-up 64 µs and kick 7 µs; 122 ns for a pair of lock and
/// unlock with three tasks) a halt at one acquisition in 100 that holds everybody up makes 122 + 710 ns of 122, about
/// the 7.7 times that were published; with fewer halts than that its like is not to be expected of any lock.
pub const EARLY_WAITS_NEEDED: f64 = 0.01;

/// S9. Waiter preemptions per holder preemption, at least, for "dwarfs": an order of magnitude. Expected is the share
/// of handovers to vCPUs that do not run over section length / timeslice: thousands.
pub const DWARFS: f64 = 10.0;

/// S9. The least part of a FIFO lock's handovers that meet a vCPU which is not running, at overcommit `k`. A waiter
/// that got there at random runs with probability 1/k; prototypes gave 80, 87, 87 and 95 % at 2, 3, 4 and 8x, and
/// 1 - 1/k is 50, 67, 75 and 88 %.
pub fn least_granted_off(k: f64) -> f64 {
    1.0 - 1.0 / k.max(1.0)
}

/// S9. With test-and-set the same part is at most this, for "vanishes": whoever runs takes the lock, so that only a
/// release at the very end of a timeslice can find nobody. One in twenty is a tenth of the least that 2x gives in a
/// FIFO lock.
pub const VANISHES: f64 = 0.05;

/// S9. Handovers below which no part of them is told.
pub const HANDOVERS_NEEDED: u64 = 20;
