//! Who decides which vCPU runs.

use lockbench_reports::record::{self, params};

use super::{Axis, Env, Flag, InId, Lock};
use crate::Error;
use crate::error::unknown;

/// Who decides which vCPU runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheduler {
    /// This kernel's scheduler.
    Host,
    /// The emulated hypervisor: every runnable vCPU of a pCPU gets the same timeslice, in turn.
    RoundRobin,
    /// The emulated hypervisor: by credits, with a boost for vCPUs that wake, after Xen's first credit scheduler.
    Credit,
    /// The emulated hypervisor: the vCPUs of a virtual machine run at the same time.
    Gang,
}

impl Scheduler {
    /// Every scheduler.
    pub const ALL: [Self; 4] = [Self::Host, Self::RoundRobin, Self::Credit, Self::Gang];

    fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::RoundRobin => "round-robin",
            Self::Credit => "credit",
            Self::Gang => "gang",
        }
    }

    /// Whether the emulated hypervisor schedules the vCPUs.
    pub fn is_hypervisor(self) -> bool {
        self != Self::Host
    }

    /// The timeslice where none is asked for, in nanoseconds; none where the kernel decides.
    pub fn usual_slice_ns(self) -> Option<u64> {
        self.record().usual_slice_ns()
    }

    /// Why it cannot schedule cells of a lock in an environment; none if it can.
    pub fn refusal(self, lock: Lock, env: Env) -> Option<String> {
        let (name, lock_name, env_name) = (self.name(), lock.name(), env.name());
        if !self.is_hypervisor() {
            None
        } else if !env.hypervisor() {
            Some(format!("{name} is a hypervisor's scheduler, and {env_name} has no hypervisor"))
        } else if lock.family.sleeps_unseen() {
            Some(format!(
                "waiters of {lock_name} sleep in this kernel, so a vCPU gives its pCPU up without a word to the hypervisor that \
                 {name} belongs to"
            ))
        } else {
            None
        }
    }

    /// What a reader must know of a cell of so many vCPUs on so many pCPUs that it schedules.
    pub fn note(self, vcpus: usize, pcpus: usize) -> Option<String> {
        (self == Self::Gang && vcpus > pcpus).then(|| {
            let gangs = vcpus.div_ceil(pcpus);
            format!("{vcpus} vCPUs do not fit on {pcpus} pCPUs: they are split into {gangs} gangs, which run in turn")
        })
    }

    /// As records have it.
    pub fn record(self) -> record::Scheduler {
        match self {
            Self::Host => record::Scheduler::Host,
            Self::RoundRobin => record::Scheduler::RoundRobin,
            Self::Credit => record::Scheduler::Credit,
            Self::Gang => record::Scheduler::Gang,
        }
    }
}

impl Axis for Scheduler {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::SCHEDULER,
        key: "schedulers",
        takes: "NAMES",
        unit: "",
        default: "host",
        help: "Who decides which vCPU runs: host (this kernel); or the emulated hypervisor's, in slices of --slice: \
               round-robin, credit (after Xen's, with a boost for vCPUs that wake), gang (all vCPUs at the same time)",
        in_id: InId::Param,
        in_0_1: false,
        examples: &["host", "round-robin", "credit", "gang"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|scheduler| scheduler.name() == text);
        found.ok_or_else(|| unknown("scheduler", text, Self::ALL.map(Self::name)))
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_help_names_every_scheduler() {
        for scheduler in Scheduler::ALL {
            assert!(Scheduler::FLAGS[0].help.contains(scheduler.name()), "{scheduler:?} is not told of");
        }
        assert!(Scheduler::parse("credit3").is_err());
    }
}
