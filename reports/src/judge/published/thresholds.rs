//! What counts as reproduced: every threshold of the published shapes, with its reason.
//!
//! The thresholds follow from the published figures (each of [`super::shapes`] names its source) and from arithmetic, never
//! from what this program measured. An interval must lie wholly on one side of a threshold; for one that straddles it the
//! outcome is "cannot be told".

/// S1. The cost is called small if a lock that carries paravirtual code switched off takes at most this many times as long,
/// uncontended. Published for one task are 1.33 (ticket) and 1.23 (queued); the largest of all published cases is 1.47. 1.5 is
/// the round figure above them, and nobody would call a factor of 2 small.
pub const SMALL_COST: f64 = 1.5;

/// S1. "No cost shows" means something only below this noise floor: half of the smallest published cost of one task (+23 %,
/// queued; +33 %, ticket). An interval reaches about as far to either side as the floor does; the published cost would have
/// shown only where the two together are smaller than it.
pub const FLOOR_THAT_SHOWS_A_COST: f64 = 0.23 / 2.0;

/// S2. "Several times": with a second contender a pair of lock and unlock takes at least this many times as long. Published
/// is 4. Two is the least that the word can mean. The factor depends on the distance between two pCPUs, which differs by a
/// factor of five between machines.
pub const SEVERAL: f64 = 2.0;

/// S3. "Gains about nothing": at 1x the rates of the paravirtual and the plain lock differ by at most this factor either way.
/// Published are +0.8 % (PV ticket) and +8 % (bounded disorder), both called no gain by their authors.
pub const ABOUT_NOTHING: f64 = 1.10;

/// S4. "Loses far more than its fair share": at 2x a plain FIFO lock keeps at most this fraction of its 1x rate. Fair is 1,
/// because the pCPUs are the same; a loss of more than half can only be due to the lock. Published is about 0.2 (a tenth of
/// the rate on half of the pCPUs).
pub const FAR_BELOW_FAIR: f64 = 0.5;

/// S6. This many steps of overcommit from 1x on must be known to tell a peak from a slope: the peak, and a lower step on either
/// side of it, the left of which may be 1x. Published are +0.8, +16.6, +14.0, +5.0 % at four steps, which rise once and fall
/// once.
pub const STEPS_FOR_A_PEAK: usize = 3;

/// S8. "Hurts": waiting much too early costs at least this factor at 3x. Published is 7.7. 1.5 is far beyond any noise floor
/// and far below what was published.
pub const EARLY_WAIT_HURTS: f64 = 1.5;

/// S8. The control tests something only with at least this many early waits per acquisition. Published is a loss from halts at
/// about every contended acquisition. By published costs (wake-up 64 µs and kick 7 µs; 122 ns for a pair of lock and
/// unlock with three tasks) a halt at one acquisition in 100 that holds all vCPUs up makes 122 + 710 ns of 122 ns, about
/// the published 7.7 times. With fewer halts no lock can be expected to lose as much.
pub const EARLY_WAITS_NEEDED: f64 = 0.01;

/// S9. "Dwarfs": there are at least this many waiter preemptions per holder preemption, an order of magnitude. Arithmetic
/// expects thousands: the share of handovers to vCPUs that do not run, divided by section length over timeslice.
pub const DWARFS: f64 = 10.0;

/// S9. At overcommit `k` at least this fraction of a FIFO lock's handovers goes to a vCPU that is not running. A waiter chosen
/// at random runs with probability 1/k, which gives 50, 67, 75 and 88 % at 2, 3, 4 and 8x; prototypes gave 80, 87, 87 and 95 %.
pub fn least_granted_off(k: f64) -> f64 {
    1.0 - 1.0 / k.max(1.0)
}

/// S9. "Vanishes": with test-and-set at most this fraction of handovers goes to a vCPU that is not running. A vCPU that runs
/// takes the lock, so only a release at the very end of a timeslice can find none. One in twenty is a tenth of what a FIFO
/// lock has at least at 2x.
pub const VANISHES: f64 = 0.05;

/// S9. With fewer handovers no fraction of them is told.
pub const HANDOVERS_NEEDED: u64 = 20;

/// S10. Sections with a page fault do at most this part of the rate of sections without. Published is 51 %, of transactions that do
/// other work as well; three fifths is the round figure above it.
pub const FAULT_COSTS: f64 = 0.6;

/// S10. At least this part of the sections must have taken a page fault, or the rate is that of sections without.
pub const FAULTS_NEEDED: f64 = 0.9;

/// S11. "Just past 1x" ends here: published is one thread more than CPUs, and on two pCPUs one vCPU more is 1.5x.
pub const JUST_PAST: f64 = 1.5;

/// S11. "A cliff": at most this part of the 1x rate is left. Published are four orders of magnitude against a lock that blocks; two are
/// far beyond the fair share, and the least that nobody would call a slope.
pub const CLIFF: f64 = 0.01;

/// S12. "Later" begins here: the cures were published as failing from 1.15x on, with hundreds of threads; on few pCPUs a step of two
/// or more is needed for several waiters on a pCPU.
pub const LATE: f64 = 3.0;

/// S12. "Far behind": at most this part of the blocking lock's rate. Published are 100 times less; one order of magnitude is the least
/// that the words can mean.
pub const FAR_BEHIND: f64 = 0.1;

/// S13. The part of all acquisitions that the busier half of the vCPUs has, between fair and unfair. Published are under 0.58 for the lock
/// that blocks, and 0.77 for the fairer one of those that reorder: this lies halfway.
pub const REORDERED: f64 = 0.675;

/// S13. With fewer vCPUs there are no halves to speak of.
pub const VCPUS_FOR_HALVES: u32 = 4;
