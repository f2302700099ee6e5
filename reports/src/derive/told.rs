//! Where a cell ran and under which parameters, in words. Every sentence, title and table takes them from here.

use crate::format::overcommit;
use crate::record::params::{KICK_COST, PAGES, SCENARIO, SCHEDULER, SLICE, SLICE_EXTENSION, SPIN};
use crate::record::{CellAxes, Scheduler};

/// Whether a replayed log is known by its hash, and not by the scheduler that made it.
fn is_hash(log: &str) -> bool {
    log.len() == 16 && log.bytes().all(|digit| digit.is_ascii_hexdigit())
}

impl CellAxes {
    /// `in round-robin slices of 10 ms`, `under a limit of 0.5 CPUs`; none where the kernel schedules the vCPUs without a limit.
    pub fn told_schedule(&self) -> Option<String> {
        if let Scheduler::Quota { cpus } = self.scheduler {
            return Some(format!("under a limit of {cpus} {}", if cpus == 1.0 { "CPU" } else { "CPUs" }));
        }
        let usual_ns = self.scheduler.usual_slice_ns()?;
        let slice = match self.params.get(SLICE) {
            Some(asked) => spaced(asked),
            None => format!("{} ms", usual_ns as f64 / 1e6),
        };
        Some(match &self.scheduler {
            Scheduler::Replay { log } if is_hash(log) => format!("in a replay of log {log}"),
            Scheduler::Replay { log } => format!("in a replay of {log} slices of {slice}"),
            live => format!("in {} slices of {slice}", live.name()),
        })
    }

    /// `emulated`, or `emulated in round-robin slices of 10 ms`.
    pub fn told_env(&self) -> String {
        match self.told_schedule() {
            Some(schedule) => format!("{} {schedule}", self.env),
            None => self.env.clone(),
        }
    }

    /// `at 2x in emulated`.
    pub fn told_place(&self) -> String {
        format!("at {} in {}", overcommit(self.overcommit), self.told_env())
    }

    /// Every other axis that is not at its default: the schedule, the case of a scenario, the price of halts and kicks and what waiters
    /// do in words, the others as `name=value`.
    pub fn told_params(&self) -> Vec<String> {
        let schedule = self.told_schedule();
        let sliced = self.scheduler.usual_slice_ns().is_some();
        let within = |name: &str| schedule.is_some() && (name == SCHEDULER || sliced && name == SLICE);
        let others = self.params.iter().filter(|(name, _)| !within(name));
        let others: Vec<String> = others.map(|(name, value)| told(name, value)).collect();
        schedule.iter().cloned().chain(others).collect()
    }

    /// Whether every other axis is at its default, but for the schedule.
    pub(crate) fn is_plain(&self) -> bool {
        self.told_params().len() == usize::from(self.told_schedule().is_some())
    }
}

/// `case hog of friebel-hog`, `halts and kicks 10 µs dearer`, `waiters yield in every step`, `memory=remote`.
fn told(name: &str, value: &str) -> String {
    match (name, value.split_once('/')) {
        (SCENARIO, Some((scenario, case))) => format!("case {case} of {scenario}"),
        (KICK_COST, _) => format!("halts and kicks {} dearer", spaced(value)),
        (SPIN, _) => spins(value),
        (PAGES, _) => format!("memory in {value} pages"),
        (SLICE_EXTENSION, _) if value == "on" => "holders ask for longer timeslices".to_owned(),
        _ => format!("{name}={value}"),
    }
}

/// `waiters yield in every step`, `waiters pause 100 times and then yield`.
fn spins(value: &str) -> String {
    match value.split_once(':') {
        Some((_, pauses)) => format!("waiters pause {pauses} times and then yield"),
        None => format!("waiters {value} in every step"),
    }
}

/// A duration as on the command line, `1500us`, as people read it: `1500 µs`.
fn spaced(asked: &str) -> String {
    match asked.find(|letter: char| !letter.is_ascii_digit() && letter != '.') {
        Some(at) => format!("{} {}", &asked[..at], asked[at..].trim().replace("us", "µs")),
        None => asked.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_schedule_is_told_in_words_and_other_parameters_as_they_are() {
        let mut cell: CellAxes = serde_json::from_str(
            r#"{"id": "", "lock": "ticket", "env": "emulated", "placement": "compact", "pinning": "pinned", "vcpus": 4,
                "pcpus": [0, 1], "overcommit": 2, "scheduler": {"kind": "host"}, "workload": {"name": "short", "section_ns": 100,
                "lines": 1, "think": "none", "think_ns": 0}}"#,
        )
        .unwrap();
        cell.params.insert(SLICE.into(), "4ms".into());
        assert_eq!((cell.told_env().as_str(), cell.told_params()), ("emulated", vec!["slice=4ms".into()]));
        assert!(!cell.is_plain());
        cell.scheduler = Scheduler::RoundRobin;
        cell.params.insert(SCHEDULER.into(), "round-robin".into());
        assert_eq!(cell.told_env(), "emulated in round-robin slices of 4 ms");
        assert!(cell.is_plain());
        cell.params.insert("spin-threshold".into(), "256".into());
        assert_eq!(cell.told_params(), ["in round-robin slices of 4 ms", "spin-threshold=256"]);
        cell.params.remove(SLICE);
        assert_eq!(cell.told_params()[0], "in round-robin slices of 10 ms");
        cell.params.insert(SLICE.into(), "1500us".into());
        assert_eq!(cell.told_params()[0], "in round-robin slices of 1500 µs");
        cell.scheduler = Scheduler::Replay { log: "credit".into() };
        assert_eq!(cell.told_env(), "emulated in a replay of credit slices of 1500 µs");
        cell.scheduler = Scheduler::Replay { log: "00c0ffee00c0ffee".into() };
        assert_eq!(cell.told_env(), "emulated in a replay of log 00c0ffee00c0ffee");
        // Under a limit the kernel gives slices as ever.
        cell.scheduler = Scheduler::Quota { cpus: 0.5 };
        cell.params.insert(SCHEDULER.into(), "quota:0.5".into());
        assert_eq!(cell.told_env(), "emulated under a limit of 0.5 CPUs");
        assert_eq!(cell.told_params()[1..], ["slice=1500us", "spin-threshold=256"]);
        cell.params.insert(SCENARIO.into(), "friebel-hog/hog".into());
        cell.params.insert(KICK_COST.into(), "70us".into());
        assert_eq!(cell.told_params()[1..3], ["halts and kicks 70 µs dearer", "case hog of friebel-hog"]);
        cell.params = BTreeMap::from([(SPIN.into(), "pause-then-yield:16".into())]);
        assert_eq!(cell.told_params().last().unwrap(), "waiters pause 16 times and then yield");
        cell.params = BTreeMap::from([(PAGES.into(), "huge".into())]);
        assert_eq!(cell.told_params().last().unwrap(), "memory in huge pages");
        cell.params.insert(SLICE_EXTENSION.into(), "on".into());
        assert_eq!(cell.told_params().last().unwrap(), "holders ask for longer timeslices");
        cell.params.insert(SPIN.into(), "yield".into());
        assert_eq!(cell.told_params().last().unwrap(), "waiters yield in every step");
    }
}
