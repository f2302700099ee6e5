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

/// A vCPU, and what happens elsewhere while it spins, while it is halted and when it forgets a kick.
#[derive(Clone, Copy)]
pub(crate) struct Actor<'a> {
    record: &'a Record,
    spinning: Elsewhere<'a>,
    halted: Elsewhere<'a>,
    forgetting: Elsewhere<'a>,
}

impl<'a> Actor<'a> {
    /// A vCPU that will have to wait for nothing.
    pub(crate) fn new(record: &'a Record) -> Self {
        Self {
            record,
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

    fn is_preempted(&self, _: usize) -> bool {
        false
    }

    fn now(&self) -> u64 {
        0
    }

    fn node_of(&self, _: usize) -> usize {
        0
    }

    fn add(&self, event: Event, n: u64) {
        let count = &self.record.counts[event as usize];
        count.set(count.get() + n);
    }
}
