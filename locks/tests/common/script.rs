//! A platform that does what a test says, so that one thread can play every vCPU and every race has one outcome.

use std::cell::{Cell, RefCell};

use lockbench_locks::{Code, Event, Platform};

/// What a vCPU counted, and whom it kicked.
#[derive(Default)]
pub(crate) struct Record {
    counts: [Cell<u64>; Event::COUNT],
    kicked: RefCell<Vec<usize>>,
}

impl Record {
    pub(crate) fn counted(&self, event: Event) -> u64 {
        self.counts[event as usize].get()
    }

    pub(crate) fn kicked(&self) -> Vec<usize> {
        self.kicked.borrow().clone()
    }
}

/// What happens elsewhere during a call of a vCPU's; it is told which vCPU calls.
type Elsewhere<'a> = &'a dyn Fn(Actor<'_>);

/// A vCPU, what happens elsewhere while it spins, while it is halted and when it forgets a kick, and what it is told of
/// time and of other vCPUs.
#[derive(Clone, Copy)]
pub(crate) struct Actor<'a> {
    record: &'a Record,
    clock: Option<&'a Cell<u64>>,
    preempted: &'a dyn Fn(usize) -> bool,
    spinning: Elsewhere<'a>,
    halted: Elsewhere<'a>,
    forgetting: Elsewhere<'a>,
}

impl<'a> Actor<'a> {
    /// A vCPU that will have to wait for nothing.
    pub(crate) fn new(record: &'a Record) -> Self {
        Self {
            record,
            clock: None,
            preempted: &|_| false,
            spinning: &|_| panic!("an unexpected wait"),
            halted: &|_| panic!("an unexpected halt"),
            forgetting: &|_| (),
        }
    }

    pub(crate) fn spinning(self, spinning: Elsewhere<'a>) -> Self {
        Self { spinning, ..self }
    }

    pub(crate) fn halted(self, halted: Elsewhere<'a>) -> Self {
        Self { halted, ..self }
    }

    /// Its processor's counter, which moves when the test says so; all vCPUs of a test read one. Without it no time passes.
    pub(crate) fn reading(self, clock: &'a Cell<u64>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// What the host says of the vCPUs that are off their pCPUs. Without it none is.
    pub(crate) fn hinted(self, preempted: &'a dyn Fn(usize) -> bool) -> Self {
        Self { preempted, ..self }
    }

    pub(crate) fn forgetting(self, forgetting: Elsewhere<'a>) -> Self {
        Self { forgetting, ..self }
    }
}

impl Platform for Actor<'_> {
    const CODE: Code = Code::Paravirt;

    fn relax(&self) {
        (self.spinning)(*self);
    }

    fn halt(&self) {
        (self.halted)(*self);
    }

    fn kick(&self, cpu: usize) {
        self.record.kicked.borrow_mut().push(cpu);
    }

    fn forget_kick(&self) {
        (self.forgetting)(*self);
    }

    fn is_preempted(&self, cpu: usize) -> bool {
        (self.preempted)(cpu)
    }

    fn now(&self) -> u64 {
        self.clock.map_or(0, Cell::get)
    }

    fn node_of(&self, _: usize) -> usize {
        0
    }

    fn add(&self, event: Event, n: u64) {
        let count = &self.record.counts[event as usize];
        count.set(count.get() + n);
    }
}
