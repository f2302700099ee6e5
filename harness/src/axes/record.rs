//! The axes of a cell, and the only place that converts them into the texts of a record and back.

use std::collections::BTreeMap;

use lockbench_reports::record::{Case, CellAxes, Vm, params};
use serde::{Deserialize, Serialize};

use super::{Axis, Env, Lock, On, Pinning, Size, Values, Workload, table};
use crate::Error;
use crate::topology::Placement;

/// What a cell is: its lock, its numbers of vCPUs and pCPUs, and its value on each axis. In files it is a [`CellAxes`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "CellAxes", into = "CellAxes")]
pub struct Axes {
    /// The cell's id: readable, stable, made from the other fields.
    pub id: String,
    /// Name of the lock.
    pub lock: String,
    /// The lock that this one is compared with, if any.
    pub baseline: Option<String>,
    /// Number of vCPUs; of threads where the guest has a scheduler, which has several for each vCPU.
    pub vcpus: u32,
    /// The pCPUs, by operating-system index, in the order in which vCPUs are dealt to them.
    pub pcpus: Vec<u32>,
    /// vCPUs per pCPU: the true ratio, after the number of vCPUs was rounded.
    pub overcommit: f64,
    /// The value on each axis.
    pub values: Values,
    /// The virtual machines that share the pCPUs, of which this cell measures the first; none where there is one.
    pub case: Option<Case>,
}

impl Axes {
    /// A cell with its id made from its axes.
    pub fn new(lock: Lock, values: Values, vcpus: u32, pcpus: Vec<u32>, case: Option<Case>) -> Self {
        let all = case.as_ref().map_or(vcpus, |case| case.vms.iter().map(Vm::lock_users).sum());
        let mut axes = Self {
            id: String::new(),
            lock: lock.name().into(),
            baseline: lock.variant.baseline.map(Into::into),
            vcpus,
            overcommit: f64::from(all) / pcpus.len() as f64,
            pcpus,
            values,
            case,
        };
        let CellAxes { lock, env, workload, placement, pinning, params, .. } = axes.record();
        let on = axes.pcpus.len();
        let extra: String = params.iter().map(|(name, value)| format!("/{name}={value}")).collect();
        axes.id = format!("{lock}/{env}/{}/{vcpus}v:{on}p/{placement}/{pinning}{extra}", workload.name);
        axes
    }

    /// As records have it.
    pub fn record(&self) -> CellAxes {
        let values = &self.values;
        CellAxes {
            id: self.id.clone(),
            lock: self.lock.clone(),
            baseline: self.baseline.clone(),
            env: values.env.show(),
            workload: values.workload.record(),
            placement: values.placement.show(),
            pinning: values.pinning.show(),
            vcpus: self.vcpus,
            pcpus: self.pcpus.clone(),
            overcommit: self.overcommit,
            params: self.params(),
            scheduler: values.scheduler.record(),
            neighbours: self.neighbours(),
            case: self.case.clone(),
        }
    }

    fn params(&self) -> BTreeMap<String, String> {
        let mut params = self.values.params();
        if let Some(case) = &self.case {
            params.insert(params::SCENARIO.into(), format!("{}/{}", case.scenario, case.name));
        }
        params
    }

    fn neighbours(&self) -> Vec<String> {
        let vms = self.case.iter().flat_map(|case| case.vms.iter().skip(1));
        vms.map(|vm| vm.name.clone()).collect()
    }

    /// Axes that are not at their default and that release 0.1 does not know.
    pub fn since_0_1(&self) -> Vec<String> {
        let params = self.params();
        let newer =
            table::flags().filter(|flag| !flag.in_0_1).map(|flag| flag.name).chain([params::SCENARIO]);
        let newer = newer.filter(|name| params.contains_key(*name));
        // Release 0.1 knows sections by their length and lines alone.
        let particular = self.values.workload.is_particular().then_some(Workload::FLAGS[0].name);
        newer.chain(particular).map(ToOwned::to_owned).collect()
    }
}

impl From<Axes> for CellAxes {
    fn from(axes: Axes) -> Self {
        axes.record()
    }
}

impl TryFrom<CellAxes> for Axes {
    type Error = Error;

    fn try_from(record: CellAxes) -> Result<Self, Error> {
        let mut params = record.params;
        if params.remove(params::SCENARIO).is_some() != record.case.is_some() {
            return Err(Error::usage("its scenario and its virtual machines are not both there"));
        }
        let values = Values {
            env: Env::parse(&record.env)?,
            placement: Placement::parse(&record.placement)?,
            on: On::Count(record.pcpus.len()),
            size: Size::Count(record.vcpus),
            pinning: Pinning::parse(&record.pinning)?,
            workload: Workload::of_record(&record.workload)?,
            ..Values::of_params(&params)?
        };
        let CellAxes { id, lock, baseline, vcpus, pcpus, overcommit, case, .. } = record;
        Ok(Self { id, lock, baseline, vcpus, pcpus, overcommit, values, case })
    }
}
