//! Threads that obey a hypervisor which pauses, resumes and kicks them at random.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use lockbench_workloads::arena::Extent;
use lockbench_workloads::locks::pause::State;
use lockbench_workloads::{Bare, Off};

use super::*;
use crate::arena::Memory;
use crate::hypervisor::Vcpu;

const VCPUS: usize = 6;
/// How many of them run at the same time.
const AT_ONCE: usize = 2;
const STEPS: u64 = 1_000_000;

/// xorshift64*: the test's draws, from a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
}

/// What a vCPU of the test shares with the test.
#[derive(Default)]
struct Seen {
    /// Grows while the vCPU runs.
    turns: AtomicU64,
    halts: AtomicU64,
    ended: AtomicBool,
}

/// Where the test has put a vCPU.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Running,
    Paused,
    Blocked,
}

/// A vCPU that runs and now and then halts, yields or kicks another one.
fn live(memory: &'static Memory, cpu: usize, seen: &[Seen], over: &AtomicBool) {
    let block = memory.block(cpu);
    let mut random = Random(cpu as u64 + 1);
    hint(block);
    arrive(block);
    while !over.load(Relaxed) {
        seen[cpu].turns.fetch_add(1, Relaxed);
        match random.below(64) {
            0 => {
                seen[cpu].halts.fetch_add(1, Relaxed);
                halt_vcpu(block);
            }
            1 => kick_vcpu(memory.block(random.below(VCPUS as u64) as usize)),
            2 => yield_vcpu(block),
            _ => std::hint::spin_loop(),
        }
    }
    seen[cpu].ended.store(true, Relaxed);
}

/// What a lock is told of a vCPU that asks whether it is preempted.
fn is_told_preempted(memory: &Memory, cpu: usize) -> bool {
    let told = memory.block(cpu).env.preempted.load(Relaxed);
    // SAFETY: `hint` has put the address of a byte of the block there, before the vCPU first ran.
    unsafe { told.read_volatile() != 0 }
}

/// A halt that a kick from before it ends at once, as that of every environment. The later ones are woken by the vCPU's timer.
unsafe extern "C" fn halt_for_a_test(arena: *const Header, me: u32) {
    // SAFETY: the test's own arena, which has this vCPU.
    let block = unsafe { (*arena).block(me as usize) };
    if block.word.0.swap(0, Relaxed) == 0 {
        let due = ticks() + block.control.timer.load(Relaxed);
        while ticks() < due {
            std::hint::spin_loop();
        }
    }
}

#[test]
fn a_kick_from_before_a_sleep_does_not_end_it() {
    const LONG: u32 = 2_000_000;
    let memory = Memory::empty(&extent(1));
    let block = memory.block(0);
    // SAFETY: nobody else uses this arena.
    unsafe { *block.env.halt.get() = Some(halt_for_a_test) };
    block.word.0.store(1, Relaxed);
    // SAFETY: the arena has the vCPU, outlives it, and its environment is filled in as far as a sleep needs it.
    let vcpu = unsafe { lockbench_workloads::Vcpu::<Bare, Off>::new(memory.as_ptr(), 0) };
    let began = ticks();
    vcpu.sleep(LONG);
    assert!(ticks() - began >= u64::from(LONG), "it slept for {} ticks", ticks() - began);
    assert_eq!(block.word.0.load(Relaxed), 0, "the kick was taken");
    assert_eq!(block.control.timer.load(Relaxed), 0, "no timer is left for the next halt");
}

fn extent(vcpus: usize) -> Extent {
    Extent::plain(vcpus, 4096)
}

/// A million steps in which vCPUs are paused, resumed and kicked, in whatever they are doing: none is lost, and who is paused
/// does not run.
#[test]
fn no_pause_resume_or_kick_is_lost_in_a_million_random_steps() {
    let board: &'static Board = Box::leak(Box::new(Board::create(1).unwrap()));
    obey(board).unwrap();
    let memory = Arc::new(Memory::empty(&extent(VCPUS)));
    Vcpu::hold(&memory);
    let shared: &'static Memory = Box::leak(Box::new(memory.clone()));
    let seen: [Seen; VCPUS] = std::array::from_fn(|_| Seen::default());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (seen, over) = (&seen, &over);
        let (tell, told) = std::sync::mpsc::channel();
        for cpu in 0..VCPUS {
            let tell = tell.clone();
            scope.spawn(move || {
                tell.send((cpu, rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned())).unwrap();
                live(shared, cpu, seen, over);
            });
        }
        let mut threads: Vec<(usize, u32)> = told.iter().take(VCPUS).collect();
        threads.sort_unstable();
        let pid = std::process::id().cast_signed();
        let vcpus: Vec<Vcpu> =
            threads.iter().map(|&(cpu, tid)| Vcpu::new(memory.clone(), cpu, pid, tid)).collect();

        let mut random = Random(2_026);
        let mut places = [Place::Blocked; VCPUS];
        for _ in 0..STEPS {
            // No more run at once than the machine has pCPUs to spare, for a thread obeys only once it gets one.
            let run = |place: &Place| *place == Place::Running;
            let busy = places.iter().filter(|place| run(place)).count() == AT_ONCE;
            let choice: Vec<usize> = (0..VCPUS).filter(|&cpu| !busy || run(&places[cpu])).collect();
            let cpu = choice[random.below(choice.len() as u64) as usize];
            let vcpu = &vcpus[cpu];
            places[cpu] = match places[cpu] {
                Place::Blocked if vcpu.kicked() => {
                    vcpu.resume();
                    Place::Running
                }
                Place::Blocked => {
                    kick_vcpu(shared.block(cpu));
                    Place::Blocked
                }
                Place::Paused => {
                    assert!(is_told_preempted(shared, cpu), "vCPU {cpu} is paused");
                    let before = seen[cpu].turns.load(Relaxed);
                    for _ in 0..random.below(50) {
                        std::hint::spin_loop();
                    }
                    assert_eq!(seen[cpu].turns.load(Relaxed), before, "vCPU {cpu} runs while it is paused");
                    vcpu.resume();
                    assert!(!is_told_preempted(shared, cpu), "vCPU {cpu} runs");
                    Place::Running
                }
                Place::Running if vcpu.state().gave_up() => {
                    let yielded = vcpu.state() == State::Yielded;
                    vcpu.note_given_up();
                    if yielded { Place::Paused } else { Place::Blocked }
                }
                Place::Running => {
                    match vcpu.pause(&|| false).unwrap_or_else(|lost| panic!("vCPU {cpu}: {lost:?}")) {
                        State::Paused | State::Yielded => Place::Paused,
                        State::Halted => Place::Blocked,
                        state => panic!("vCPU {cpu} is {state:?} after a pause"),
                    }
                }
            };
        }
        // Everybody is let go, and must come to its end; that nobody stays behind is what `scope` waits for.
        over.store(true, Relaxed);
        while !seen.iter().all(|seen| seen.ended.load(Relaxed)) {
            for (vcpu, place) in vcpus.iter().zip(&mut places) {
                if *place == Place::Running && vcpu.state().gave_up() {
                    vcpu.note_given_up();
                    *place = Place::Blocked;
                }
                if *place != Place::Running {
                    vcpu.resume();
                    *place = Place::Running;
                }
            }
            std::thread::yield_now();
        }
    });
    for (cpu, seen) in seen.iter().enumerate() {
        let (turns, halts) = (seen.turns.load(Relaxed), seen.halts.load(Relaxed));
        assert!(turns > 1_000 && halts > 100, "vCPU {cpu} took {turns} turns and {halts} halts");
    }
}
