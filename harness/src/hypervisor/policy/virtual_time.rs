//! A machine over virtual time on which policies are tested: it calls a policy as the hypervisor's threads do, checks every
//! answer, and keeps the schedule.
//!
//! A pCPU asks when it is told to or its time is up, each a little late. A vCPU that leaves runs on until it is off, and may
//! halt in this time; meanwhile other pCPUs ask.

use fastrand::Rng;

use super::{Pick, Policy};

/// At most so late does a pCPU ask.
const LATE_NS: u64 = 20_000;
/// So long does a switch take.
const SWITCH_NS: u64 = 10_000;
/// So long does it take at most until a pCPU that was told to ask has done what the policy decided.
pub(super) const DECISION_NS: u64 = LATE_NS + SWITCH_NS;

/// What a vCPU does.
#[derive(Clone, Debug)]
pub(super) enum Habit {
    /// It runs whenever it may.
    Runs,
    /// It runs for a random time of up to twice the first mean, and is kicked after one of up to twice the second.
    Halts { runs_ns: u64, halts_ns: u64 },
    /// It runs for a random time of up to twice the mean, and yields.
    Yields { runs_ns: u64 },
    /// It runs for so long each time that a test kicks it; it is halted at first.
    WaitsForKicks { runs_ns: u64 },
}

/// A vCPU on a pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) pcpu: usize,
    pub(super) vcpu: usize,
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Halted, and kicked at this time.
    Halted {
        kicked_ns: u64,
    },
    Runnable,
    Running,
    /// It has yielded, and its pCPU is about to ask.
    Yielded,
}

struct Vcpu {
    habit: Habit,
    state: State,
    /// How much it still runs before it halts.
    to_run_ns: u64,
    /// The pCPU that is told of its kicks.
    told: usize,
}

struct Pcpu {
    current: Option<usize>,
    since_ns: u64,
    paid_ns: u64,
    /// Whom a switch brings, and when it is done.
    switch: Option<(Option<usize>, u64)>,
    asks_ns: u64,
    /// Since when it idles in vain.
    in_vain_ns: Option<u64>,
}

/// The machine.
pub(super) struct Machine {
    policy: Box<dyn Policy>,
    allowed: Vec<Vec<bool>>,
    /// Where the policy itself may say that a vCPU may not run on a pCPU.
    forbids: Box<dyn Fn(usize, usize) -> bool>,
    vcpus: Vec<Vcpu>,
    pcpus: Vec<Pcpu>,
    random: Rng,
    pub(super) now_ns: u64,
    pub(super) schedule: Vec<Stretch>,
    /// The longest time for which a pCPU that was not about to ask idled though a vCPU waited that may run there.
    pub(super) idled_in_vain_ns: u64,
}

impl Machine {
    /// A machine on which every vCPU may run on every pCPU.
    pub(super) fn new(policy: impl Policy + 'static, habits: Vec<Habit>, pcpus: usize, seed: u64) -> Self {
        Self::boxed(Box::new(policy), habits, pcpus, seed)
    }

    pub(super) fn boxed(policy: Box<dyn Policy>, habits: Vec<Habit>, pcpus: usize, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let vcpus = habits.into_iter().enumerate().map(|(index, habit)| {
            let kicked_ns = match habit {
                Habit::WaitsForKicks { .. } => u64::MAX,
                _ => random.u64(0..LATE_NS),
            };
            Vcpu { habit, state: State::Halted { kicked_ns }, to_run_ns: 0, told: index % pcpus }
        });
        let vcpus: Vec<_> = vcpus.collect();
        let pcpu =
            || Pcpu { current: None, since_ns: 0, paid_ns: 0, switch: None, asks_ns: 0, in_vain_ns: None };
        Self {
            policy,
            allowed: vec![vec![true; pcpus]; vcpus.len()],
            forbids: Box::new(|_, _| false),
            vcpus,
            pcpus: std::iter::repeat_with(pcpu).take(pcpus).collect(),
            random,
            now_ns: 0,
            schedule: Vec::new(),
            idled_in_vain_ns: 0,
        }
    }

    /// The policy must keep this vCPU to these pCPUs.
    pub(super) fn confine(&mut self, vcpu: usize, pcpus: &[usize]) {
        self.allowed[vcpu] = (0..self.pcpus.len()).map(|pcpu| pcpus.contains(&pcpu)).collect();
    }

    /// The policy must not run a vCPU on a pCPU of which this is true at that time.
    pub(super) fn forbid(&mut self, forbids: impl Fn(usize, usize) -> bool + 'static) {
        self.forbids = Box::new(forbids);
    }

    fn may_run(&self, vcpu: usize, pcpu: usize) -> bool {
        self.allowed[vcpu][pcpu] && !(self.forbids)(vcpu, pcpu)
    }

    /// The policy was told something outside of this machine: the pCPUs that it names ask again.
    pub(super) fn told(&mut self) {
        self.ring_all(None);
    }

    /// Whether the vCPU is halted.
    pub(super) fn is_halted(&self, vcpu: usize) -> bool {
        matches!(self.vcpus[vcpu].state, State::Halted { .. })
    }

    /// Kicks a halted vCPU now.
    pub(super) fn kick(&mut self, vcpu: usize) {
        assert!(matches!(self.vcpus[vcpu].state, State::Halted { .. }), "vCPU {vcpu} is awake");
        self.vcpus[vcpu].state = State::Halted { kicked_ns: self.now_ns };
        let told = self.vcpus[vcpu].told;
        self.ring(told);
    }

    /// Who runs on the pCPU.
    pub(super) fn runs_on(&self, pcpu: usize) -> Option<usize> {
        self.pcpus[pcpu].current
    }

    /// How much the vCPU ran, as a fraction of all time so far.
    pub(super) fn share(&self, vcpu: usize) -> f64 {
        let all = self.stretches();
        let own = all.iter().filter(|stretch| stretch.vcpu == vcpu);
        own.map(|stretch| stretch.to_ns - stretch.from_ns).sum::<u64>() as f64 / self.now_ns as f64
    }

    /// The schedule, with the stretches that last until now.
    pub(super) fn stretches(&self) -> Vec<Stretch> {
        let open = self.pcpus.iter().enumerate().filter_map(|(pcpu, state)| {
            let vcpu = state.current.filter(|&vcpu| self.vcpus[vcpu].state == State::Running)?;
            Some(Stretch { pcpu, vcpu, from_ns: state.since_ns, to_ns: self.now_ns })
        });
        self.schedule.iter().copied().chain(open).collect()
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, for_ns: u64) {
        let end_ns = self.now_ns + for_ns;
        loop {
            let next_ns = self.next_ns();
            self.look_for_idlers(next_ns.min(end_ns));
            if next_ns > end_ns {
                self.pass(end_ns);
                return;
            }
            self.pass(next_ns);
            self.step();
        }
    }

    /// When something happens next.
    fn next_ns(&self) -> u64 {
        let pcpus = self.pcpus.iter().map(|pcpu| {
            if let Some((_, done_ns)) = pcpu.switch {
                return done_ns;
            }
            let running = pcpu.current.map(|vcpu| &self.vcpus[vcpu]);
            let running = running.filter(|vcpu| vcpu.state == State::Running);
            let halts_ns = running.map_or(u64::MAX, |vcpu| self.now_ns.saturating_add(vcpu.to_run_ns));
            pcpu.asks_ns.min(halts_ns)
        });
        let kicks = self.vcpus.iter().filter_map(|vcpu| match vcpu.state {
            // A pCPU was told of earlier ones.
            State::Halted { kicked_ns } if kicked_ns > self.now_ns => Some(kicked_ns),
            _ => None,
        });
        pcpus.chain(kicks).min().unwrap_or(u64::MAX).max(self.now_ns)
    }

    /// Looks for pCPUs that idle in vain until then.
    fn look_for_idlers(&mut self, until_ns: u64) {
        for index in 0..self.pcpus.len() {
            let mut waiting = (0..self.vcpus.len()).filter(|&vcpu| {
                self.vcpus[vcpu].state == State::Runnable && !self.comes(vcpu) && self.may_run(vcpu, index)
            });
            let waits = waiting.next().is_some();
            let pcpu = &mut self.pcpus[index];
            let about_to = pcpu.switch.is_some() || pcpu.asks_ns <= self.now_ns + LATE_NS;
            if pcpu.current.is_none() && !about_to && waits {
                let since_ns = *pcpu.in_vain_ns.get_or_insert(self.now_ns);
                self.idled_in_vain_ns = self.idled_in_vain_ns.max(until_ns - since_ns);
            } else {
                pcpu.in_vain_ns = None;
            }
        }
    }

    /// Whether a switch brings the vCPU to a pCPU now.
    fn comes(&self, vcpu: usize) -> bool {
        let mut switches = self.pcpus.iter().filter_map(|pcpu| pcpu.switch);
        switches.any(|(coming, _)| coming == Some(vcpu))
    }

    fn pass(&mut self, to_ns: u64) {
        for pcpu in &self.pcpus {
            if let Some(vcpu) = pcpu.current {
                self.vcpus[vcpu].to_run_ns = self.vcpus[vcpu].to_run_ns.saturating_sub(to_ns - self.now_ns);
            }
        }
        self.now_ns = to_ns;
    }

    fn step(&mut self) {
        for vcpu in 0..self.vcpus.len() {
            if self.vcpus[vcpu].state == (State::Halted { kicked_ns: self.now_ns }) {
                let told = self.vcpus[vcpu].told;
                self.ring(told);
            }
        }
        for pcpu in 0..self.pcpus.len() {
            if self.pcpus[pcpu].switch.is_none()
                && let Some(vcpu) = self.pcpus[pcpu].current
                && self.vcpus[vcpu].to_run_ns == 0
                && self.vcpus[vcpu].state == State::Running
            {
                self.give_up(pcpu, vcpu);
            }
        }
        let first = self.random.usize(0..self.pcpus.len());
        for pcpu in (first..self.pcpus.len()).chain(0..first) {
            match self.pcpus[pcpu].switch {
                Some((next, done_ns)) if done_ns <= self.now_ns => self.switched(pcpu, next),
                None if self.pcpus[pcpu].asks_ns <= self.now_ns => self.ask(pcpu),
                _ => {}
            }
        }
    }

    fn ring(&mut self, pcpu: usize) {
        let late_ns = self.random.u64(0..LATE_NS);
        let asks_ns = &mut self.pcpus[pcpu].asks_ns;
        *asks_ns = (*asks_ns).min(self.now_ns + late_ns);
    }

    fn ring_all(&mut self, named: Option<usize>) {
        let others = self.policy.others_to_ask();
        for pcpu in others.into_iter().chain(named) {
            self.ring(pcpu);
        }
    }

    /// The vCPU halts or yields, and tells its pCPU.
    fn give_up(&mut self, pcpu: usize, vcpu: usize) {
        self.vcpus[vcpu].state = match self.vcpus[vcpu].habit {
            Habit::Halts { halts_ns, .. } => {
                State::Halted { kicked_ns: self.now_ns + self.random.u64(1..2 * halts_ns) }
            }
            Habit::Runs | Habit::WaitsForKicks { .. } => State::Halted { kicked_ns: u64::MAX },
            Habit::Yields { .. } => State::Yielded,
        };
        self.end_stretch(pcpu);
        self.ring(pcpu);
    }

    fn end_stretch(&mut self, pcpu: usize) {
        let Pcpu { current, since_ns, .. } = self.pcpus[pcpu];
        if let Some(vcpu) = current.filter(|_| self.now_ns > since_ns) {
            self.schedule.push(Stretch { pcpu, vcpu, from_ns: since_ns, to_ns: self.now_ns });
        }
        self.pcpus[pcpu].since_ns = self.now_ns;
    }

    fn ask(&mut self, pcpu: usize) {
        self.pcpus[pcpu].asks_ns = u64::MAX;
        if let Some(vcpu) = self.pcpus[pcpu].current {
            self.charge(pcpu, vcpu);
            if matches!(self.vcpus[vcpu].state, State::Halted { .. }) {
                self.block(pcpu, vcpu);
                self.pcpus[pcpu].current = None;
            } else if self.vcpus[vcpu].state == State::Yielded {
                self.pcpus[pcpu].current = None;
                self.runs_on_later(vcpu);
                let ask = self.policy.yielded(vcpu, pcpu, self.now_ns);
                self.ring_all(ask.filter(|&ask| ask != pcpu));
            }
        }
        self.wake_kicked(pcpu);
        let current = self.pcpus[pcpu].current;
        let Pick { vcpu, until_ns } = self.policy.pick(pcpu, current, self.now_ns);
        assert!(
            until_ns > self.now_ns,
            "pCPU {pcpu} is to ask again at {until_ns}, and it is {}",
            self.now_ns
        );
        let until_ns = until_ns.saturating_add(self.random.u64(0..LATE_NS));
        self.pcpus[pcpu].asks_ns = self.pcpus[pcpu].asks_ns.min(until_ns);
        self.ring_all(None);
        if vcpu == current {
            return;
        }
        if let Some(next) = vcpu {
            assert_eq!(self.vcpus[next].state, State::Runnable, "vCPU {next} was picked for pCPU {pcpu}");
            assert!(!self.comes(next), "vCPU {next} was picked for two pCPUs");
            assert!(self.may_run(next, pcpu), "vCPU {next} may not run on pCPU {pcpu}");
        }
        let takes_ns = if current.is_some() { SWITCH_NS } else { 0 };
        self.pcpus[pcpu].switch = Some((vcpu, self.now_ns + takes_ns));
        if takes_ns == 0 {
            self.switched(pcpu, vcpu);
        }
    }

    fn switched(&mut self, pcpu: usize, next: Option<usize>) {
        if let Some(leaving) = self.pcpus[pcpu].current {
            self.charge(pcpu, leaving);
            let yields = matches!(self.vcpus[leaving].habit, Habit::Yields { .. });
            if self.vcpus[leaving].to_run_ns == 0 && !yields {
                self.give_up(pcpu, leaving);
                self.block(pcpu, leaving);
                self.wake_kicked(pcpu);
            } else {
                if yields {
                    self.runs_on_later(leaving);
                }
                self.end_stretch(pcpu);
                self.vcpus[leaving].state = State::Runnable;
                let ask = self.policy.left(leaving, pcpu, self.now_ns);
                self.ring_all(ask);
            }
        }
        let now_ns = self.now_ns;
        let state = &mut self.pcpus[pcpu];
        (state.current, state.switch, state.since_ns, state.paid_ns) = (next, None, now_ns, now_ns);
        if let Some(next) = next {
            self.vcpus[next].state = State::Running;
            self.vcpus[next].told = pcpu;
        }
    }

    fn charge(&mut self, pcpu: usize, vcpu: usize) {
        let ran_ns = self.now_ns - std::mem::replace(&mut self.pcpus[pcpu].paid_ns, self.now_ns);
        self.policy.charge(vcpu, pcpu, ran_ns, self.now_ns);
    }

    fn block(&mut self, pcpu: usize, vcpu: usize) {
        self.policy.blocked(vcpu, pcpu, self.now_ns);
        self.vcpus[vcpu].told = pcpu;
        self.ring_all(None);
    }

    fn wake_kicked(&mut self, pcpu: usize) {
        for vcpu in 0..self.vcpus.len() {
            let state = &self.vcpus[vcpu];
            let kicked = matches!(state.state, State::Halted { kicked_ns } if kicked_ns <= self.now_ns);
            if state.told != pcpu || !kicked {
                continue;
            }
            self.runs_on_later(vcpu);
            let ask = self.policy.wake(vcpu, self.now_ns);
            self.ring_all(ask.filter(|&ask| ask != pcpu || self.pcpus[pcpu].switch.is_some()));
        }
    }

    /// The vCPU is runnable, and will run until it gives its pCPU up again.
    fn runs_on_later(&mut self, vcpu: usize) {
        let state = &mut self.vcpus[vcpu];
        state.state = State::Runnable;
        state.to_run_ns = match state.habit {
            Habit::Runs => u64::MAX,
            Habit::Halts { runs_ns, .. } | Habit::Yields { runs_ns } => self.random.u64(1..2 * runs_ns),
            Habit::WaitsForKicks { runs_ns } => runs_ns,
        };
    }
}
