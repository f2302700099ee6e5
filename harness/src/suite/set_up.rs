//! The set-up that `suite`, `run` and `duel` share: looks at the machine, fits the plan into the time, makes the header.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use lockbench_reports::format::counted;
use lockbench_reports::record::{Header, SCHEMA_VERSION};

use super::{Run, Session, something_planned};
use crate::axes::Lock;
use crate::plan::{self, Profile};
use crate::topology::CpuList;
use crate::{Error, Registry};

/// What is to be run.
pub(crate) struct Asked<'a> {
    /// Name of the profile, which is a part of the run's id.
    pub(crate) name: &'a str,
    /// What to measure, and how.
    pub(crate) profile: &'a Profile,
    /// CPUs to measure on; all that this process may use where none are given.
    pub(crate) pcpus: Option<CpuList>,
    /// Seed of everything random.
    pub(crate) seed: u64,
    /// When the program started.
    pub(crate) began: Instant,
}

impl Run {
    /// Looks at the machine and fits the plan into its time. An error where nothing is left to be measured.
    pub(crate) fn set_up(asked: Asked<'_>, registry: &Registry) -> Result<Self, Error> {
        let Asked { name, profile, pcpus, seed, began } = asked;
        let started = Timestamp::now();
        let mut session = Session::open(pcpus.as_ref(), &profile.envs())?;
        let timing = session.timing(profile.window.as_nanos() as u64);
        let (cells, refused) = session.cells(profile, registry);
        let mut plan = plan::fit(cells, &timing, profile.rounds, profile.time, profile.noise_floor);
        plan.dropped.extend(refused);
        something_planned(&plan.cells, &plan.dropped)?;
        if let Some(limit) = checked(plan.cells.iter().map(|cell| cell.lock)) {
            session.limit(limit);
        }
        let header = Header {
            schema_version: SCHEMA_VERSION,
            run_id: format!("{}-{name}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), fastrand::u16(..)),
            started_at: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            command: command_line(),
            seed,
            profile: name.into(),
            rounds: profile.rounds,
            second_stage: 0,
            window_ns: timing.window_ns,
            machine: session.machine.clone(),
            locks: registry.descriptors(plan.cells.iter().map(|cell| cell.lock)),
            cells: plan.cells.iter().map(|cell| cell.axes.record()).collect(),
            dropped: plan.dropped.clone(),
        };
        Ok(Self { session, registry: *registry, plan, timing, header, began, time: profile.time })
    }

    /// Takes as many rounds as its time has room for, and never fewer than it was planned with.
    pub(crate) fn fill(&mut self) {
        if let Some(time) = self.time {
            self.header.rounds = self.plan.fill(self.header.rounds, time);
        }
    }

    /// "30 cells x 6 rounds, about 58 s, on CPUs 0-1; leave the machine alone until it is done."
    pub(crate) fn opening(&self, rounds: &str, estimate: Duration) -> String {
        format!(
            "{} x {rounds}, about {:.0} s, on CPUs {}; leave the machine alone until it is done.",
            counted(self.plan.cells.len(), "cell"),
            estimate.as_secs_f64().ceil(),
            self.session.topology.cpus()
        )
    }

    /// Windows of all its rounds.
    pub(crate) fn windows(&self) -> u64 {
        let Header { seed, rounds, .. } = self.header;
        plan::round(&self.plan.cells, &self.plan.twins, seed, 0).len() as u64 * u64::from(rounds)
    }
}

/// A sentence on the locks whose workers are compiled with checks; none where there are no such locks.
fn checked(locks: impl Iterator<Item = Lock>) -> Option<String> {
    let mut names: Vec<&str> = locks.filter(|lock| lock.family.checked).map(Lock::name).collect();
    names.sort_unstable();
    names.dedup();
    let figures = "Compiled with checks, so that their figures are not those of a release (build with --release, or give your package \
                   the profile that docs/writing-a-lock.md shows)";
    (!names.is_empty()).then(|| format!("{figures}: {}.", names.join(", ")))
}

/// The command as typed, for the record.
fn command_line() -> String {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    std::iter::once(program).chain(words.map(quote)).collect::<Vec<_>>().join(" ")
}

fn quote(word: String) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
