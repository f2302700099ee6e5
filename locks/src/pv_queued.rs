//! The paravirtual queued spinlock: the kernel's in guests from 4.2 on.

use core::ptr;

use crate::hash::{self, Hashed, Slots};
use crate::queue::{self, Node, NodeId, Nodes, Queue, RUNNING, Spinning, Waiting};
use crate::sync::{Ordering, QueueWord, fence, fence_before_locked, store_then_fence};
use crate::{Code, Ctx, EarlyWait, Event, Order, Params, Paravirt, Platform, RawLock, Variant, patched};

/// A queued spinlock that may be stolen before it is queued for, and whose queued waiters halt after a while.
#[derive(Debug)]
pub struct PvQueued {
    word: QueueWord,
}

/// A vCPU's queue nodes and its share of the table of sleepers.
#[derive(Debug, Default)]
pub struct Block {
    nodes: Nodes,
    slots: Slots,
}

impl Block {
    /// Entries in use in this vCPU's share of the table of sleepers: none once all is quiet.
    #[doc(hidden)]
    pub fn hashed(&self) -> usize {
        self.slots.used()
    }
}

/// State of a node: halted, or about to be, until it is made the queue's head.
const HALTED: u8 = 1;
/// State of a node: halted, or about to be, until the lock's release; it is in the table.
const HASHED: u8 = 2;

/// In every so many loops a waiter looks whether its predecessor still runs.
const LOOK_AROUND: u32 = 256;

impl PvQueued {
    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[cold]
    #[inline(never)]
    fn contend_halting<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        queue::enqueue::<Halting, _, _>(self, ctx);
    }

    /// Frees a lock whose queue head sleeps.
    #[cold]
    #[inline(never)]
    fn release_slow<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // What `try_unlock` found there was stored with release, after the entry.
        fence(Ordering::Acquire);
        // All that the kick needs is taken before the release: after it the lock may be gone and the sleeper's node
        // in another queue.
        let sleeper = hash::remove(self.address(), ctx);
        self.word.unlock();
        if let Some(cpu) = sleeper {
            ctx.platform().count(Event::PvKickUnlock);
            ctx.platform().kick(cpu);
        }
    }
}

/// Waiting with a hypervisor.
struct Halting;

impl Halting {
    /// Halts if the condition to wait for still does not hold. Whoever makes it hold sends a kick, and a kick sticks.
    fn halt_while<P: Platform>(asleep: impl Fn() -> bool, ctx: &Ctx<'_, PvQueued, P>) {
        if asleep() {
            ctx.platform().halt();
            ctx.platform().count(Event::PvKickWake);
        }
    }
}

impl Halting {
    /// Whether the wait behind `previous` is long, or is to be thought so.
    #[inline(always)]
    fn waits_early<P: Platform>(previous: NodeId, ctx: &Ctx<'_, PvQueued, P>) -> bool {
        // The wait is long behind a vCPU that has halted. Relaxed: it is a hint, and the node may be in another queue by now.
        previous.node(ctx).state.load(Ordering::Relaxed) != RUNNING
            || match ctx.params().early_wait {
                EarlyWait::Halted => false,
                EarlyWait::Hint => ctx.platform().is_preempted(previous.cpu()),
                EarlyWait::Always => true,
            }
    }
}

impl Waiting<PvQueued> for Halting {
    /// Steals, while there is a queue whose head has not forbidden it.
    fn try_lock<P: Platform>(lock: &PvQueued, ctx: &Ctx<'_, PvQueued, P>) -> bool {
        loop {
            let value = lock.word.load(Ordering::Relaxed);
            if value & (QueueWord::LOCKED_MASK | QueueWord::PENDING) == 0 && lock.word.try_steal() {
                ctx.platform().count(Event::PvLockStealing);
                return true;
            }
            if value & QueueWord::TAIL_MASK == 0 || value & QueueWord::PENDING != 0 {
                return false;
            }
            ctx.platform().relax();
        }
    }

    fn wait_node<P: Platform>(_: &PvQueued, node: &Node, previous: NodeId, ctx: &Ctx<'_, PvQueued, P>) {
        let granted = || node.granted.load(Ordering::Acquire);
        loop {
            let mut early = false;
            let mut spins = 0;
            loop {
                if granted() {
                    return;
                }
                if spins % LOOK_AROUND == 0 && Self::waits_early(previous, ctx) {
                    early = true;
                    break;
                }
                ctx.platform().relax();
                spins += 1;
                if spins >= ctx.params().spin_threshold {
                    break;
                }
            }
            // Pairs with the one in `granted`: either this sees the grant, or the granter sees the state.
            store_then_fence(&node.state, HALTED);
            if !granted() {
                ctx.platform().count(Event::PvWaitNode);
                if early {
                    ctx.platform().count(Event::PvWaitEarly);
                }
                // The predecessor hashed this node, which is thus the head: it looks at the lock instead of sleeping until the release.
                Self::halt_while(|| node.state.load(Ordering::Relaxed) == HALTED, ctx);
            }
            // Acquire on failure: with the state `HASHED` the grant must be seen, or this would go round in vain.
            let _ = node.state.compare_exchange(HALTED, RUNNING, Ordering::Relaxed, Ordering::Acquire);
            if !granted() {
                ctx.platform().count(Event::PvSpuriousWakeup);
            }
        }
    }

    fn wait_head<P: Platform>(lock: &PvQueued, node: &Node, ctx: &Ctx<'_, PvQueued, P>) -> u32 {
        let word = &lock.word;
        // Hashing is done once for each wait: here, or by the predecessor who found this node halted.
        let mut hashed = node.state.load(Ordering::Relaxed) == HASHED;
        let mut again = false;
        ctx.platform().count(Event::LockSlowpath);
        loop {
            node.state.store(RUNNING, Ordering::Relaxed);
            // No stealing while the head looks on, or it might starve.
            word.forbid_stealing();
            let mut spins = 0;
            loop {
                if word.try_pending_to_locked() {
                    return word.load(Ordering::Relaxed);
                }
                ctx.platform().relax();
                spins += 1;
                if spins >= ctx.params().spin_threshold {
                    break;
                }
            }
            word.clear_pending();
            if !hashed {
                let slot = hash::insert(lock.address(), ctx.me(), ctx);
                hashed = true;
                if word.swap_slow() == 0 {
                    // Released meanwhile: it is taken now, and nobody needs to be woken.
                    word.set_locked();
                    if let Some(slot) = slot {
                        slot.clear();
                    }
                    return word.load(Ordering::Relaxed);
                }
            }
            node.state.store(HASHED, Ordering::Relaxed);
            ctx.platform().count(Event::PvWaitHead);
            if again {
                ctx.platform().count(Event::PvWaitAgain);
            }
            again = true;
            // After a theft the byte is `LOCKED`, the entry is spent, and nobody would kick: so it is to spin again.
            Self::halt_while(|| word.load(Ordering::Relaxed) & QueueWord::LOCKED_MASK == QueueWord::SLOW, ctx);
        }
    }

    fn granted<P: Platform>(lock: &PvQueued, next: NodeId, ctx: &Ctx<'_, PvQueued, P>) {
        // Pairs with the one in `wait_node`, and keeps the grant before the state also where the exchange fails.
        fence_before_locked();
        let state = &next.node(ctx).state;
        if state.compare_exchange(HALTED, HASHED, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            // The next head stays asleep, for it can do nothing before the release. This vCPU's own release finds the entry.
            lock.word.set_slow();
            hash::insert(lock.address(), next.cpu(), ctx);
        }
    }
}

impl Queue for PvQueued {
    #[inline(always)]
    fn word(&self) -> &QueueWord {
        &self.word
    }

    #[inline(always)]
    fn nodes(block: &Block) -> &Nodes {
        &block.nodes
    }
}

impl Hashed for PvQueued {
    #[inline(always)]
    fn slots(block: &Block) -> &Slots {
        &block.slots
    }
}

impl RawLock for PvQueued {
    const NAME: &'static str = "pv-queued";
    const VARIANTS: &'static [Variant] = &[
        Variant::new("pv-queued", "queued spinlock with stealing, whose queued waiters halt").against("queued").and_against("virt-spin").carrying(Paravirt::On).core().lock_of("an x86 guest with paravirtual spinlocks since Linux 4.2"),
        Variant::new("pv-queued-off", "pv-queued switched off at run time, by a load and a branch, as in no kernel").against("queued").carrying(Paravirt::CarriedOff).natively("no kernel's: the paravirtual queued lock switched off by a load and a branch"),
        Variant::new("pv-queued-patched", "pv-queued as boot-time patching leaves it on a native machine: a byte store and a NOP").against("queued").carrying(Paravirt::Patched).natively("Linux since 4.2 with paravirtual spinlocks: the call of the unlock patched to a byte store and a NOP").lock_of("Linux since 4.2 with paravirtual spinlocks, natively"),
    ];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "Linux 4.2 and later (kernel/locking/qspinlock_paravirt.h as of 6.12)";
    // 2: instructions of the parts' sizes for stealing, pending, `SLOW` and unlock; settings lie off the word's line.
    const REVISION: u32 = 2;
    const LEAF: bool = true;
    const WAITS_EARLY: bool = true;
    const SHARES_BLOCKS: bool = true;
    type PerVcpu = Block;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: QueueWord::default() }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if let Err(value) = self.word.try_lock() {
            if ctx.halting() {
                self.contend_halting(ctx);
            } else {
                queue::contend(self, value, ctx);
            }
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        Spinning::try_lock(self, ctx)
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if ctx.halting() {
            if !self.word.try_unlock() {
                self.release_slow(ctx);
            }
        } else {
            self.word.unlock();
            if P::CODE == Code::Patched {
                patched::rest_of_call();
            }
        }
    }
}
