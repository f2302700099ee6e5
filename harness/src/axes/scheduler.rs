//! Who decides which vCPU runs.

use lockbench_reports::record::{self, Case, Layout, USUAL_WEIGHT, params};

use super::{Axis, CpuLimit, Env, Flag, InId, Lock, Replayed};
use crate::Error;
use crate::error::unknown;

/// The name of the scheduler that a figure follows.
const QUOTA: &str = "quota";
/// The name of the scheduler that a log follows.
const REPLAY: &str = "replay";

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
    /// The emulated hypervisor: a log says who runs, from when to when, whatever the lock does.
    Replay(Replayed),
    /// This kernel's scheduler, with a limit for all vCPUs together.
    Quota(CpuLimit),
}

impl Scheduler {
    /// Every scheduler that takes nothing behind its name.
    pub const PLAIN: [Self; 4] = [Self::Host, Self::RoundRobin, Self::Credit, Self::Gang];

    /// Its name, without what follows it.
    pub(crate) fn name(self) -> &'static str {
        self.record().name()
    }

    /// The scheduler that decides, or whose timetable is replayed; none for a recorded log.
    pub(crate) fn decides(self) -> Option<Self> {
        match self {
            Self::Replay(replayed) => replayed.scheduler(),
            live => Some(live),
        }
    }

    /// Whether a log decides.
    fn replays(self) -> bool {
        matches!(self, Self::Replay(_))
    }

    /// The hash of the recorded log that decides, if one does.
    pub(crate) fn recorded(self) -> Option<u64> {
        match self {
            Self::Replay(Replayed::Recorded(hash)) => Some(hash),
            _ => None,
        }
    }

    /// Whether the emulated hypervisor schedules the vCPUs.
    pub fn is_hypervisor(self) -> bool {
        !matches!(self, Self::Host | Self::Quota(_))
    }

    /// The limit of CPUs, if there is one.
    pub fn quota(self) -> Option<CpuLimit> {
        match self {
            Self::Quota(limit) => Some(limit),
            _ => None,
        }
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

    /// Why it cannot schedule the virtual machines of a case as they ask; none if it can.
    pub fn refusal_of(self, case: &Case) -> Option<String> {
        if !case.pools.is_empty() && (!self.is_hypervisor() || self.replays()) {
            let name = self.name();
            return Some(format!("`pools`: {name} knows of none; round-robin, credit and gang do"));
        }
        if let Some(vm) = case.vms.iter().find(|vm| vm.has_own_place()).filter(|_| self.is_hypervisor()) {
            return Some(format!(
                "{} has a place of its own, and {} schedules the cell's pCPUs alone; host does",
                vm.name,
                self.name()
            ));
        }
        if let Some(vm) = case.vms.iter().find(|vm| vm.threads_per_vcpu > 1)
            && (!self.is_hypervisor() || self.replays())
        {
            return Some(format!(
                "{} has `threads-per-vcpu`, and {} runs no vCPUs with a guest's scheduler on them; round-robin, credit and gang do",
                vm.name,
                self.name()
            ));
        }
        let own = self.decides().unwrap_or(self).record();
        let layouts = Layout::all(case).unwrap_or_default();
        case.vms.iter().enumerate().find_map(|(index, vm)| {
            let wants = [
                ("weight", vm.weight != USUAL_WEIGHT),
                ("cap-pcpus", vm.cap_pcpus.is_some()),
                ("hard", !vm.hard.is_empty()),
                ("soft", !vm.soft.is_empty()),
            ];
            let (field, _) = wants.into_iter().find(|(_, wants)| *wants)?;
            let pools = layouts.iter().map(|layout| layout.pool(layout.pool_of_vm(index)).scheduler(&own));
            let mut all = pools.chain(layouts.is_empty().then_some(&own));
            let deaf = all.find(|scheduler| **scheduler != record::Scheduler::Credit)?;
            Some(format!(
                "{} has a `{field}`, of which {} takes no notice; credit does",
                vm.name,
                deaf.name()
            ))
        })
    }

    /// What a reader must know of a cell of so many vCPUs on so many pCPUs that it schedules.
    pub fn note(self, vcpus: usize, pcpus: usize) -> Option<String> {
        (self.decides() == Some(Self::Gang) && vcpus > pcpus).then(|| {
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
            Self::Replay(replayed) => record::Scheduler::Replay { log: replayed.show() },
            Self::Quota(limit) => record::Scheduler::Quota { cpus: limit.cpus() },
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
        help: "Who decides which vCPU runs: host (this kernel); quota:0.5 (this kernel, with half a CPU for all vCPUs); or the emulated hypervisor's, in slices of --slice: \
               round-robin, credit (after Xen's, with a boost for vCPUs that wake), gang (all vCPUs at the same time), replay:credit (the same instants for every \
               lock: those of credit where no vCPU halts; also round-robin and gang; a recorded log: --replay)",
        in_id: InId::Param,
        in_0_1: false,
        examples: &[
            "host",
            "round-robin",
            "credit",
            "gang",
            "quota:0.5",
            "quota:1.50",
            "replay:round-robin",
            "replay:0123456789abcdef",
        ],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        if let Some(limit) = text.strip_prefix(QUOTA).and_then(|rest| rest.strip_prefix(':')) {
            return CpuLimit::parse(limit).map(Self::Quota);
        }
        if let Some(log) = text.strip_prefix(REPLAY).and_then(|rest| rest.strip_prefix(':')) {
            return Replayed::parse(log).map(Self::Replay);
        }
        let found = Self::PLAIN.into_iter().find(|scheduler| scheduler.name() == text);
        found.ok_or_else(|| {
            let others = ["quota:0.5", "replay:round-robin"];
            unknown("scheduler", text, Self::PLAIN.map(Self::name).into_iter().chain(others))
        })
    }

    fn show(&self) -> String {
        match self {
            Self::Quota(limit) => format!("{QUOTA}:{}", limit.show()),
            Self::Replay(replayed) => format!("{REPLAY}:{}", replayed.show()),
            plain => plain.name().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use lockbench_reports::record::Vm;

    use super::*;

    #[test]
    fn its_help_names_every_scheduler() {
        for scheduler in Scheduler::PLAIN {
            assert!(Scheduler::FLAGS[0].help.contains(scheduler.name()), "{scheduler:?} is not told of");
        }
        assert!(Scheduler::FLAGS[0].help.contains(QUOTA) && Scheduler::FLAGS[0].help.contains(REPLAY));
        assert!(Scheduler::parse("credit3").is_err());
    }

    #[test]
    fn threads_on_vcpus_are_for_schedulers_that_run_vcpus() {
        let vm = Vm { threads_per_vcpu: 2, ..Vm::usual("guest", 1) };
        let case = Case { vms: vec![vm], ..Case::default() };
        for scheduler in Scheduler::FLAGS[0].examples.iter().map(|text| Scheduler::parse(text).unwrap()) {
            let said = scheduler.refusal_of(&case);
            let runs_vcpus = matches!(scheduler, Scheduler::RoundRobin | Scheduler::Credit | Scheduler::Gang);
            assert_eq!(said.is_none(), runs_vcpus, "{scheduler:?}: {said:?}");
            assert!(said.is_none_or(|said| said.starts_with("guest has `threads-per-vcpu`, and ")));
        }
    }

    #[test]
    fn a_weight_or_a_cap_that_would_be_passed_over_is_refused() {
        let case = |vm| Case { vms: vec![vm], ..Case::default() };
        let usual = || Vm::usual("guest", 1);
        for scheduler in Scheduler::PLAIN {
            assert_eq!(scheduler.refusal_of(&case(usual())), None);
            for (field, asking) in [
                ("`weight`", Vm { weight: 512, ..usual() }),
                ("`cap-pcpus`", Vm { cap_pcpus: Some(0.5), ..usual() }),
                ("`hard`", Vm { hard: vec![0], ..usual() }),
                ("`soft`", Vm { soft: vec![0], ..usual() }),
            ] {
                let said = scheduler.refusal_of(&case(asking));
                assert_eq!(said.is_none(), scheduler == Scheduler::Credit, "{said:?}");
                assert!(said.is_none_or(|said| said.contains(field)));
            }
        }
    }

    #[test]
    fn what_the_scheduler_of_a_later_pool_would_pass_over_is_refused_too() {
        let pool = |name: &str, pcpu, scheduler| record::Pool {
            name: name.into(),
            pcpus: vec![pcpu],
            scheduler: Some(scheduler),
            slice_ns: None,
        };
        let pools =
            vec![pool("a", 0, record::Scheduler::Credit), pool("b", 1, record::Scheduler::RoundRobin)];
        let vm = Vm { pool: Some("a".into()), weight: 512, ..Vm::usual("guest", 1) };
        let stays = Case { pools, vms: vec![vm], ..Case::default() };
        assert_eq!(Scheduler::RoundRobin.refusal_of(&stays), None);
        for text in ["host", "quota:0.5", "replay:credit", "replay:0123456789abcdef"] {
            let said = Scheduler::parse(text).unwrap().refusal_of(&stays).unwrap();
            assert!(
                said.starts_with("`pools`: ") && said.ends_with("round-robin, credit and gang do"),
                "{said}"
            );
        }
        let change = record::Change::Vm { name: "guest".into(), pool: "b".into() };
        let moves = Case { moves: vec![record::Move { at_ns: 5, change }], ..stays };
        let said = Scheduler::Credit.refusal_of(&moves).unwrap();
        assert!(said.contains("round-robin takes no notice"), "{said}");
    }

    #[test]
    fn a_machine_with_a_place_of_its_own_is_for_this_kernels_scheduler() {
        let case = |vm| Case { vms: vec![vm], ..Case::default() };
        let named = |name: &str| Some(name.to_owned());
        for scheduler in Scheduler::PLAIN {
            for placed in [
                Vm { placement: named("automatic"), ..Vm::usual("guest", 1) },
                Vm { moved_from: named("compact"), ..Vm::usual("guest", 1) },
            ] {
                assert_eq!(scheduler.refusal_of(&case(placed)).is_none(), scheduler == Scheduler::Host);
            }
        }
    }

    #[test]
    fn a_quota_has_a_figure_that_the_kernel_can_keep() {
        let shown = |text| Scheduler::parse(text).map(|scheduler| scheduler.show());
        assert_eq!(shown("quota:0.50").unwrap(), "quota:0.5");
        assert_eq!(shown("quota:2").unwrap(), "quota:2");
        assert_eq!(Scheduler::parse("quota:0.125").unwrap().quota().unwrap().of_ns(100_000_000), 12_500_000);
        for bad in [
            "quota",
            "quota:",
            "quota:0",
            "quota:0.001",
            "quota:-1",
            "quota:1e1",
            "quota:0.12345",
            "quota:half",
            "quota:5000",
            "quota:NaN",
            "quota:inf",
        ] {
            assert!(shown(bad).is_err(), "{bad} was taken");
        }
    }
}
