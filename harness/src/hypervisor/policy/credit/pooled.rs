//! The credit scheduler of a pool whose vCPUs and pCPUs come and go.

use std::collections::BTreeSet;

use super::{Credit, CreditParams, Place};
use crate::hypervisor::policy::Pooled;
use crate::hypervisor::policy::vms::{Affinity, VmShare};

impl Credit {
    /// The scheduler of a pool that has no pCPUs yet.
    pub(crate) fn pooled(
        params: CreditParams,
        vms: &[VmShare],
        affinities: Vec<Affinity>,
        pcpus: usize,
    ) -> Self {
        let mut credit = Self::new(params, vms, affinities, pcpus);
        credit.served.clear();
        credit.accounts.serve(0);
        credit
    }
}

impl Pooled for Credit {
    fn serve(&mut self, pcpus: &BTreeSet<usize>, now_ns: u64) {
        self.accounts.settle(now_ns);
        self.accounts.serve(pcpus.len());
        self.served.clone_from(pcpus);
        for pcpu in 0..self.pcpus.len() {
            if !pcpus.contains(&pcpu) {
                self.pcpus[pcpu].called_for = None;
            }
        }
        for vcpu in 0..self.vcpus.len() {
            if matches!(self.vcpus[vcpu].place, Place::Waiting { .. }) {
                let ask = self.find_queue(vcpu, now_ns);
                self.to_ask.extend(ask);
            }
        }
    }

    /// A vCPU that is blocked has an account, and nothing on it.
    fn admit(&mut self, vcpu: usize, now_ns: u64) {
        self.accounts.settle(now_ns);
        self.accounts.open(vcpu, now_ns);
    }

    fn withdraw(&mut self, vcpu: usize, now_ns: u64) {
        self.accounts.settle(now_ns);
        self.accounts.close(vcpu);
        self.vcpus[vcpu].place = Place::Blocked;
        for pcpu in &mut self.pcpus {
            pcpu.called_for = pcpu.called_for.filter(|&called| called != vcpu);
        }
    }

    fn evict(&mut self, vcpu: usize, pcpu: usize, _: u64) {
        self.leave(pcpu, vcpu);
    }
}
