//! Profiles: TOML files, built in or the user's own, that say what to measure and in which order of importance.

use std::path::Path;
use std::time::Duration;

use lockbench_reports::plain;
use lockbench_reports::record::Purpose;
use serde::{Deserialize, Deserializer};

use super::numa::Numa;
use crate::Error;
use crate::registry::unknown;

/// The built-in profiles, by name.
pub(crate) static BUILT_IN: &[(&str, &str)] = &[
    ("smoke", include_str!("../../profiles/smoke.toml")),
    ("quick", include_str!("../../profiles/quick.toml")),
    ("standard", include_str!("../../profiles/standard.toml")),
    ("nightly", include_str!("../../profiles/nightly.toml")),
    ("published", include_str!("../../profiles/published.toml")),
];

/// A profile. Its groups of cells are a priority list: what does not fit into `time` is dropped from the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Profile {
    /// One line for `suite --help` and the docs.
    pub(crate) about: String,
    /// Wall time for the whole run; none means as long as it takes.
    #[serde(default, deserialize_with = "optional_duration")]
    pub(crate) time: Option<Duration>,
    /// How often every cell is measured.
    pub(crate) rounds: u32,
    /// Length of a window, at least [`Profile::SHORTEST_WINDOW`].
    #[serde(deserialize_with = "duration")]
    pub(crate) window: Duration,
    /// Whether A/A pairs are run.
    #[serde(default = "yes")]
    pub(crate) noise_floor: bool,
    /// The groups, most important first.
    pub(crate) cells: Vec<CellGroup>,
}

/// A group of cells: the product of its axes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct CellGroup {
    /// Names of locks, or of groups of locks: `core`, `own`, `all`.
    pub(crate) locks: Vec<String>,
    /// Names of environments.
    pub(crate) envs: Vec<String>,
    /// Names of workloads: `short`, `lines:8+exp:500ns`.
    pub(crate) workloads: Vec<String>,
    /// vCPUs per pCPU, on all pCPUs that a cell is given.
    #[serde(default)]
    pub(crate) overcommit: Vec<f64>,
    /// vCPU counts, each on at most as many pCPUs; counts above the number of pCPUs overcommit.
    #[serde(default)]
    pub(crate) vcpus: Vec<u32>,
    /// What the group compares across NUMA nodes, if it is there for that: left out where there is nothing to compare.
    #[serde(default)]
    pub(crate) numa: Option<Numa>,
    /// How many pCPUs a cell is given: `all`, `node` (as many as a NUMA node has cores), or a number.
    #[serde(default = "all")]
    pub(crate) on: Vec<String>,
    /// Names of placements.
    #[serde(default = "compact")]
    pub(crate) placements: Vec<String>,
    /// `pinned`, `floating`.
    #[serde(default = "pinned")]
    pub(crate) pinnings: Vec<String>,
    /// `local`, `remote`, `interleave`.
    #[serde(default = "local")]
    pub(crate) memory: Vec<String>,
    /// Spin thresholds of paravirtual locks, in iterations; empty: the kernel's.
    #[serde(default)]
    pub(crate) spin_thresholds: Vec<u32>,
    /// What makes a waiter of `pv-queued` halt before its threshold: `halted` (the waiter before it has), `hint` (that, or
    /// the host calls it preempted), `always`; empty: `halted`.
    #[serde(default)]
    pub(crate) early_waits: Vec<String>,
    /// Arrivals per second, all vCPUs together, in an open loop; empty: a closed loop.
    #[serde(default)]
    pub(crate) arrivals: Vec<f64>,
    /// Timeslices for the vCPUs' threads to ask for; empty: the kernel's own.
    #[serde(default)]
    pub(crate) slices: Vec<String>,
    /// `count` (preemptions and events), or `off` to see what counting costs.
    #[serde(default = "count")]
    pub(crate) probe: String,
    /// Whether throughput is measured.
    #[serde(default = "yes")]
    pub(crate) rate: bool,
    /// Whether acquire times are measured, in windows of their own.
    #[serde(default)]
    pub(crate) latency: bool,
    /// Whether events are traced, in windows of their own.
    #[serde(default)]
    pub(crate) trace: bool,
}

impl CellGroup {
    /// Why windows are taken of its cells.
    pub(crate) fn purposes(&self) -> impl Iterator<Item = Purpose> + use<> {
        let purposes =
            [(self.rate, Purpose::Rate), (self.latency, Purpose::Latency), (self.trace, Purpose::Trace)];
        purposes.into_iter().filter(|(asked, _)| *asked).map(|(_, purpose)| purpose)
    }
}

fn yes() -> bool {
    true
}

fn all() -> Vec<String> {
    vec!["all".into()]
}

fn compact() -> Vec<String> {
    vec!["compact".into()]
}

fn pinned() -> Vec<String> {
    vec!["pinned".into()]
}

fn count() -> String {
    "count".into()
}

fn local() -> Vec<String> {
    vec!["local".into()]
}

impl Profile {
    /// Below this a window's edges and the kernel's ticks show.
    pub(crate) const SHORTEST_WINDOW: Duration = Duration::from_millis(100);

    /// A built-in profile.
    pub(crate) fn built_in(name: &str) -> Result<Self, Error> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (_, text) =
            found.ok_or_else(|| unknown("profile", name, BUILT_IN.iter().map(|(name, _)| *name)))?;
        Self::parse(text).map_err(|e| Error::new(format!("built-in profile {name}: {e}")))
    }

    /// A user's own profile.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::new(format!("cannot read the configuration {}: {}", path.display(), plain::words(&e)))
        })?;
        Self::parse(&text).map_err(|e| Error::new(format!("configuration {}: {e}", path.display())))
    }

    /// Names of the environments that it asks for.
    pub(crate) fn envs(&self) -> Vec<&str> {
        self.cells.iter().flat_map(|group| &group.envs).map(String::as_str).collect()
    }

    /// Reads the text of a profile.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // The parser's own message shows the line and the field on several lines; the user gets one.
        let profile: Self = toml::from_str(text).map_err(|e| {
            let before = e.span().map_or("", |span| &text[..span.start.min(text.len())]);
            let line = before.matches('\n').count() + 1;
            format!("line {line}: {}", e.message().replace('\n', " "))
        })?;
        profile.check()?;
        Ok(profile)
    }

    /// What a type cannot say.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.rounds == 0 || self.rounds > 10_000 {
            return Err(format!("rounds is {}; give 1 to 10000", self.rounds));
        }
        if self.window < Self::SHORTEST_WINDOW {
            return Err(format!("window is {:?}; windows below 100ms show the kernel's ticks", self.window));
        }
        if self.window > Duration::from_secs(600) {
            return Err(format!("window is {:?}; give at most 10m", self.window));
        }
        if self.cells.is_empty() {
            return Err("it has no [[cells]]".into());
        }
        for group in &self.cells {
            if let Some(k) = group.overcommit.iter().find(|k| !(0.01..=64.0).contains(*k)) {
                return Err(format!("overcommit {k} is out of range; give 0.01 to 64 vCPUs per pCPU"));
            }
            if let Some(rate) = group.arrivals.iter().find(|rate| !(rate.is_finite() && **rate > 0.0)) {
                return Err(format!("{rate} arrivals per second cannot be had; give more than 0"));
            }
            if group.overcommit.is_empty() && group.vcpus.is_empty() {
                return Err("a group of cells needs `overcommit` or `vcpus`".into());
            }
            if !group.rate && !group.latency && !group.trace {
                return Err("a group of cells without `rate`, `latency` and `trace` measures nothing".into());
            }
        }
        Ok(())
    }
}

/// Reads `250ns`, `30us`, `2ms`, `90s`, `4m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| {
        format!("`{}` is no duration; write it like 250ns, 30us, 2ms, 90s or 4m", text.escape_debug())
    })
}

/// Writes a duration as [`parse_duration`] reads it, in the largest unit that leaves a whole number: one spelling each.
pub(crate) fn show_duration(ns: u64) -> String {
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")];
    let unit = units.into_iter().find(|(unit, _)| ns > 0 && ns.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "ns"));
    format!("{}{name}", ns / unit)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

fn optional_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_parse() {
        for (name, _) in BUILT_IN {
            Profile::built_in(name).unwrap_or_else(|e| panic!("{e}"));
        }
    }

    #[test]
    fn a_duration_has_one_spelling() {
        for (ns, shown) in [(0, "0ns"), (1500, "1500ns"), (4_000_000, "4ms"), (60_000_000_000, "60s")] {
            assert_eq!(show_duration(ns), shown);
            assert_eq!(parse_duration(shown).unwrap().as_nanos(), u128::from(ns));
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_field() {
        let text =
            "about = 'x'\nrounds = 6\nwindow = '100ms'\n[[cells]]\nlocks = ['ticket']\nenvz = ['native']\n";
        let error = Profile::parse(text).unwrap_err();
        assert!(error.contains("line 6") && error.contains("envz"), "{error}");
        let short = "about = 'x'\nrounds = 6\nwindow = '10ms'\n[[cells]]\nlocks = []\nenvs = []\nworkloads = []\nvcpus = [1]\n";
        assert!(Profile::parse(short).unwrap_err().contains("below 100ms"));
    }
}
