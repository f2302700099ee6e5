//! The axes, as options that `suite`, `run` and `duel` share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use crate::axes::{Axis, Env, Flag, Lists, Lock, Scheduler, Slice, flags, parse_duration};
use crate::cell::RecordedLog;
use crate::plan::{Profile, SWITCHES, Switch, replays};
use crate::suite::Asked;
use crate::topology::CpuList;
use crate::{Error, Registry};

/// Options that choose what is measured and how often. The options of the axes are made from the table of axes; each takes
/// a comma-separated list.
#[derive(Clone, Debug)]
pub(crate) struct Axes {
    /// Values as the user spelled them.
    given: Vec<(&'static Flag, Vec<String>)>,
    switches: Vec<&'static Switch>,
    how: How,
}

#[derive(clap::Args, Clone, Debug)]
struct How {
    /// CPUs to measure on: 0-3,8 [default: all that this process may use]
    #[arg(long, value_name = "CPUS")]
    pcpus: Option<String>,
    /// Length of a window: 200ms
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    window: Option<Duration>,
    /// How often each cell is measured
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Replay a schedule log that a run recorded: the run's directory, and the cell where it has several. Whatever its lock does,
    /// every cell gets the same instants
    #[arg(long, value_name = "RUN[:CELL]")]
    replay: Option<String>,
    /// Seed of everything random [default: from the clock]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Heading of the axes' options in `--help`.
const HEADING: &str = "Axes: values separated by commas, in place of the profile's";

impl clap::Args for Axes {
    fn augment_args(command: Command) -> Command {
        let command = flags().fold(How::augment_args(command), |command, flag| command.arg(option(flag)));
        SWITCHES.iter().filter(|switch| !switch.default).fold(command, |command, switch| {
            command.arg(Arg::new(switch.name).long(switch.name).help(switch.help).action(ArgAction::SetTrue))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn option(flag: &'static Flag) -> Arg {
    let default =
        if flag.default.is_empty() { String::new() } else { format!(" [default: {}]", flag.default) };
    Arg::new(flag.name)
        .long(flag.name)
        .value_name(flag.takes)
        .help(format!("{}{default}", flag.help))
        .help_heading(HEADING)
        .value_delimiter(',')
        .action(ArgAction::Append)
}

impl FromArgMatches for Axes {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let texts = |flag: &Flag| Some(matches.get_many::<String>(flag.name)?.cloned().collect());
        let asked = |switch: &&Switch| !switch.default && matches.get_flag(switch.name);
        Ok(Self {
            given: flags().filter_map(|flag| Some((flag, texts(flag)?))).collect(),
            switches: SWITCHES.iter().filter(asked).collect(),
            how: How::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Axes {
    /// Replaces what the profile says by what is given here.
    pub(crate) fn apply(&self, profile: &mut Profile, registry: &Registry) -> Result<(), Error> {
        let (mut locks, mut lists) = (None, Lists::default());
        for (flag, texts) in &self.given {
            if Lock::FLAGS[0].name == flag.name {
                locks = Some(Lock::read(texts, registry)?);
            }
            lists.add(flag, texts)?;
        }
        let recorded = self.recorded()?;
        for group in &mut profile.cells {
            group.locks = locks.clone().or(group.locks.take());
            group.lists.replace(&lists);
            if let Some(log) = &recorded {
                group.replay(log);
            }
            for switch in &self.switches {
                group.switch(switch, true);
            }
        }
        profile.rounds = self.how.rounds.unwrap_or(profile.rounds);
        if let Some(window) = self.how.window {
            profile.window = window;
            profile.cells.iter_mut().for_each(|group| group.window = None);
        }
        profile.check()
    }

    /// The log to replay, if one is asked for.
    fn recorded(&self) -> Result<Option<Arc<RecordedLog>>, Error> {
        let Some(replay) = &self.how.replay else { return Ok(None) };
        let says_too = [Scheduler::FLAGS[0].name, Slice::FLAGS[0].name];
        if let Some((flag, _)) = self.given.iter().find(|(flag, _)| says_too.contains(&flag.name)) {
            return Err(Error::usage(format!(
                "the log of --replay says who runs and when; leave out --{}",
                flag.name
            )));
        }
        Ok(Some(Arc::new(replays::read(replay)?)))
    }

    /// The first option of these that is given, if any.
    pub(crate) fn first(&self) -> Option<&'static str> {
        let How { pcpus, window, rounds, replay, seed } = &self.how;
        let how = [
            pcpus.as_ref().map(|_| "pcpus"),
            window.map(|_| "window"),
            rounds.map(|_| "rounds"),
            replay.as_ref().map(|_| "replay"),
            seed.map(|_| "seed"),
        ];
        let axis = self.given.first().map(|(flag, _)| flag.name);
        axis.or(self.switches.first().map(|switch| switch.name)).or(how.into_iter().flatten().next())
    }

    /// Whether values of that flag are given.
    pub(crate) fn gives(&self, flag: &Flag) -> bool {
        self.given.iter().any(|(given, _)| given.name == flag.name)
    }

    /// Names of the environments that somebody asked for, each once: here, or in a profile of their own.
    pub(crate) fn named_envs(&self, profile: &Profile, own_profile: bool) -> Vec<String> {
        let mut named: Vec<String> = Vec::new();
        if own_profile || self.gives(&Env::FLAGS[0]) {
            for env in profile.cells.iter().flat_map(|group| &group.lists.env) {
                if !named.contains(&env.show()) {
                    named.push(env.show());
                }
            }
        }
        named
    }

    /// The run that is asked for, from a profile to which these options were applied.
    pub(crate) fn asked<'a>(
        &self,
        name: &'a str,
        profile: &'a Profile,
        began: Instant,
    ) -> Result<Asked<'a>, Error> {
        let seed = self.how.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
        Ok(Asked { name, profile, pcpus: self.cpu_list()?, seed, began })
    }

    /// The CPUs asked for.
    pub(crate) fn cpu_list(&self) -> Result<Option<CpuList>, Error> {
        cpu_list(self.how.pcpus.as_deref())
    }

    /// The rounds asked for.
    pub(crate) fn rounds(&self) -> Option<u32> {
        self.how.rounds
    }
}

/// Reads a list of CPUs.
pub(crate) fn cpu_list(text: Option<&str>) -> Result<Option<CpuList>, Error> {
    Ok(text.map(str::parse).transpose()?)
}
