//! What comparison and history need of a run: its machine, and for each cell the readings that can be compared with those of
//! another run.
//!
//! A digest is a fiftieth of the run it is made from, so that years of nights fit in one file.

mod cell;
mod identity;
mod skipped;
mod stored;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use cell::readings;
pub use cell::{CellDigest, Measure, Metric, Reading};
pub use identity::{Change, Identity, changes};
pub use skipped::Skipped;

use crate::date;
use crate::derive::noise::{Kind, halts, nearest_floor};
use crate::record::{FIRST_REVISION, Results, Status};

/// Version of the digest that this build writes. Adding a field does not raise it.
pub const DIGEST_VERSION: u32 = 1;

/// A run, digested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// See [`DIGEST_VERSION`].
    pub digest_version: u32,
    /// `20261122T031500Z-nightly-4f2a`.
    pub run_id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Name of the profile.
    pub profile: String,
    /// The machine; only runs of one machine are ever compared with each other.
    pub machine: Identity,
    /// What may change on a machine: kernel, microcode, toolchain, commit, by name.
    pub environment: BTreeMap<String, String>,
    /// Whether the run ended before its plan did.
    #[serde(default)]
    pub interrupted: bool,
    /// Where the run's report is, if it was kept: a path or a link.
    #[serde(default)]
    pub report: Option<String>,
    /// Spread of the run's A/A pairs by noise group and environment, as a fraction.
    #[serde(default)]
    pub noise: Vec<Noise>,
    /// Cells that were measured, or that broke, hung or crashed, in plan order.
    pub cells: Vec<CellDigest>,
    /// Cells that were planned and not measured, with the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// Rounds after which the run stopped because its time was up; none if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_after: Option<u32>,
}

/// How far apart two measurements of one cell in one run lay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Noise group: `one-vcpu`, `contended` or `overcommitted`.
    pub class: String,
    /// Environment of the cell that was run twice.
    pub env: String,
    /// Its lock; empty in digests of 0.1.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lock: String,
    /// Whether waiters of its lock halt there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halts: bool,
    /// As a fraction: 0.05 is 5 %.
    pub floor: f64,
}

impl Digest {
    /// Digests a run, finished or not.
    pub fn of(results: &Results) -> Self {
        let machine = &results.machine;
        let environment = [
            ("kernel", &machine.kernel),
            ("microcode", &machine.microcode),
            ("os", &machine.os),
            ("toolchain", &machine.toolchain),
            ("lockbench", &machine.lockbench),
            ("governor", &machine.governor),
            ("kvm", &machine.kvm),
        ];
        let mut digest = Self {
            digest_version: DIGEST_VERSION,
            run_id: results.run_id.clone(),
            started_at: date::parse(&results.started_at)
                .map_or_else(|_| results.started_at.clone(), date::utc),
            profile: results.profile.clone(),
            machine: Identity::of(machine),
            environment: environment.map(|(name, value)| (name.to_owned(), value.clone())).into(),
            interrupted: results.interrupted,
            report: None,
            noise: noise(results),
            // A cell that was skipped says nothing about its lock.
            cells: results
                .cells
                .iter()
                .filter(|cell| cell.status != Status::Skipped)
                .map(|cell| {
                    CellDigest::of(cell, revision(results, &cell.axes.lock), halts(results, &cell.axes))
                })
                .collect(),
            skipped: skipped::skipped(results),
            stopped_after: results.stopped.as_ref().map(|stopped| stopped.rounds),
        };
        digest.without_nul();
        digest
    }

    /// Whether nothing was measured; such a run is no night of a history.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether another digest may be of the same run: everything that is in both agrees. A digest made by another version may
    /// hold more or less, and the place of the report does not matter.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let head = |digest: &Self| {
            (
                digest.run_id.clone(),
                digest.started_at.clone(),
                digest.profile.clone(),
                digest.machine.clone(),
                digest.interrupted,
            )
        };
        let environment = |(name, value)| other.environment.get(name).is_none_or(|other| other == value);
        head(self) == head(other)
            && self.environment.iter().all(environment)
            && self.cells.len() == other.cells.len()
            && self.cells.iter().zip(&other.cells).all(|(own, other)| own.agrees_with(other))
    }

    /// Replaces NUL characters in the texts that are looked up: databases treat them differently.
    pub fn without_nul(&mut self) {
        let texts = [&mut self.run_id, &mut self.started_at, &mut self.profile];
        let of_cells = self.cells.iter_mut().flat_map(|cell| {
            let reason = cell.reason.as_mut();
            [&mut cell.id, &mut cell.lock, &mut cell.family, &mut cell.env, &mut cell.class]
                .into_iter()
                .chain(reason)
        });
        let of_skipped =
            self.skipped.iter_mut().flat_map(|skipped| skipped.cells.iter_mut().chain([&mut skipped.reason]));
        texts.into_iter().chain(of_cells).chain(of_skipped).for_each(without_nul);
    }

    /// The floor of the A/A pairs of a cell's noise group that are most like the cell.
    pub fn noise_of(&self, cell: &CellDigest) -> Option<f64> {
        let pairs = self.noise.iter().filter(|noise| noise.class == cell.class);
        let pairs =
            pairs.map(|noise| (Kind { halts: noise.halts, env: &noise.env, lock: &noise.lock }, noise.floor));
        nearest_floor(Kind { halts: cell.halts, env: &cell.env, lock: &cell.lock }, pairs)
    }

    /// A cell by its id.
    pub fn cell(&self, id: &str) -> Option<&CellDigest> {
        self.cells.iter().find(|cell| cell.id == id)
    }
}

fn revision(results: &Results, lock: &str) -> u32 {
    results.lock(lock).map_or(FIRST_REVISION, |lock| lock.revision)
}

/// Replaces each NUL by U+FFFD, the character for what cannot be shown.
pub(crate) fn without_nul(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

fn noise(results: &Results) -> Vec<Noise> {
    let floors = results.noise_floor.iter().filter_map(|noise| {
        let cell = results.cells.iter().find(|cell| cell.axes.id == noise.cell)?;
        let floor = noise.floor.filter(|floor| floor.is_finite())?;
        Some(Noise {
            class: noise.class.clone(),
            env: cell.axes.env.clone(),
            lock: cell.axes.lock.clone(),
            halts: halts(results, &cell.axes),
            floor,
        })
    });
    floors.collect()
}
