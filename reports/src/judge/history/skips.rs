//! Cells that have been skipped for several nights in a row.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Night;
use crate::derive::digest::{Digest, Skipped};

/// A cell is reported once it was skipped for this many nights in a row.
pub const REPORTED_FROM: usize = 5;

/// Cells that were skipped in the same nights for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skip {
    /// Ids of the cells.
    pub skipped: Vec<String>,
    /// Number of nights in a row.
    pub nights: usize,
    /// Date of the first of these nights.
    pub since: String,
    /// Date of the last night in which the cells were measured; none if they never were.
    pub measured: Option<String>,
    /// Why they were skipped in the last of these nights.
    pub reason: String,
}

/// Gathers what each night skipped.
#[derive(Debug, Default)]
pub(super) struct Skips(BTreeMap<String, Streak>);

#[derive(Debug, Default)]
struct Streak {
    nights: usize,
    since: usize,
    last: usize,
    measured: Option<usize>,
    reason: String,
}

impl Skips {
    /// Adds a night. A cell that the night neither measured nor skipped keeps its streak.
    pub(super) fn add(&mut self, night: usize, digest: &Digest) {
        for cell in &digest.cells {
            let streak = self.0.entry(cell.id.clone()).or_default();
            *streak = Streak { measured: Some(night), ..Streak::default() };
        }
        for Skipped { reason, cells } in &digest.skipped {
            for cell in cells.iter().filter(|cell| digest.cell(cell).is_none()) {
                let streak = self.0.entry(cell.clone()).or_default();
                if streak.nights == 0 {
                    streak.since = night;
                }
                streak.nights += 1;
                streak.last = night;
                streak.reason.clone_from(reason);
            }
        }
    }

    /// The cells that have been skipped for long enough, up to one of the latest nights; the longest streak first.
    pub(super) fn finish(self, nights: &[Night]) -> Vec<Skip> {
        let mut skips: Vec<Skip> = Vec::new();
        let lasting =
            |streak: &Streak| streak.nights >= REPORTED_FROM && streak.last + REPORTED_FROM >= nights.len();
        for (cell, streak) in self.0.into_iter().filter(|(_, streak)| lasting(streak)) {
            let skip = Skip {
                skipped: vec![cell],
                nights: streak.nights,
                since: nights[streak.since].date(),
                measured: streak.measured.map(|night| nights[night].date()),
                reason: streak.reason,
            };
            let alike = |known: &&mut Skip| {
                (known.nights, &known.since, &known.measured, &known.reason)
                    == (skip.nights, &skip.since, &skip.measured, &skip.reason)
            };
            match skips.iter_mut().find(alike) {
                Some(known) => known.skipped.extend(skip.skipped),
                None => skips.push(skip),
            }
        }
        skips.sort_by_key(|skip| std::cmp::Reverse(skip.nights));
        skips
    }
}
