//! A cell under a CPU quota that was asked for: its control group, and what the quota did in the window.

use lockbench_reports::record::QuotaUse;

use super::WindowSpec;
use crate::axes::CpuLimit;
use crate::bandwidth::{Group, PERIOD_NS};
use crate::system::cpu_stat::CpuStat;
use crate::{Quotas, Refusal};

/// The control group of a cell. Removed when dropped, so drop the cell's process first.
pub(super) struct Limited {
    limit: CpuLimit,
    group: Group,
    opened: CpuStat,
}

impl Limited {
    /// Makes the control group of a cell whose process is about to start; none where it has no quota.
    pub(super) fn make(spec: &WindowSpec, quotas: &Quotas) -> Result<Option<Self>, Refusal> {
        let Some(limit) = spec.axes.values.scheduler.quota() else { return Ok(None) };
        let group = Group::make(quotas, limit.of_ns(PERIOD_NS))?;
        Ok(Some(Self { limit, group, opened: CpuStat::default() }))
    }

    /// Moves the cell's process into the group. Call before its vCPUs run.
    pub(super) fn admit(&self, pid: i32) -> Result<(), Refusal> {
        self.group.admit(pid)
    }

    /// Reads the counts; call when the window opens.
    pub(super) fn open(&mut self) {
        self.opened = self.group.stat();
    }

    /// What the quota did since then.
    pub(super) fn close(&self) -> QuotaUse {
        let CpuStat { periods, throttled, taken_ns } = self.group.stat().since(self.opened);
        QuotaUse { cpus: self.limit.cpus(), period_ns: PERIOD_NS, periods, throttled, taken_ns }
    }
}
