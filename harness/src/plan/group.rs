//! A group of cells: the product of its axes.

use std::sync::Arc;

use lockbench_reports::record::{Case, Purpose};

use super::numa::Numa;
use super::{replays, vms};
use crate::axes::{
    Axis, Env, Lists, Lock, On, Pinning, Replayed, Scheduler, Size, Slice, Values, Workload, flags,
    or_default,
};
use crate::cell::RecordedLog;
use crate::error::unknown;
use crate::{Error, Registry};

/// A group of cells: the product of its axes. An axis without values has its default.
#[derive(Clone, Debug, Default)]
pub(crate) struct CellGroup {
    /// The locks, if any are named.
    pub(crate) locks: Option<Vec<Lock>>,
    /// Values of the other axes.
    pub(crate) lists: Lists,
    /// What the group compares across NUMA nodes, if that is its purpose. On a machine with nothing to compare it is left out.
    pub(crate) numa: Option<Numa>,
    /// The virtual machines that share the pCPUs, of which the cells measure the first; none where there is one.
    pub(crate) case: Option<Case>,
    /// Where it stands in its file; empty for the group of a command line.
    pub(crate) place: String,
    /// Name of the case, until the machines are known.
    case_name: Option<String>,
    /// The log that the cells replay, if there is one.
    recorded: Option<Arc<RecordedLog>>,
    /// Purposes that are switched on or off; the others have their defaults.
    switched: Vec<(Purpose, bool)>,
}

/// A purpose of windows that a group may ask for: by a key of profiles, and some also by an option.
#[derive(Debug)]
pub(crate) struct Switch {
    /// Name of the key and of the option.
    pub(crate) name: &'static str,
    /// Its help.
    pub(crate) help: &'static str,
    /// Whether it is on by default; then it is no option.
    pub(crate) default: bool,
    /// What the windows are for.
    pub(crate) purpose: Purpose,
}

/// Every purpose that a group may ask for.
pub(crate) static SWITCHES: [Switch; 3] = [
    Switch { name: "rate", help: "Measure throughput", default: true, purpose: Purpose::Rate },
    Switch {
        name: "latency",
        help: "Measure acquire times as well, in windows of their own",
        default: false,
        purpose: Purpose::Latency,
    },
    Switch {
        name: "trace",
        help: "Trace events as well, in windows of their own",
        default: false,
        purpose: Purpose::Trace,
    },
];

/// Key of what a group compares across NUMA nodes.
const NUMA: &str = "numa";
/// Key of a case's name.
const CASE: &str = "case";
/// Key of the log that is replayed.
const REPLAY: &str = "replay";
/// Key of a case's virtual machines.
const VMS: &str = "vms";

impl CellGroup {
    /// Sets what a key of a profile says.
    pub(crate) fn set(&mut self, key: &str, value: &toml::Value, registry: &Registry) -> Result<(), Error> {
        if key == VMS {
            return self.share(vms::parse(value, registry)?);
        }
        let texts =
            texts(value).ok_or_else(|| Error::usage(format!("`{key}` takes a value or a list of values")))?;
        if let Some(switch) = SWITCHES.iter().find(|switch| switch.name == key) {
            let on = value.as_bool().ok_or_else(|| Error::usage(format!("`{key}` is true or false")))?;
            self.switch(switch, on);
        } else if key == CASE {
            let name = texts.first().filter(|name| texts.len() == 1 && vms::is_name(name));
            let wrong = || Error::usage("`case` is a name of small letters, digits and hyphens");
            self.case_name = Some(name.ok_or_else(wrong)?.clone());
        } else if key == REPLAY {
            self.replay(&Arc::new(replays::read(&texts.join(","))?));
        } else if key == NUMA {
            self.numa = Some(Numa::parse(&texts.join(","))?);
        } else {
            let flag = flags().find(|flag| flag.key == key).ok_or_else(|| unknown("key", key, keys()))?;
            if texts.is_empty() {
                return Err(Error::usage(format!(
                    "`{key}` names nothing; leave it out for {}",
                    flag.default
                )));
            }
            if Lock::FLAGS[0].key == key {
                self.locks = Some(Lock::read(&texts, registry)?);
            }
            self.lists.add(flag, &texts)?;
        }
        Ok(())
    }

    /// An error of this group, with its place if it has one.
    pub(crate) fn locate(&self, error: Error) -> Error {
        if self.place.is_empty() { error } else { error.inside(self.place.clone()) }
    }

    /// Has the cells replay a log, in cells of its size unless the group has sizes.
    pub(crate) fn replay(&mut self, log: &Arc<RecordedLog>) {
        let scheduler = Scheduler::Replay(Replayed::Recorded(log.hash()));
        self.lists.scheduler = vec![scheduler];
        let usual = scheduler.usual_slice_ns() == Some(log.slice_ns);
        self.lists.slice = vec![if usual { Slice::Kernel } else { Slice::Ns(log.slice_ns) }];
        if self.lists.size.is_empty() {
            self.lists.size = vec![Size::Count(log.vcpus as u32)];
        }
        if self.lists.on.is_empty() {
            self.lists.on = vec![On::Count(log.timetable.pcpus())];
        }
        if self.lists.pinning.is_empty() && log.moves() {
            self.lists.pinning = vec![Pinning::Floating];
        }
        self.recorded = Some(log.clone());
    }

    /// The log that the cells replay.
    pub(crate) fn recorded(&self) -> Option<&Arc<RecordedLog>> {
        self.recorded.as_ref()
    }

    /// Has the cells share their pCPUs with other virtual machines.
    fn share(&mut self, case: Case) -> Result<(), Error> {
        self.lists.size = vec![Size::Count(case.vms[0].vcpus)];
        self.case = Some(case);
        Ok(())
    }

    /// Names the scenario and the case, once every key was read.
    pub(crate) fn name_case(&mut self, scenario: &str, shows: &str) -> Result<(), Error> {
        match (&mut self.case, self.case_name.take()) {
            (Some(case), Some(name)) => {
                (case.scenario, case.shows, case.name) = (scenario.into(), shows.into(), name);
                self.check_case()
            }
            (None, None) => Ok(()),
            _ => Err(Error::usage("a case has both a name, `case`, and its virtual machines, `vms`")),
        }
    }

    /// An error if another number of vCPUs is asked for than the measured machine has.
    pub(crate) fn check_case(&self) -> Result<(), Error> {
        match (&self.case, &self.lists.size[..]) {
            (Some(case), [Size::Count(vcpus)]) if *vcpus == case.vms[0].vcpus => self.check_one_of_each(),
            (None, _) => Ok(()),
            _ => Err(Error::usage(
                "a case has as many vCPUs as its `vms` say: leave `vcpus` and `overcommit` out",
            )),
        }
    }

    /// An error if a case has several values of an axis, for its column in the report has room for one.
    fn check_one_of_each(&self) -> Result<(), Error> {
        let apart = [Lock::FLAGS[0].key, Env::FLAGS[0].key, Workload::FLAGS[0].key];
        let several = self.lists.several().into_iter().find(|key| !apart.contains(key));
        match several {
            Some(key) => Err(Error::usage(format!(
                "a case has one value of `{key}`: give each value a case of its own"
            ))),
            None => Ok(()),
        }
    }

    /// Switches windows of a purpose on or off.
    pub(crate) fn switch(&mut self, switch: &Switch, on: bool) {
        self.switched.push((switch.purpose, on));
    }

    /// Why windows are taken of its cells.
    pub(crate) fn purposes(&self) -> impl Iterator<Item = Purpose> {
        let said = |purpose| self.switched.iter().rev().find(|(known, _)| *known == purpose);
        SWITCHES
            .iter()
            .filter(move |switch| said(switch.purpose).map_or(switch.default, |(_, on)| *on))
            .map(|s| s.purpose)
    }

    /// The environments that it asks for.
    pub(crate) fn envs(&self) -> Vec<Env> {
        or_default(&self.lists.env)
    }

    /// The group's cells, before it is known which of them can be measured here.
    pub(crate) fn product(&self, registry: &Registry) -> Vec<(Values, Lock)> {
        match &self.locks {
            Some(locks) => self.lists.product(locks),
            None => self.lists.product(&Lock::defaults(registry)),
        }
    }
}

/// Everything that a group can say.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    flags()
        .map(|flag| flag.key)
        .chain([NUMA, CASE, VMS, REPLAY])
        .chain(SWITCHES.iter().map(|switch| switch.name))
}

/// A value or a list of values, as they are spelled.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Float(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(on) => Some(vec![on.to_string()]),
        toml::Value::Array(values) => {
            let each: Option<Vec<Vec<String>>> = values.iter().filter(|v| !v.is_array()).map(texts).collect();
            each.filter(|each| each.len() == values.len()).map(|each| each.concat())
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}
