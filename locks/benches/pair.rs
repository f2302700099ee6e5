//! An uncontended lock and unlock, for every variant, beside the bare atomic operations that it is made of.
//!
//! Criterion suits this and only this: one vCPU, a few nanoseconds, no contention. `lockbench suite` measures the rest.

#[path = "../tests/common/alone.rs"]
mod alone;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use alone::Alone;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use lockbench_locks::sync::{QueueWord, TicketWord};
use lockbench_locks::{Ctx, Params, Paravirt, RawLock, for_each_lock};

fn pair<L: RawLock, const PARAVIRT: bool, const PATCHED: bool>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    hypervisor: bool,
) {
    let params =
        black_box(Params { spin_threshold: Params::KERNEL_SPINS, hypervisor, vcpus: 1, ..Params::default() });
    // On the heap and unknown to the optimiser, as in the arena: it must neither see the table of function pointers
    // being filled nor keep the switch in a register.
    let lock = black_box(Box::new(L::new::<Alone<PARAVIRT, PATCHED>>(&params)));
    let blocks = black_box(vec![L::PerVcpu::default()]);
    group.bench_function(name, |bencher| {
        let ctx = Ctx::over(0, &blocks, &params, Alone::<PARAVIRT, PATCHED>);
        bencher.iter(|| {
            let lock = black_box(&*lock);
            lock.acquire(&ctx);
            lock.release(&ctx);
        });
    });
}

fn every_variant<L: RawLock>(group: &mut BenchmarkGroup<'_, WallTime>) {
    for variant in L::VARIANTS {
        match variant.paravirt {
            Paravirt::CompiledOut => pair::<L, false, false>(group, variant.name, false),
            Paravirt::Patched => pair::<L, false, true>(group, variant.name, false),
            Paravirt::CarriedOff => pair::<L, true, false>(group, variant.name, false),
            Paravirt::On => pair::<L, true, false>(group, variant.name, true),
        }
    }
}

fn locks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pair");
    macro_rules! every { ($($lock:path),+) => { $(every_variant::<$lock>(&mut group);)+ } }
    for_each_lock!(every);
    group.finish();
}

fn atomics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("atomics");
    let word = black_box(Box::new(AtomicU64::new(0)));
    group.bench_function("fetch_add", |bencher| {
        bencher.iter(|| black_box(&*word).fetch_add(1, Ordering::Acquire));
    });
    group.bench_function("fetch_add, store", |bencher| {
        bencher.iter(|| {
            let word = black_box(&*word);
            let value = word.fetch_add(1, Ordering::Acquire);
            word.store(value, Ordering::Release);
        });
    });
    group.bench_function("fetch_add twice", |bencher| {
        bencher.iter(|| {
            let word = black_box(&*word);
            word.fetch_add(1, Ordering::Acquire);
            word.fetch_add(1, Ordering::Release);
        });
    });
    let ticket = black_box(Box::new(TicketWord::starting_at(0)));
    group.bench_function("ticket word, plain add", |bencher| {
        bencher.iter(|| {
            let ticket = black_box(&*ticket);
            black_box(ticket.take());
            ticket.advance();
        });
    });
    group.bench_function("ticket word, halves apart, plain add", |bencher| {
        bencher.iter(|| {
            let ticket = black_box(&*ticket);
            black_box(ticket.take_split());
            ticket.advance();
        });
    });
    group.bench_function("ticket word, locked add", |bencher| {
        bencher.iter(|| {
            let ticket = black_box(&*ticket);
            black_box(ticket.take());
            black_box(ticket.advance_and_look());
        });
    });
    let queue = black_box(Box::new(QueueWord::default()));
    group.bench_function("queue word, byte store", |bencher| {
        bencher.iter(|| {
            let queue = black_box(&*queue);
            let _ = black_box(queue.try_lock());
            queue.unlock();
        });
    });
    group.bench_function("queue word, locked exchange", |bencher| {
        bencher.iter(|| {
            let queue = black_box(&*queue);
            let _ = black_box(queue.try_lock());
            black_box(queue.try_unlock());
        });
    });
    group.finish();
}

criterion_group!(benches, locks, atomics);
criterion_main!(benches);
