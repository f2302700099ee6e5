//! How far apart pCPUs are at this moment, by the round trip of a cache line between two of them.
//!
//! Under a hypervisor the host moves pCPUs apart for seconds at a time, which steal time does not show, and the rate of a
//! contended lock changes with their distance. So a ping-pong is played before and after each window of two pCPUs or more.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use lockbench_reports::record::Pair;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use crate::topology::{PuIndex, pin_current};

const LENGTH: Duration = Duration::from_millis(3);
/// A ping-pong may last this long if something else holds a pCPU for most of `LENGTH`.
const LONGEST: Duration = Duration::from_millis(12);
const FEWEST: usize = 8;
/// Round trips timed together: many enough that reading the clock does not show.
const BATCH: u32 = 32;
/// A player looks for the ball this often before it looks at the clock; a trip between two running pCPUs takes far fewer looks.
const LOOKS: u32 = 1 << 12;

/// Sorts the pairs, as indices, into waves. The pairs of one wave play at the same time.
///
/// To play the pairs of 24 NUMA nodes one after the other would take longer than the window itself. Two ping-pongs disturb
/// each other only if they share a cache, or the link to a line on another node; so two pairs of one wave have no node in
/// common, and each line lies on a node of its pair. Pairs inside different nodes may still share a package's mesh and its
/// clock; a single line in flight does not fill the mesh, and the window uses those pCPUs at the same time too. The pairs of
/// a cell take at most three waves, however many nodes it has: the pairs inside nodes have no node in common, and besides
/// there are at most the first two pCPUs and the pair across.
pub fn waves(pairs: &[Pair]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        let meets = |other: &usize| pairs[*other].nodes.iter().any(|node| pair.nodes.contains(node));
        match waves.iter_mut().find(|wave| !wave.iter().any(meets)) {
            Some(wave) => wave.push(index),
            None => waves.push(vec![index]),
        }
    }
    waves
}

/// The median round trip in nanoseconds of each pair; `None` where a thread could not be pinned.
pub fn round_trips_ns(pairs: &[Pair]) -> Vec<Option<f64>> {
    let mut round_trips_ns = vec![None; pairs.len()];
    for wave in waves(pairs) {
        scope(|scope| {
            let play = |index: usize| {
                let pcpus = pairs[index].pcpus;
                let played = Builder::new().spawn_scoped(scope, move || round_trip_ns(pcpus)).ok()?;
                Some((index, played))
            };
            let playing: Vec<_> = wave.into_iter().filter_map(play).collect();
            for (index, played) in playing {
                round_trips_ns[index] = played.join().ok().flatten();
            }
        });
    }
    round_trips_ns
}

/// A cache line on a page of its own.
struct Ball(NonNull<AtomicU32>);

impl Ball {
    const PAGE: usize = 4096;

    /// A line on the node of the CPU that the calling thread is pinned to: memory of the heap or of a stack may have been
    /// touched first by a thread elsewhere.
    fn here() -> Option<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
        let page = unsafe { mmap_anonymous(ptr::null_mut(), Self::PAGE, protection, MapFlags::PRIVATE) };
        let ball = Self(NonNull::new(page.ok()?.cast())?);
        ball.word().store(0, Ordering::Relaxed);
        Some(ball)
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: the page is mapped until the ball is dropped, is aligned, and began as zeroes.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Ball {
    fn drop(&mut self) {
        // SAFETY: `here` mapped exactly this page, and whoever borrowed its word is done with it.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), Self::PAGE) };
    }
}

const OVER: u32 = u32::MAX;

/// Median round trip of a cache line between two pCPUs over 3 ms, in nanoseconds. The calling thread is the one on the
/// first. None if a thread could not be had or pinned.
fn round_trip_ns([here, there]: [u32; 2]) -> Option<f64> {
    if !pin_current(PuIndex(here)).is_bound() {
        return None;
    }
    let ball = Ball::here()?;
    let word = ball.word();
    scope(|scope| {
        let far = Builder::new().spawn_scoped(scope, || {
            let pinned = pin_current(PuIndex(there)).is_bound();
            send_back(word);
            pinned
        });
        // Without a partner there is nobody to wait for.
        let far = far.ok()?;
        let batches = play(word);
        end(word, || far.is_finished());
        far.join().ok()?.then(|| lockbench_reports::statistics::median(&batches)).flatten()
    })
}

/// Mean round trips of batches, in nanoseconds. Where the other player hardly ever gets its pCPU a batch would take a second;
/// it is then cut short, once there has been a round trip at all.
fn play(word: &AtomicU32) -> Vec<f64> {
    let mut batches = Vec::new();
    let mut count = 0;
    let began = Instant::now();
    loop {
        let batch = Instant::now();
        let mut trips = 0;
        while trips < BATCH {
            word.store(count + 1, Ordering::Relaxed);
            let mut looks = 0_u32;
            while word.load(Ordering::Relaxed) != count + 2 {
                std::hint::spin_loop();
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(LOOKS) && count > 0 && began.elapsed() > LONGEST {
                    if trips > 0 {
                        batches.push(mean(batch, trips));
                    }
                    return batches;
                }
            }
            count += 2;
            trips += 1;
        }
        batches.push(mean(batch, trips));
        let played = began.elapsed();
        if played > LONGEST || (played > LENGTH && batches.len() >= FEWEST) {
            return batches;
        }
    }
}

fn mean(since: Instant, trips: u32) -> f64 {
    since.elapsed().as_nanos() as f64 / f64::from(trips)
}

/// Says that the game is over until the other player has heard it: an answer that was on its way when a batch was cut short
/// comes after the first time that it is said, and takes its place.
fn end(word: &AtomicU32, heard: impl Fn() -> bool) {
    while !heard() {
        word.store(OVER, Ordering::Relaxed);
        std::thread::yield_now();
    }
}

fn send_back(word: &AtomicU32) {
    let mut expected = 1;
    loop {
        let seen = word.load(Ordering::Relaxed);
        if seen == OVER {
            return;
        }
        if seen == expected {
            word.store(expected + 1, Ordering::Relaxed);
            expected += 2;
        }
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn an_answer_that_comes_after_the_end_does_not_keep_the_other_player_for_ever() {
        let word = AtomicU32::new(1);
        let said = Cell::new(0);
        end(&word, || {
            let over = word.load(Ordering::Relaxed) == OVER;
            said.set(said.get() + u32::from(over));
            if said.get() == 1 {
                word.store(2, Ordering::Relaxed);
            }
            said.get() == 2
        });
        assert_eq!((said.get(), word.load(Ordering::Relaxed)), (2, OVER), "it is said once more");
    }

    fn pair(nodes: [u32; 2]) -> Pair {
        Pair { pcpus: [2 * nodes[0], 2 * nodes[1] + 1], nodes }
    }

    #[test]
    fn pairs_of_many_nodes_take_as_many_waves_as_those_of_two() {
        let of = |nodes: u32| -> Vec<Pair> {
            let across = [pair([0, 1]), pair([0, nodes - 1])];
            (0..nodes).map(|node| pair([node, node])).chain(across).collect()
        };
        for nodes in [3, 24, 1000] {
            let waves = waves(&of(nodes));
            assert_eq!(waves.len(), 3, "{nodes} nodes");
            let mut taken: Vec<usize> = waves.concat();
            taken.sort_unstable();
            assert_eq!(taken, (0..nodes as usize + 2).collect::<Vec<_>>(), "each pair plays once");
        }
        assert!(waves(&[]).is_empty());
        assert_eq!(waves(&[pair([0, 0])]), [[0]]);
    }

    #[test]
    fn a_player_who_stops_does_not_keep_the_other_waiting() {
        for answers in [1, BATCH - 1, BATCH, 3 * BATCH + 5] {
            let word = AtomicU32::new(0);
            let batches = scope(|scope| {
                scope.spawn(|| {
                    for expected in (1..2 * answers).step_by(2) {
                        loop {
                            match word.load(Ordering::Relaxed) {
                                OVER => return,
                                seen if seen == expected => break,
                                _ => std::hint::spin_loop(),
                            }
                        }
                        word.store(expected + 1, Ordering::Relaxed);
                    }
                });
                let batches = play(&word);
                word.store(OVER, Ordering::Relaxed);
                batches
            });
            // Fewer where the time was over before: that depends on the machine.
            assert!((1..=answers.div_ceil(BATCH)).contains(&(batches.len() as u32)), "{answers} answers");
        }
    }

    #[test]
    fn pairs_that_play_at_once_share_no_node() {
        let pairs = [pair([0, 0]), pair([1, 1]), pair([1, 2]), pair([0, 2]), pair([3, 3])];
        for wave in waves(&pairs) {
            let nodes: Vec<u32> = wave.iter().map(|&index| pairs[index].nodes[0]).collect();
            for (at, &index) in wave.iter().enumerate() {
                for &other in &wave[at + 1..] {
                    let meet = pairs[index].nodes.iter().any(|node| pairs[other].nodes.contains(node));
                    assert!(!meet, "{nodes:?}");
                }
            }
        }
    }
}
