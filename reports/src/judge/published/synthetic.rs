//! Synthetic results for the tests of the shapes, with rates that a test chooses.

use std::collections::BTreeMap;

use crate::derive::derive;
use crate::record::{
    Causes, CellAxes, Facility, Header, KvmCosts, Line, Machine, Measured, Outcome, Purpose, Results, Round,
    SCHEMA_VERSION, Scheduler, VcpuCauses, Workload,
};

const WINDOW: u64 = 1_000_000_000;
const ROUNDS: u32 = 6;

/// Cells with their rates.
#[derive(Clone, Default)]
pub(super) struct Plan {
    cells: Vec<(CellAxes, f64, Option<Causes>)>,
    /// Counts per acquisition, by cell.
    counters: Vec<(String, &'static str, f64)>,
    /// Parts of the acquisitions by vCPU, by cell; all by one vCPU where there are none.
    shares: Vec<(String, [f64; 4])>,
    spread: f64,
    floor: Option<f64>,
    machine: Machine,
}

impl Plan {
    /// How far rounds lie apart, as a fraction either way.
    pub(super) fn spread(self, spread: f64) -> Self {
        Self { spread, ..self }
    }

    /// How far the second window of an A/A pair lies from the first, as a fraction; by default 1 %.
    pub(super) fn floor(self, floor: f64) -> Self {
        Self { floor: Some(floor), ..self }
    }

    /// A facility that cannot be had.
    pub(super) fn without(mut self, facility: &str, why: &str) -> Self {
        let (name, detail) = (facility.to_owned(), why.to_owned());
        self.machine.facilities.push(Facility { name, available: false, detail });
        self
    }

    /// A counter of the last cell, as a count per acquisition.
    pub(super) fn counted(mut self, name: &'static str, each: f64) -> Self {
        let id = self.cells.last().map_or_else(String::new, |(axes, ..)| axes.id.clone());
        self.counters.push((id, name, each));
        self
    }

    /// The parts of the acquisitions that each vCPU of the last cell has.
    pub(super) fn shared(mut self, shares: [f64; 4]) -> Self {
        let id = self.cells.last().map_or_else(String::new, |(axes, ..)| axes.id.clone());
        self.shares.push((id, shares));
        self
    }

    pub(super) fn cell(
        self,
        lock: &str,
        env: &str,
        workload: &str,
        vcpus: u32,
        pcpus: u32,
        rate: f64,
    ) -> Self {
        self.with(lock, env, workload, (vcpus, pcpus), rate, None)
    }

    /// A cell above or at 1x on two pCPUs with a short section.
    pub(super) fn at(self, lock: &str, env: &str, overcommit: f64, rate: f64) -> Self {
        self.cell(lock, env, "short", (overcommit * 2.0) as u32, 2, rate)
    }

    /// The last cell with a parameter.
    pub(super) fn param(mut self, name: &str, value: &str) -> Self {
        if let Some((axes, ..)) = self.cells.last_mut() {
            axes.params.insert(name.into(), value.into());
            axes.id.push_str(&format!("/{name}={value}"));
        }
        self
    }

    /// A traced cell: handovers, those to a vCPU that was not running, and preempted holders.
    pub(super) fn traced(self, lock: &str, env: &str, overcommit: f64, counts: [u64; 3]) -> Self {
        let [handovers, granted_off, preempted_holding] = counts;
        let vcpus = vec![VcpuCauses { preempted_holding, ..VcpuCauses::default() }];
        let causes = Causes { handovers, granted_off, vcpus, ..Causes::default() };
        self.with(lock, env, "short", ((overcommit * 2.0) as u32, 2), 1e6, Some(causes))
    }

    pub(super) fn kvm(mut self, kind: &str, parameter: &str, value: &str) -> Self {
        self.machine.kvm = kind.into();
        let parameters = BTreeMap::from([(parameter.to_owned(), value.to_owned())]);
        self.machine.kvm_costs = Some(Box::new(KvmCosts { parameters, ..KvmCosts::default() }));
        self
    }

    fn with(
        mut self,
        lock: &str,
        env: &str,
        workload: &str,
        (vcpus, pcpus): (u32, u32),
        rate: f64,
        causes: Option<Causes>,
    ) -> Self {
        let empty = workload == "empty";
        let axes = CellAxes {
            id: format!("{lock}/{env}/{workload}/{vcpus}v:{pcpus}p"),
            lock: lock.into(),
            baseline: None,
            env: env.into(),
            workload: Workload {
                section: if workload == "touch" { workload.into() } else { String::new() },
                name: workload.into(),
                section_ns: if empty { 0.0 } else { 100.0 },
                lines: 0,
                locks: 1,
                think: "none".into(),
                think_ns: 0.0,
                arrivals: Default::default(),
            },
            placement: "compact".into(),
            pinning: "pinned".into(),
            vcpus,
            pcpus: (0..pcpus).collect(),
            overcommit: f64::from(vcpus) / f64::from(pcpus),
            params: BTreeMap::new(),
            scheduler: Scheduler::Host,
            neighbours: Vec::new(),
            case: None,
        };
        self.cells.push((axes, rate, causes));
        self
    }

    fn by_vcpu(&self, id: &str, operations: f64) -> Vec<u64> {
        let shares = self.shares.iter().find(|(of, _)| of == id);
        shares.map_or_else(
            || vec![operations as u64],
            |(_, shares)| shares.iter().map(|share| (operations * share) as u64).collect(),
        )
    }

    pub(super) fn results(&self) -> Results {
        let header = Header {
            schema_version: SCHEMA_VERSION,
            run_id: "synthetic".into(),
            started_at: String::new(),
            command: String::new(),
            seed: 0,
            profile: "synthetic".into(),
            rounds: ROUNDS,
            second_stage: 0,
            window_ns: WINDOW,
            machine: self.machine.clone(),
            cells: self.cells.iter().map(|(axes, ..)| axes.clone()).collect(),
            locks: Vec::new(),
            dropped: Vec::new(),
        };
        let mut lines = vec![Line::Header(header)];
        for (index, (axes, rate, causes)) in self.cells.iter().enumerate() {
            for round in 0..ROUNDS {
                // Neighbouring cells drift against one another.
                let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
                let drift = 1.0 + sign * self.spread * (f64::from(round) - 2.5) / 2.5;
                let purposes = [Purpose::Rate, Purpose::Twin].into_iter();
                for purpose in purposes.chain(causes.as_ref().filter(|_| round == 0).map(|_| Purpose::Trace))
                {
                    let floor = self.floor.unwrap_or(0.01);
                    let apart = if purpose == Purpose::Twin { 1.0 + floor * sign } else { 1.0 };
                    let operations = rate * drift * apart;
                    let own = self.counters.iter().filter(|(id, ..)| *id == axes.id);
                    let counters = own.map(|(_, name, each)| ((*name).into(), (operations * each) as u64));
                    let measured = Measured {
                        window_ns: WINDOW,
                        operations: self.by_vcpu(&axes.id, operations),
                        counters: counters.collect(),
                        steady: Some(true),
                        causes: causes.clone().filter(|_| purpose == Purpose::Trace),
                        ..Measured::default()
                    };
                    let outcome = Outcome::Measured(measured);
                    lines.push(Line::Round(Round { cell: axes.id.clone(), round, purpose, outcome }));
                }
            }
        }
        derive(lines.into_iter())
    }
}

/// The outcome of a shape for a plan's results, in words.
pub(super) fn outcome(plan: &Plan, id: &str) -> &'static str {
    let shapes = super::shapes(&plan.results());
    let shape = shapes.iter().find(|shape| shape.id == id).expect("a shape");
    shape.outcome().word()
}
