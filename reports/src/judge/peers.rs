//! Locks of the catalogue beside those that people use: the same algorithm in a library, and mutexes whose waiters sleep.
//!
//! Three questions are asked. What does a pair of lock and unlock cost one vCPU: ours is to have at least [`LEAST`] of the rate of the
//! same algorithm elsewhere. What is the ratio where several vCPUs want the lock: it is shown with its interval, and not judged. And
//! above 1x: does the best of ours whose waiters halt have at least the rate of a mutex that sleeps, and how fair is either? The best
//! that a kernel has is asked too, where another is better.

use super::answers::uncontended;
use super::comparison::{Comparison, compare};
use crate::derive::setting::{Setting, environments, main_setting};
use crate::format::{overcommit, range, ratio, significant, vcpus_on};
use crate::record::{Carried, Cell, LockDescriptor, Results, Status};
use crate::statistics::MIN_ROUNDS;

/// Fraction of the rate of the same algorithm in a library that ours is to have at least, on one vCPU.
pub const LEAST: f64 = 0.95;

/// What a lock of ours is compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// One vCPU: the same algorithm, which is to be no slower.
    Uncontended,
    /// Several vCPUs: the same algorithm, for information.
    Contended,
    /// More vCPUs than pCPUs: a mutex whose waiters sleep.
    Overcommitted,
}

/// How ours stands beside the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The whole interval is at or above what is asked.
    Level,
    /// The whole interval is below.
    Loses,
    /// The interval leaves both open, or there is none.
    CannotBeTold,
    /// Nothing is asked.
    Shown,
}

impl Standing {
    /// The standing in a word or three; none where nothing is judged.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Level => Some("keeps up"),
            Self::Loses => Some("loses"),
            Self::CannotBeTold => Some("cannot be told"),
            Self::Shown => None,
        }
    }
}

/// A lock of ours beside another.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside<'a> {
    /// In what they are compared.
    pub ground: Ground,
    /// Ours.
    pub ours: &'a Cell,
    /// The other.
    pub theirs: &'a Cell,
    /// Ours to theirs.
    pub comparison: Comparison,
    /// How ours stands.
    pub standing: Standing,
}

/// Every comparison that a run has, those on one vCPU first. A run without a lock from elsewhere that names one of ours has none.
pub fn besides(results: &Results) -> Vec<Beside<'_>> {
    let pairs = pairs(results);
    if pairs.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<Beside<'_>> = Vec::new();
    for &(ours, theirs) in &pairs {
        let cells = uncontended(results, NATIVE, ours).zip(uncontended(results, NATIVE, theirs));
        all.extend(cells.map(|(ours, theirs)| beside(results, Ground::Uncontended, ours, theirs)));
    }
    let settings: Vec<Setting<'_>> =
        environments(results).into_iter().filter_map(|env| main_setting(results, env)).collect();
    for setting in &settings {
        for &(ours, theirs) in &pairs {
            for one in setting.of(ours).filter(|cell| cell.axes.vcpus > 1) {
                let size =
                    |cell: &&Cell| (cell.axes.vcpus, &cell.axes.pcpus) == (one.axes.vcpus, &one.axes.pcpus);
                let other = setting.of(theirs).find(size);
                all.extend(other.map(|other| beside(results, Ground::Contended, one, other)));
            }
        }
    }
    for setting in &settings {
        for step in setting.above_one() {
            for ours in best_halting(results, setting, step) {
                let mutexes = results.locks.iter().filter(|lock| lock.peer && lock.blocks);
                let cells = mutexes.filter_map(|lock| setting.at(&lock.name, step));
                all.extend(cells.map(|mutex| beside(results, Ground::Overcommitted, ours, mutex)));
            }
        }
    }
    // What an environment cannot run is compared with nothing there.
    all.retain(|beside| [beside.ours, beside.theirs].iter().all(|cell| cell.status != Status::Skipped));
    all
}

/// Why the lock of a kernel is slower on one vCPU than a library's lock of its kind: a sentence for each pair. Such a library's lock
/// names one of ours that has no kernel's instructions, and that one names the kernel's.
pub fn kernels_own(results: &Results) -> Vec<String> {
    let alone = besides(results).into_iter().filter(|beside| beside.ground == Ground::Uncontended);
    alone.filter_map(|beside| kernel_beside(results, &beside)).collect()
}

fn kernel_beside(results: &Results, beside: &Beside<'_>) -> Option<String> {
    let compared = results.lock(&beside.ours.axes.lock).filter(|lock| lock.kernel.is_none())?;
    let kernels =
        results.lock(compared.baseline.as_deref()?).filter(|lock| is_ours(lock) && lock.kernel.is_some())?;
    let cell = uncontended(results, NATIVE, &kernels.name)?;
    let kernels_beside = self::beside(results, Ground::Uncontended, cell, beside.theirs);
    let why = compared.carries.as_deref().filter(|_| kernels_beside.standing == Standing::Loses)?;
    Some(format!(
        "{}, for it keeps the kernel's own instructions; {}, which is compared in its place, is {why}",
        kernels_beside.told(),
        compared.name
    ))
}

const NATIVE: &str = "native";

/// Locks of ours, each with the same algorithm from elsewhere: a library's, or a shared object's.
fn pairs(results: &Results) -> Vec<(&str, &str)> {
    let elsewhere = |lock: &&LockDescriptor| (lock.peer || lock.object.is_some()) && !lock.blocks;
    let pair = |lock: &'_ LockDescriptor| -> Option<(usize, usize)> {
        let place = |name: &str| results.locks.iter().position(|lock| lock.name == name);
        let ours = place(lock.baseline.as_deref()?)?;
        is_ours(&results.locks[ours]).then_some((ours, place(&lock.name)?))
    };
    let name = |at: usize| results.locks[at].name.as_str();
    let mut pairs: Vec<(usize, usize)> = results.locks.iter().filter(elsewhere).filter_map(pair).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(ours, theirs)| (name(ours), name(theirs))).collect()
}

fn is_ours(lock: &LockDescriptor) -> bool {
    !lock.own && !lock.peer && lock.object.is_none()
}

/// Of our locks whose waiters halt those with the highest rate at a step: the best that a kernel has, and the best, if that is another.
fn best_halting<'a>(results: &Results, setting: &Setting<'a>, step: f64) -> Vec<&'a Cell> {
    let halt = |lock: &&LockDescriptor| is_ours(lock) && lock.paravirt == Carried::On;
    let (kernels, others): (Vec<_>, Vec<_>) =
        results.locks.iter().filter(halt).partition(|lock| lock.lock_of.is_some());
    let rate = |cell: &Cell| cell.ops_per_second.map_or(0.0, |rate| rate.median);
    let best = |locks: Vec<&LockDescriptor>| {
        let cells = locks.into_iter().filter_map(|lock| setting.at(&lock.name, step));
        cells.filter(|cell| cell.ops_per_second.is_some()).max_by(|a, b| rate(a).total_cmp(&rate(b)))
    };
    match (best(kernels), best(others)) {
        (Some(kernels), Some(other)) if rate(other) <= rate(kernels) => vec![kernels],
        (kernels, other) => kernels.into_iter().chain(other).collect(),
    }
}

fn beside<'a>(results: &Results, ground: Ground, ours: &'a Cell, theirs: &'a Cell) -> Beside<'a> {
    let comparison = compare(results, ours, theirs);
    let ratio = comparison.ratio.filter(|_| comparison.rounds >= MIN_ROUNDS);
    let standing = match (ground.asked(), ratio) {
        (None, _) => Standing::Shown,
        (Some(least), Some(ratio)) if ratio.low >= least => Standing::Level,
        (Some(least), Some(ratio)) if ratio.high < least => Standing::Loses,
        (Some(_), _) => Standing::CannotBeTold,
    };
    Beside { ground, ours, theirs, comparison, standing }
}

impl Ground {
    /// The ratio to the other that is asked of ours at least; none where nothing is asked.
    fn asked(self) -> Option<f64> {
        match self {
            Self::Uncontended => Some(LEAST),
            Self::Contended => None,
            Self::Overcommitted => Some(1.0),
        }
    }
}

impl Beside<'_> {
    /// `native on one vCPU`, `native, 2 vCPUs on 2 pCPUs`, `emulated at 2x`.
    pub fn place(&self) -> String {
        let axes = &self.ours.axes;
        let env = axes.told_env();
        match self.ground {
            Ground::Uncontended => format!("{env} on one vCPU"),
            // A run may have several sizes at one step of overcommit, and each is a row of its own.
            Ground::Contended => format!("{env}, {}", vcpus_on(axes.vcpus, axes.pcpus.len())),
            Ground::Overcommitted => format!("{env} at {}", overcommit(axes.overcommit)),
        }
    }

    /// `0.91 (0.90 to 0.93)`; none where it cannot be told.
    pub fn ratio(&self) -> Option<String> {
        let interval = self.comparison.ratio?;
        Some(format!("{} ({})", ratio(interval.median), range(interval, ratio)))
    }

    /// Jain's index of ours and of the other, as `0.70 beside 0.95`; none where vCPUs are not more than pCPUs, or it is not known.
    pub fn fairness(&self) -> Option<String> {
        let told = self.ground == Ground::Overcommitted;
        let of = |cell: &Cell| cell.fairness.jain.filter(|_| told).map(significant);
        Some(format!("{} beside {}", of(self.ours)?, of(self.theirs)?))
    }

    /// `pv-queued does 0.78 (0.71 to 0.85) times the rate of std-mutex, emulated at 4x, fairness 0.70 beside 0.95`; where there is no
    /// ratio, `ticket beside tas, emulated, 8 vCPUs on 2 pCPUs: no ratio (…)`.
    pub fn told(&self) -> String {
        let [ours, theirs] = [self.ours, self.theirs].map(|cell| &cell.axes.lock);
        let Some(of) = self.ratio() else {
            let why = self.comparison.verdict.reason().unwrap_or("no reason was recorded");
            return format!("{ours} beside {theirs}, {}: no ratio ({why})", self.place());
        };
        let fairness = self.fairness().map_or_else(String::new, |fairness| format!(", fairness {fairness}"));
        format!("{ours} does {of} times the rate of {theirs}, {}{fairness}", self.place())
    }
}
