//! A group of cells: the product of its axes.

use std::sync::Arc;
use std::time::Duration;

use lockbench_reports::record::{Answer, Case, Layout, Move, Pool, Purpose};

use super::numa::Numa;
use super::width::Width;
use super::{pools, replays, vms};
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
    /// For how wide machines it is.
    pub(crate) width: Width,
    /// The shortest window of its cells where that is another than the profile's, as among scenarios that are measured together.
    pub(crate) window: Option<Duration>,
    /// What else the case has, until the machines are known.
    told: CaseKeys,
    /// The log that the cells replay, if there is one.
    recorded: Option<Arc<RecordedLog>>,
    /// Purposes that are switched on or off; the others have their defaults.
    switched: Vec<(Purpose, bool)>,
}

/// What a group says of its case besides the virtual machines.
#[derive(Clone, Debug, Default)]
struct CaseKeys {
    name: Option<String>,
    pools: Vec<Pool>,
    moves: Vec<Move>,
    answer: Option<Answer>,
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
/// Key of the pools that a case's pCPUs are in.
const POOLS: &str = "pools";
/// Key of what changes about the pools.
const MOVES: &str = "moves";
/// Key of what a case is to tell.
const ANSWER: &str = "answer";

impl CellGroup {
    /// Sets what a key of a profile says.
    pub(crate) fn set(&mut self, key: &str, value: &toml::Value, registry: &Registry) -> Result<(), Error> {
        match key {
            VMS => return self.share(vms::parse(value, registry)?),
            POOLS => {
                self.told.pools = pools::parse(value)?;
                return Ok(());
            }
            MOVES => {
                self.told.moves = pools::moves(value)?;
                return Ok(());
            }
            Width::FROM | Width::BELOW => return self.width.set(key, value),
            _ => {}
        }
        let texts =
            texts(value).ok_or_else(|| Error::usage(format!("`{key}` takes a value or a list of values")))?;
        if let Some(switch) = SWITCHES.iter().find(|switch| switch.name == key) {
            let on = value.as_bool().ok_or_else(|| Error::usage(format!("`{key}` is true or false")))?;
            self.switch(switch, on);
        } else if key == CASE {
            let name = texts.first().filter(|name| texts.len() == 1 && vms::is_name(name));
            let wrong = || Error::usage("`case` is a name of small letters, digits and hyphens");
            self.told.name = Some(name.ok_or_else(wrong)?.clone());
        } else if key == ANSWER {
            self.told.answer = Some(match &texts.concat()[..] {
                "rates" => Answer::Rates,
                "shares" => Answer::Shares,
                other => return Err(unknown("answer", other, ["rates", "shares"])),
            });
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
        self.lists.size = vec![Size::Count(case.vms[0].lock_users())];
        self.case = Some(case);
        Ok(())
    }

    /// Names the scenario and the case, once every key was read. An error has the key whose value is wrong, if it is one.
    pub(crate) fn name_case(
        &mut self,
        scenario: &str,
        shows: &str,
    ) -> Result<(), (Option<&'static str>, Error)> {
        let CaseKeys { name, pools, moves, answer } = std::mem::take(&mut self.told);
        match (&mut self.case, name) {
            (Some(case), Some(name)) => {
                (case.scenario, case.shows, case.name) = (scenario.into(), shows.into(), name);
                (case.pools, case.moves, case.answer) = (pools, moves, answer.unwrap_or_default());
                Layout::all(case).map_err(|e| (Some(e.field), Error::usage(e.why)))?;
                if case.floats() && self.lists.pinning.is_empty() {
                    self.lists.pinning = vec![Pinning::Floating];
                }
                self.check_case().map_err(|e| (None, e))
            }
            (None, None) => {
                let given =
                    [(POOLS, !pools.is_empty()), (MOVES, !moves.is_empty()), (ANSWER, answer.is_some())];
                match given.into_iter().find(|(_, given)| *given) {
                    None => Ok(()),
                    Some((key, _)) => {
                        let why = format!("`{key}` belongs to a case: give `case` and `vms`");
                        Err((Some(key), Error::usage(why)))
                    }
                }
            }
            _ => {
                let why = "a case has both a name, `case`, and its virtual machines, `vms`";
                Err((None, Error::usage(why)))
            }
        }
    }

    /// An error if the case changes something when the window is over already.
    pub(crate) fn check_moves(&self, window: Duration) -> Result<(), (Option<&'static str>, Error)> {
        let late = |one: &&Move| u128::from(one.at_ns) >= window.as_nanos();
        let moves = self.case.iter().flat_map(|case| &case.moves);
        match moves.enumerate().find(|(_, one)| late(one)) {
            None => Ok(()),
            Some((index, _)) => Err((
                Some(MOVES),
                Error::usage(format!(
                    "moves, number {}: `at` is beyond the window, which lasts {window:?}",
                    index + 1
                )),
            )),
        }
    }

    /// An error if vCPUs that go from pCPU to pCPU are to stay on one, or if a pCPU is named that the case does not have.
    fn check_places(&self) -> Result<(), Error> {
        let Some(case) = &self.case else { return Ok(()) };
        if case.floats() && self.lists.pinning.contains(&Pinning::Pinned) {
            return Err(Error::usage(
                "`pinnings`: in a case with `pools`, `hard`, `soft` or `threads-per-vcpu` the vCPUs are floating; leave it out",
            ));
        }
        let few = self.lists.on.iter().find_map(|on| match on {
            On::Count(pcpus) => Some(*pcpus).filter(|few| case.no_such_pcpu(*few).is_some()),
            On::All | On::Node => None,
        });
        match few.and_then(|few| case.no_such_pcpu(few)) {
            Some(why) => Err(Error::usage(format!("`on`: {why}"))),
            None => Ok(()),
        }
    }

    /// An error if another number of vCPUs is asked for than the measured machine has.
    pub(crate) fn check_case(&self) -> Result<(), Error> {
        match (&self.case, &self.lists.size[..]) {
            (Some(case), [Size::Count(vcpus)]) if *vcpus == case.vms[0].lock_users() => {
                self.check_places()?;
                self.check_one_of_each()
            }
            (None, _) => Ok(()),
            _ => Err(Error::usage(
                "a case has as many vCPUs as its `vms` say: leave `vcpus` and `overcommit` out",
            )),
        }
    }

    /// An error if times are asked for of a workload that has none.
    pub(crate) fn check_times(&self) -> Result<(), Error> {
        let takes_times = |purpose| matches!(purpose, Purpose::Latency | Purpose::Trace);
        if !self.purposes().any(takes_times) {
            return Ok(());
        }
        or_default(&self.lists.workload).iter().try_for_each(Workload::check_times)
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

    /// What it is called where it is left out.
    pub(crate) fn shown(&self) -> String {
        self.case.as_ref().map_or_else(
            || "a group of cells".to_owned(),
            |case| format!("scenario={}/{}", case.scenario, case.name),
        )
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
        .chain([NUMA, CASE, VMS, REPLAY, POOLS, MOVES, ANSWER, Width::FROM, Width::BELOW])
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
