//! The machine as a run finds it before its first window: its topology, facilities and elementary costs.

use lockbench_reports::record::{Facility, Machine};

use crate::Refusal;
use crate::axes::Env;
use crate::measure::{calibrate, rseq, slice, slice_extension};
use crate::output::say;
use crate::plan::Timing;
use crate::system::{proc, quota, quota::Quotas};
use crate::topology::{self, Source};
use crate::{Error, Placer, scheduling};

/// Timeslice to assume where it could not be measured: a tick at 250 Hz.
const ASSUMED_SLICE_NS: f64 = 4e6;

/// The facility that cells on huge pages need.
pub(crate) const HUGE_PAGES: &str = "huge-pages";

/// The facility that cells need whose holders ask for longer timeslices.
pub(crate) const SLICE_EXTENSION: &str = "slice-extension";

/// This machine, looked at and calibrated.
pub(crate) struct Session {
    pub(crate) topology: topology::Machine,
    pub(crate) placer: Placer,
    pub(crate) machine: Machine,
    /// CPU quotas that hold for this process.
    pub(crate) quotas: Quotas,
    /// Sentences on what limits this process or this build, rather than the machine, so that less can be measured or compared;
    /// they are among the machine's warnings too.
    limits: Vec<String>,
}

impl Session {
    /// Looks at the machine, limited to `pcpus`, and measures the costs of the environments `envs`. Takes about 0.2 s, with kvm
    /// 0.4 s.
    pub(crate) fn open(pcpus: Option<&topology::CpuList>, envs: &[Env]) -> Result<Self, Error> {
        proc::check()?;
        let scheduling = scheduling::settle()?;
        let (mut topology, binder) = topology::load(&Source::ThisMachine)?;
        if !topology.is_this_system {
            return Err(Error::usage(format!(
                "the topology is that of {}, which cannot be measured from here; unset HWLOC_* or use --plan-only",
                topology.source
            )));
        }
        if let Some(pcpus) = pcpus {
            topology = topology.restricted_to(pcpus)?;
        }
        let placer = Placer::new(binder);
        let mut machine = crate::system::describe(&topology);
        let mut limits: Vec<String> = scheduling.iter().flat_map(scheduling::warnings).collect();
        machine.scheduling = scheduling;
        let quotas = Quotas::of_this_process();
        machine.cpu_quota = quotas.tightest();
        limits.extend(machine.cpu_quota.as_ref().and_then(|quota| quota::warning(quota, topology.pus.len())));
        let first = topology.pus[0].os_index.0;
        machine.calibration = calibrate::calibrate();
        // Every measurement needs two threads: without them the run cannot go on.
        let slice = slice::measure_ns(first).map_err(|e| Refusal::of("two threads cannot be started", e))?;
        machine.calibration.slice_ns = slice.unwrap_or(0.0);
        if slice.is_none() {
            machine
                .warnings
                .push("The scheduler's timeslice could not be measured; 4 ms are assumed.".into());
        }
        let pinned = placer.check(first);
        let mut facility = |name: &str, found: Result<String, Refusal>| {
            machine.facilities.push(Facility::new(name, found));
        };
        facility(
            "pinning",
            if pinned.is_bound() { Ok(pinned.to_string()) } else { Err(pinned.to_string().into()) },
        );
        facility("preemption-counting", rseq::self_test(first));
        let thread_times = crate::cell::thread_times();
        if let Err(why) = &thread_times {
            limits
                .push(format!("The vCPUs' shares of their pCPUs and their switches will be unknown: {why}."));
        }
        facility("thread-times", thread_times);
        facility(HUGE_PAGES, crate::arena::probe_huge_pages());
        facility(SLICE_EXTENSION, slice_extension::probe());
        let loop_alignment = crate::system::build::loop_alignment();
        if let Err(why) = &loop_alignment {
            limits.push(format!("This build's figures compare badly with another's: {why}."));
        }
        facility("loop-alignment", loop_alignment);
        for env in Env::all() {
            facility(env.name(), env.check().map(|()| env.about().to_owned()));
        }
        let pcpus: Vec<u32> = topology.pus.iter().map(|pu| pu.os_index.0).collect();
        for env in Env::all().filter(|env| envs.contains(env) && env.check().is_ok()) {
            env.examine(&mut machine, &pcpus);
        }
        machine.warnings.extend(limits.iter().cloned());
        Ok(Self { topology, placer, machine, quotas, limits })
    }

    /// Adds a sentence on what limits this build.
    pub(super) fn limit(&mut self, sentence: String) {
        self.machine.warnings.push(sentence.clone());
        self.limits.push(sentence);
    }

    /// Says what limits this process, before anything is measured.
    pub(crate) fn tell_limits(&self) {
        for limit in &self.limits {
            say(limit);
        }
    }

    /// Whether preemptions can be counted in an environment.
    pub(crate) fn counts_preemptions(&self, env: Env) -> bool {
        self.machine.has(env.counts_preemptions_by())
    }

    /// The figures that windows are made with.
    pub(crate) fn timing(&self, window_ns: u64) -> Timing {
        let calibration = &self.machine.calibration;
        let slice_ns = if calibration.slice_ns > 0.0 { calibration.slice_ns } else { ASSUMED_SLICE_NS };
        Timing { window_ns, slice_ns, work_ns: calibration.work_ns, ticks_per_ns: calibration.ticks_per_ns }
    }
}
