//! Checks that must be measured: whether pCPUs are taken away, and whether they stay equally far apart.

use std::time::{Duration, Instant};

use lockbench_reports::format;
use lockbench_reports::record::Pair;
use lockbench_reports::record::are_apart;

use super::Finding;
use crate::measure::ping_pong;
use crate::refusal::words;
use crate::topology::{Machine, Placement, PuIndex, pairs, pin_current};

const WATCH: Duration = Duration::from_millis(300);
/// Longer than any interrupt on a healthy machine.
const GAP: Duration = Duration::from_micros(100);
/// Ping-pongs of each pair, 100 ms apart.
const PING_PONGS: usize = 8;

pub(super) fn examine(machine: &Machine) -> Vec<Finding> {
    let pcpus: Vec<PuIndex> = machine.pus.iter().map(|pu| pu.os_index).collect();
    let mut findings = vec![stolen(&pcpus)];
    // The order in which a cell over the whole machine would take them: cores before their siblings.
    let order = Placement::Compact.order(machine).unwrap_or(pcpus);
    let pairs = pairs(machine, &order);
    let watched = watch(&pairs);
    let one_node = machine.nodes.len() < 2;
    let mut distances: Vec<Finding> =
        pairs.iter().zip(watched).filter_map(|(pair, trips)| apart(pair, one_node, &trips?)).collect();
    say_once(&mut distances);
    findings.extend(distances);
    findings
}

/// Keeps an advice that several findings share only on the last of them.
fn say_once(findings: &mut [Finding]) {
    let last = findings.iter().rposition(|finding| finding.advice.is_some());
    for finding in findings.iter_mut().take(last.unwrap_or(0)) {
        finding.advice = None;
    }
}

/// Several round trips of each pair, in nanoseconds; empty for a pair that could not be pinned.
fn watch(pairs: &[Pair]) -> Vec<Option<Vec<f64>>> {
    let mut watched: Vec<Option<Vec<f64>>> = vec![Some(Vec::new()); pairs.len()];
    for _ in 0..if pairs.is_empty() { 0 } else { PING_PONGS } {
        for (trips, trip) in watched.iter_mut().zip(ping_pong::round_trips_ns(pairs)) {
            *trips = trips.take().zip(trip).map(|(mut trips, trip)| {
                trips.push(trip);
                trips
            });
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    watched
}

/// Spins on each of the first pCPUs, one after the other, and looks for time that is missing.
fn stolen(pcpus: &[PuIndex]) -> Finding {
    let mut missing = Duration::ZERO;
    let mut longest = Duration::ZERO;
    let watched = &pcpus[..pcpus.len().min(4)];
    for &pcpu in watched {
        let gaps = std::thread::Builder::new().spawn(move || {
            let _ = pin_current(pcpu);
            let began = Instant::now();
            let (mut last, mut sum, mut longest) = (began, Duration::ZERO, Duration::ZERO);
            while began.elapsed() < WATCH {
                let now = Instant::now();
                if now - last > GAP {
                    sum += now - last;
                    longest = longest.max(now - last);
                }
                last = now;
            }
            (sum, longest)
        });
        let (sum, gap) = match gaps {
            Ok(gaps) => gaps.join().unwrap_or_default(),
            Err(e) => {
                let found = format!("cannot be told, for no thread could be started: {}", words(&e));
                return Finding::unfit("time taken away", found, "raise that limit");
            }
        };
        missing += sum;
        longest = longest.max(gap);
    }
    let share = missing.as_secs_f64() / (WATCH.as_secs_f64() * watched.len() as f64);
    let found = format!(
        "{:.1} % of a spinning thread's time was taken, {} at the longest",
        100.0 * share,
        format::duration(longest.as_nanos() as f64)
    );
    match share {
        s if s > 0.10 => {
            Finding::unfit("time taken away", found, "something else runs on these CPUs, here or on the host")
        }
        s if s > 0.01 => Finding::care("time taken away", found, "look for timers, daemons or a busy host"),
        _ => Finding::fine("time taken away", found),
    }
}

/// How far apart two pCPUs are, and whether their distance changed between the ping-pongs.
fn apart(pair: &Pair, one_node: bool, trips: &[f64]) -> Option<Finding> {
    let nearest = trips.iter().copied().reduce(f64::min)?;
    let farthest = trips.iter().copied().reduce(f64::max)?;
    let [here, there] = pair.pcpus;
    let who = if one_node { format!("CPUs {here} and {there}") } else { pair.to_string() };
    let found = format!("{who}: {nearest:.0} to {farthest:.0} ns a round trip");
    Some(if are_apart(nearest, farthest) {
        let advice =
            "the host moves pCPUs; only windows at the same distance are compared, so take more rounds";
        Finding::care("distance of two CPUs", found, advice)
    } else {
        Finding::fine("distance of two CPUs", found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn the_pair_that_moves_is_named() {
        let across = Pair { pcpus: [0, 6], nodes: [0, 3] };
        let moved = apart(&across, false, &[300.0, 310.0, 900.0]).unwrap();
        assert_eq!(moved.level, Level::Care);
        assert_eq!(moved.found, "CPUs 0 and 6 across nodes 0 and 3: 300 to 900 ns a round trip");
        let inside = Pair { pcpus: [0, 1], nodes: [0, 0] };
        let still = apart(&inside, true, &[84.0, 97.0]).unwrap();
        assert_eq!(still.level, Level::Fine);
        assert_eq!(still.found, "CPUs 0 and 1: 84 to 97 ns a round trip");
        assert!(apart(&inside, true, &[]).is_none());
    }

    #[test]
    fn advice_for_several_pairs_is_given_once() {
        let pair = Pair { pcpus: [0, 1], nodes: [0, 0] };
        let of = |farthest| apart(&pair, false, &[84.0, farthest]).unwrap();
        let mut findings = vec![of(900.0), of(85.0), of(900.0), of(85.0)];
        say_once(&mut findings);
        let advised: Vec<bool> = findings.iter().map(|finding| finding.advice.is_some()).collect();
        assert_eq!(advised, [false, false, true, false]);
        assert_eq!(findings[0].level, Level::Care);
        say_once(&mut []);
    }
}
