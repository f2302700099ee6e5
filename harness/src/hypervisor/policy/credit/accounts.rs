//! Who has how much credit, and what is left of each virtual machine's cap.

use lockbench_reports::statistics::shared_out;

use super::CreditParams;
use crate::hypervisor::policy::vms::VmShare;

struct Vm {
    vcpus: Vec<usize>,
    weight: f64,
    /// What its cap allows in a period, in nanoseconds of a pCPU.
    quota_ns: Option<f64>,
    /// What is left of that.
    budget_ns: f64,
}

#[derive(Clone)]
struct Account {
    vm: usize,
    credit_ns: f64,
    awake: bool,
    /// Whether it was awake at some time of this period.
    was_awake: bool,
}

/// The credits and budgets of all vCPUs.
pub(super) struct Accounts {
    params: CreditParams,
    pcpus: usize,
    vms: Vec<Vm>,
    accounts: Vec<Account>,
    /// Who runs on each pCPU, and until when that one has paid.
    running: Vec<Option<(usize, u64)>>,
    /// When this period ends; none before the first call.
    ends_ns: Option<u64>,
}

impl Accounts {
    pub(super) fn new(params: CreditParams, vms: &[VmShare], vcpus: usize, pcpus: usize) -> Self {
        let account = Account { vm: 0, credit_ns: 0.0, awake: false, was_awake: false };
        let mut accounts = vec![account; vcpus];
        for (index, vm) in vms.iter().enumerate() {
            for &vcpu in &vm.vcpus {
                accounts[vcpu].vm = index;
            }
        }
        let vms = vms.iter().map(|vm| {
            let quota_ns = vm.cap_percent.map(|percent| percent / 100.0 * params.period_ns as f64);
            let budget_ns = quota_ns.unwrap_or(0.0);
            Vm { vcpus: vm.vcpus.clone(), weight: f64::from(vm.weight), quota_ns, budget_ns }
        });
        Self { params, pcpus, vms: vms.collect(), accounts, running: vec![None; pcpus], ends_ns: None }
    }

    /// Whether the vCPU has credit.
    pub(super) fn is_under(&self, vcpu: usize) -> bool {
        self.accounts[vcpu].credit_ns >= 0.0
    }

    /// When the next period begins.
    pub(super) fn next_ns(&self) -> u64 {
        self.ends_ns.unwrap_or(u64::MAX)
    }

    /// What the cap leaves to the vCPU's machine, nothing or less where it is used up; none where there is no cap.
    pub(super) fn left_ns(&self, vcpu: usize, now_ns: u64) -> Option<f64> {
        let vm = &self.vms[self.accounts[vcpu].vm];
        vm.quota_ns?;
        let owed: f64 = vm.vcpus.iter().map(|&vcpu| self.owed_ns(vcpu, now_ns)).sum();
        Some(vm.budget_ns - owed)
    }

    /// How many of the machine's vCPUs could run at the same time.
    pub(super) fn claimants(&self, vcpu: usize) -> usize {
        let vm = &self.vms[self.accounts[vcpu].vm];
        let awake = vm.vcpus.iter().filter(|&&vcpu| self.accounts[vcpu].awake).count();
        awake.clamp(1, self.pcpus.max(1))
    }

    pub(super) fn wakes(&mut self, vcpu: usize) {
        (self.accounts[vcpu].awake, self.accounts[vcpu].was_awake) = (true, true);
    }

    pub(super) fn blocks(&mut self, vcpu: usize) {
        self.accounts[vcpu].awake = false;
    }

    /// The pool has so many pCPUs from now on.
    pub(super) fn serve(&mut self, pcpus: usize) {
        self.pcpus = pcpus;
    }

    /// The vCPU comes into the pool. The first of its machine brings no more of the cap than is left of the period.
    pub(super) fn open(&mut self, vcpu: usize, now_ns: u64) {
        let (accounts, vm) = (&self.accounts, &mut self.vms[self.accounts[vcpu].vm]);
        let first = vm.vcpus.iter().all(|&vcpu| !accounts[vcpu].awake && !accounts[vcpu].was_awake);
        if let (true, Some(quota_ns)) = (first, vm.quota_ns) {
            let left_ns =
                self.ends_ns.map_or(self.params.period_ns, |ends_ns| ends_ns.saturating_sub(now_ns));
            vm.budget_ns = vm.budget_ns.min(quota_ns * left_ns as f64 / self.params.period_ns as f64);
        }
    }

    /// The vCPU leaves the pool, and with it what it had or owed.
    pub(super) fn close(&mut self, vcpu: usize) {
        let vm = self.accounts[vcpu].vm;
        self.accounts[vcpu] = Account { vm, credit_ns: 0.0, awake: false, was_awake: false };
    }

    pub(super) fn begins(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) {
        self.running[pcpu] = Some((vcpu, now_ns));
    }

    pub(super) fn ends(&mut self, vcpu: usize, pcpu: usize) {
        self.running[pcpu] = self.running[pcpu].filter(|(running, _)| *running != vcpu);
    }

    pub(super) fn pay(&mut self, vcpu: usize, pcpu: usize, ran_ns: u64, now_ns: u64) {
        let account = &mut self.accounts[vcpu];
        account.credit_ns -= ran_ns as f64;
        self.vms[account.vm].budget_ns -= ran_ns as f64;
        if let Some((_, paid_until_ns)) = self.running[pcpu].as_mut().filter(|(running, _)| *running == vcpu)
        {
            *paid_until_ns = now_ns;
        }
    }

    /// What the vCPU has run and not paid for yet.
    fn owed_ns(&self, vcpu: usize, now_ns: u64) -> f64 {
        let mut running = self.running.iter().flatten().filter(|(running, _)| *running == vcpu);
        running.next().map_or(0.0, |(_, paid_until_ns)| now_ns.saturating_sub(*paid_until_ns) as f64)
    }

    /// Hands out the credits of the periods that have ended.
    pub(super) fn settle(&mut self, now_ns: u64) {
        let Some(ends_ns) = self.ends_ns else {
            self.ends_ns = Some(now_ns + self.params.period_ns);
            return;
        };
        if now_ns < ends_ns {
            return;
        }
        let periods = 1 + (now_ns - ends_ns) / self.params.period_ns;
        self.ends_ns = Some(ends_ns + periods * self.params.period_ns);
        let periods = periods as f64;
        let most_saved_ns = self.params.timeslice_ns.max(self.params.period_ns) as f64;
        let room = |vcpu: usize| {
            let account = &self.accounts[vcpu];
            let room = most_saved_ns - account.credit_ns + self.owed_ns(vcpu, now_ns);
            if account.awake || account.was_awake { room.max(0.0) } else { 0.0 }
        };
        let rooms: Vec<Vec<(f64, f64)>> =
            self.vms.iter().map(|vm| vm.vcpus.iter().map(|&vcpu| (1.0, room(vcpu))).collect()).collect();
        let claims: Vec<(f64, f64)> = self
            .vms
            .iter()
            .zip(&rooms)
            .map(|(vm, rooms)| {
                let room: f64 = rooms.iter().map(|(_, room)| room).sum();
                (vm.weight, vm.quota_ns.map_or(room, |quota| room.min(quota * periods)))
            })
            .collect();
        let credits_ns = self.params.period_ns as f64 * periods * self.pcpus as f64;
        let of_vms = shared_out(credits_ns, &claims);
        for ((vm, rooms), of_vm) in self.vms.iter_mut().zip(rooms).zip(of_vms) {
            for (&vcpu, given) in vm.vcpus.iter().zip(shared_out(of_vm, &rooms)) {
                self.accounts[vcpu].credit_ns += given;
            }
            if let Some(quota) = vm.quota_ns {
                // What others' timeslices kept it from using it may use later, but not more than a period's.
                vm.budget_ns = (vm.budget_ns + quota * periods).min(2.0 * quota);
            }
        }
        for account in &mut self.accounts {
            account.was_awake = account.awake;
        }
    }
}
