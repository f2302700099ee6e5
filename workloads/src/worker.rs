//! THE worker loop: acquire, section, release, think, for ever.

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockbench_locks::{Ctx, Platform, RawLock};

use crate::alone::alone;
use crate::arena::{Data, Header, LINE, OwnBlock, Plan, THINK_ENTRIES};
use crate::at::{At, INNER, OUTER, pick, tally};
use crate::counter::bump;
use crate::probe::{Phase, Probe, Twin};
use crate::vcpu::{Mode, Vcpu};
use crate::work::burn;

/// A worker: each vCPU enters it once and runs it until the process is killed.
pub type WorkerFn = unsafe extern "C" fn(arena: *const Header, me: u32) -> !;

/// The worker of lock `L` on vCPU `me`.
///
/// # Safety
///
/// `arena` must head a mapped arena whose plan is written, whose lock and per-vCPU parts were initialised for just
/// these type arguments (see [`WorkerEntry`](crate::WorkerEntry)), and `me` must be one of its vCPUs, running here alone.
pub unsafe extern "C" fn worker<L: RawLock, M: Mode, Pr: Probe>(arena: *const Header, me: u32) -> ! {
    Twin::mark(Pr::TWIN);
    // SAFETY: the arena is mapped and its plan written before any vCPU starts, as the caller vouches.
    let header = unsafe { &*arena };
    let plan = &header.plan;
    // SAFETY: as the caller vouches; every arena has a first lock.
    let (mut ctx, mut at, own) = unsafe { enter::<L, M, Pr>(arena, me, 0) };

    if plan.start_queued && me == 0 {
        while !acquire(&ctx, at.lock(), None) {}
        own.entered.store(1, Relaxed);
        while header.gate.hold.load(Relaxed) != 0 {
            ctx.platform().relax();
        }
        release(&ctx, at.lock());
    }
    own.entered.store(1, Relaxed);
    // No times are taken of such turns, so a worker that traces need not have them.
    if !Pr::TRACE && plan.alone {
        alone(&ctx, at.lock(), at.data(), own, me);
    }

    let mut random = (u64::from(me).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ plan.draws) | 1;
    let mut due = if plan.open { Some(ctx.platform().now()) } else { None };
    loop {
        let work = if plan.varies {
            random = burn(random, 1);
            plan.section[(random >> 32) as usize % THINK_ENTRIES]
        } else {
            plan.section_work
        };
        if plan.locks > 1 {
            random = burn(random, 1);
            // SAFETY: the plan names locks that there are.
            at = unsafe { At::turn(arena, pick(plan, random), &mut ctx) };
        }
        if acquire(&ctx, at.lock(), due) {
            if plan.extends {
                ctx.platform().ask_for_time();
            }
            section::<Pr>(arena, plan, at.data(), own, me, work);
            if plan.locks > 1 {
                // SAFETY: the plan is the arena's.
                unsafe { tally(arena, me, at.which) };
                if plan.nests && at.which == OUTER {
                    let platform = ctx.platform();
                    // SAFETY: where locks are nested there are two, and this vCPU runs here alone.
                    platform.expect(unsafe { inner::<L, M, Pr>(arena, me, work, platform.expected()) });
                    // The outer section lasts until here, and nobody else may have been in it.
                    check_owner(at.data(), own, me);
                }
            }
            release(&ctx, at.lock());
            if plan.extends {
                ctx.platform().give_time_back();
            }
        } else {
            // The request is over, and counts for no rate.
            bump(&own.failures);
        }
        if plan.thinks {
            random = burn(random, 1);
            let think = plan.think[(random >> 32) as usize % THINK_ENTRIES];
            match &mut due {
                Some(due) => wait_until_due(ctx.platform(), due, think),
                None if plan.sleeps => ctx.platform().sleep(think),
                None => own.sink.store(burn(random, think), Relaxed),
            }
            // Without think time there is no phase *thinking*: after its release the vCPU asks again at once.
            ctx.platform().look(Phase::Thinking);
        }
    }
}

/// Takes the lock, unless that fails. The wait counts from `due`, or from now if that is none.
#[inline(always)]
fn acquire<L: RawLock, M: Mode, Pr: Probe>(
    ctx: &Ctx<'_, L, Vcpu<M, Pr>>,
    lock: &L,
    due: Option<u64>,
) -> bool {
    let platform = ctx.platform();
    if Pr::TRACE {
        let now = platform.now();
        platform.tracer().asking(due.unwrap_or(now), now);
    }
    let acquired = lock.acquire_or_fail(ctx);
    if L::BLOCKS && !L::LEAF {
        // The vCPU may have slept in the kernel, and nothing tells that from a preemption. While it spun, `relax` looked.
        platform.overlook();
    } else {
        platform.look(Phase::Waiting);
    }
    if Pr::TRACE {
        if acquired {
            platform.tracer().acquired(L::ORDER, platform.now());
        } else {
            platform.tracer().gave_up();
        }
    }
    acquired
}

#[inline(always)]
fn release<L: RawLock, M: Mode, Pr: Probe>(ctx: &Ctx<'_, L, Vcpu<M, Pr>>, lock: &L) {
    let platform = ctx.platform();
    platform.look(Phase::Holding);
    if Pr::TRACE {
        platform.tracer().releasing(platform.now());
    }
    lock.release(ctx);
    if Pr::TRACE {
        platform.tracer().released();
    }
}

/// Waits until the next request is due, `ticks` after the last was due; returns at once if that has passed. The vCPU keeps its
/// pCPU meanwhile, as a server that polls does.
#[inline(always)]
fn wait_until_due<M: Mode, Pr: Probe>(platform: &Vcpu<M, Pr>, due: &mut u64, ticks: u32) {
    *due = due.wrapping_add(u64::from(ticks));
    while platform.now() < *due {
        core::hint::spin_loop();
        platform.look(Phase::Thinking);
    }
}

/// Takes the inner of two nested locks, for a section inside that of the outer one, and frees it. The vCPU expects its probe to read
/// `expected`; what it expects from now on is returned. Out of line and with a context of its own, so that a worker with a single
/// lock is what it would be without this.
///
/// # Safety
///
/// As for [`worker`], where the arena's plan nests its locks.
#[cold]
#[inline(never)]
unsafe fn inner<L: RawLock, M: Mode, Pr: Probe>(
    arena: *const Header,
    me: u32,
    work: u32,
    expected: u64,
) -> u64 {
    Twin::mark(Pr::TWIN);
    // SAFETY: as the caller vouches.
    let (ctx, at, own) = unsafe { enter::<L, M, Pr>(arena, me, INNER) };
    // SAFETY: as the caller vouches.
    let plan = unsafe { &(*arena).plan };
    ctx.platform().expect(expected);
    if acquire(&ctx, at.lock(), None) {
        section::<Pr>(arena, plan, at.data(), own, me, work);
        // SAFETY: as the caller vouches.
        unsafe { tally(arena, me, at.which) };
        release(&ctx, at.lock());
    } else {
        bump(&own.failures);
    }
    ctx.platform().expected()
}

/// What vCPU `me` calls lock number `which` with, that lock, and what the vCPU writes about itself.
///
/// # Safety
///
/// As for [`worker`], and `which` must be one of the arena's locks.
#[inline(always)]
unsafe fn enter<'a, L: RawLock + 'a, M: Mode, Pr: Probe>(
    arena: *const Header,
    me: u32,
    which: usize,
) -> (Ctx<'a, L, Vcpu<M, Pr>>, At<'a, L>, &'a OwnBlock) {
    // SAFETY: `me` is a vCPU of this arena, its environment filled in its block before the gate opened, and `init` of the same type
    // arguments made the locks and every vCPU's part of them.
    unsafe {
        let plan = &(*arena).plan;
        let first = plan.layout.first_part(arena, which);
        let mut ctx = Ctx::new(me as usize, &plan.params, first, plan.layout.stride, Vcpu::new(arena, me));
        let at = At::turn(arena, which, &mut ctx);
        (ctx, at, &(*arena).block(me as usize).own)
    }
}

/// Books a violation if another vCPU was inside since this one entered.
#[inline(always)]
fn check_owner(data: &Data, own: &OwnBlock, me: u32) {
    if data.owner.load(Relaxed) != me {
        bump(&own.violations);
    }
}

/// The critical section, which is also the exclusion check: the counter is loaded first and stored last, so that two
/// vCPUs inside at once lose an update, and `owner` must still be this vCPU at the end.
#[inline(always)]
fn section<Pr: Probe>(arena: *const Header, plan: &Plan, data: &Data, own: &OwnBlock, me: u32, work: u32) {
    let counter = data.counter.load(Relaxed);
    // While a run of one vCPU lasts, the owner costs one comparison and no store. The vCPU that ends a run books its length.
    if data.owner.load(Relaxed) != me {
        if Pr::COUNT {
            let run = counter.wrapping_sub(data.run_began.load(Relaxed));
            if run > own.longest_run.load(Relaxed) {
                own.longest_run.store(run, Relaxed);
            }
            data.run_began.store(counter, Relaxed);
        }
        data.owner.store(me, Relaxed);
    }
    if work > 0 {
        own.sink.store(burn(counter, work), Relaxed);
    }
    if plan.writes {
        if plan.touched > 0 {
            // SAFETY: the caller's arena, laid out as its plan says.
            unsafe { touch(arena) };
        }
        for line in 0..plan.lines as usize {
            // SAFETY: the layout reserved `plan.lines` lines from `layout.lines` on, and the section is exclusive. Should a
            // broken lock let two vCPUs in, these are still relaxed atomic stores: a wrong number, no undefined behaviour.
            let word = unsafe { &*arena.byte_add(plan.layout.lines + line * LINE).cast::<AtomicU64>() };
            word.store(counter, Relaxed);
        }
    }
    check_owner(data, own, me);
    data.counter.store(counter.wrapping_add(1), Relaxed);
    bump(&own.operations);
}

/// Writes to the next page that is not there, or, where none is left, to the one before once more. It waits for nobody.
///
/// # Safety
///
/// `arena` must head a mapped arena whose plan has pages to touch.
#[inline(never)]
unsafe fn touch(arena: *const Header) {
    // SAFETY: as the caller vouches.
    let header = unsafe { &*arena };
    let (plan, data) = (&header.plan, &header.data);
    let next = data.fresh.load(Relaxed);
    // Relaxed: nothing of the page is read, and a hole that is not seen yet is one the less.
    let page = if next < header.holes.made.load(Relaxed) {
        data.fresh.store(next.wrapping_add(1), Relaxed);
        next
    } else {
        bump(&data.present);
        next.wrapping_sub(1)
    };
    let nth = page as usize & (plan.touched - 1);
    // SAFETY: the layout reserved `plan.touched` pages from `layout.touched` on. Whoever else is there stores atomically too.
    let word = unsafe { &*arena.byte_add(plan.layout.touched + nth * plan.page).cast::<AtomicU64>() };
    word.store(next, Relaxed);
}

/// Puts free locks and every vCPU's part of them into an arena.
///
/// # Safety
///
/// `arena` must be mapped whole and writable, with a plan whose layout was made for `L`; nobody else may use it yet.
pub(crate) unsafe fn init<L: RawLock, M: Mode, Pr: Probe>(arena: *mut Header) {
    // SAFETY: the layout reserves aligned room for each `L` and for its `PerVcpu` behind each block, and nobody reads
    // them before this returns.
    unsafe {
        let plan = &(*arena).plan;
        let (layout, params) = (plan.layout, plan.params);
        for which in 0..plan.locks as usize {
            ptr::write(layout.lock(arena, which), L::new::<Vcpu<M, Pr>>(&params));
            for cpu in 0..params.vcpus as usize {
                let first = layout.first_part::<L::PerVcpu>(arena, which);
                // Where locks share the parts, each lock makes them anew, and they are alike.
                ptr::write(first.byte_add(cpu * layout.stride), L::PerVcpu::default());
            }
        }
    }
}
