//! The report's sentences on NUMA, from made-up records whose truth is known.

use lockbench_reports::derive::derive;
use lockbench_reports::judge::answers::{Answer, Statement, answers};
use lockbench_reports::record::{CellAxes, Line, Outcome, Purpose, Results};
use lockbench_reports::statistics::Verdict;
use nodes::Several;

use crate::{fixture, nodes};

fn results(several: &Several) -> Results {
    derive(several.lines().into_iter())
}

fn numa(several: &Several) -> Answer {
    answers(&results(several)).numa
}

/// The only sentence on NUMA of a run, after a change to its lines.
fn changed(several: &Several, change: impl Fn(&mut Vec<Line>)) -> Statement {
    let mut lines = several.lines();
    change(&mut lines);
    answers(&derive(lines.into_iter())).numa.statements.remove(0)
}

fn memory(axes: &CellAxes) -> &str {
    axes.params.get("memory").map_or("local", String::as_str)
}

fn remote_is_dear(axes: &CellAxes) -> f64 {
    if memory(axes) == "remote" { 1.6 } else { 1.0 }
}

/// The figures of `… takes 1.60 (1.58 to 1.62) times as long …`, the first after `from`.
fn figures(text: &str, from: &str) -> [f64; 3] {
    let rest = text.split(from).nth(1).unwrap_or_else(|| panic!("{from} is not in: {text}"));
    let rest = rest.split(" takes ").nth(1).unwrap_or(rest);
    let mut words = rest.split([' ', '(', ')']).filter_map(|word| word.parse::<f64>().ok());
    std::array::from_fn(|_| words.next().unwrap_or_else(|| panic!("no figures in: {rest}")))
}

#[test]
fn remote_memory_that_is_dear_is_said_to_be_with_its_interval() {
    for traced in [false, true] {
        let answer = numa(&Several { times: remote_is_dear, traced, ..Several::default() });
        let said = &answer.statements[0];
        assert_eq!(said.verdict, Some(Verdict::Worse), "{said}");
        assert!(said.text.starts_with("Yes: with the lock on a remote node, "), "{said}");
        let [median, low, high] = figures(&said.text, "remote node");
        assert!(low > 1.5 && low <= median && median <= high && high < 1.7, "{said}");
        assert!(said.text.contains("2 vCPUs on 2 pCPUs, compact: ") && said.text.contains(" M/s against 6."));
        // The same sentence says what costs nothing here.
        assert!(said.text.ends_with("within 5 % like every other lock."), "{said}");
        for env in ["native", "emulated"] {
            let list = answer.statements.iter().find(|one| one.text.starts_with(&format!("{env}, ratios")));
            let list = &list.unwrap().text;
            for lock in ["ticket", "mcs", "queued", "tas"] {
                let [median, low, high] = figures(list, &format!("{lock} "));
                assert!((1.5..1.7).contains(&median) && low > 1.5 && high < 1.7, "{lock}: {list}");
            }
            assert!(
                list.contains("within 5 % for every lock: interleave to local memory, scatter to compact")
            );
        }
    }
}

#[test]
fn memory_and_placement_that_cost_nothing_are_said_to() {
    for traced in [false, true] {
        let said = numa(&Several { traced, ..Several::default() }).statements.remove(0);
        assert_eq!(said.verdict, Some(Verdict::Same), "{said}");
        assert!(said.text.starts_with("No: with the lock on a remote node, "), "{said}");
        let [median, low, high] = figures(&said.text, "remote node");
        assert!(low > 0.95 && low <= median && median <= high && high < 1.05, "{said}");
        let [median, ..] = figures(&said.text, "spread over 2 nodes (scatter)");
        assert!((0.95..1.05).contains(&median), "{said}");
        assert_eq!(said.text.matches("within 5 % like every other lock").count(), 2, "{said}");
    }
}

/// Only windows with remote memory vary.
fn elsewhere(axes: &CellAxes) -> f64 {
    if memory(axes) == "local" { 0.01 } else { 0.6 }
}

#[test]
fn windows_that_scatter_too_much_tell_nothing() {
    let said = numa(&Several { noise: elsewhere, ..Several::default() }).statements.remove(0);
    assert!(said.text.starts_with("Cannot be told: with the lock"), "{said}");
    assert!(said.verdict.as_ref().and_then(Verdict::reason).unwrap().contains("straddles"), "{said}");
    let [_, low, high] = figures(&said.text, "Cannot be told");
    assert!(high / low > 1.2, "the figures stand there all the same: {said}");
    assert!(said.text.contains("; with its vCPUs spread over 2 nodes"), "what can be told is: {said}");
}

#[test]
fn of_many_comparisons_none_is_called_by_chance() {
    // Sixteen comparisons per run: judged by their intervals alone, every fifth run would have one false call.
    let calls = |seed: &u64| {
        let said =
            numa(&Several { noise: elsewhere, seed: *seed, ..Several::default() }).statements.remove(0);
        said.text.starts_with("Yes")
    };
    let n = (1..=30).filter(calls).count();
    assert!(n <= 2, "{n}");
}

#[test]
fn on_one_node_it_is_said_what_would_tell() {
    let one = derive(fixture::lines(7, 1.0).into_iter());
    for results in [one, results(&Several { nodes: vec![0], ..Several::default() })] {
        let answer = answers(&results).numa;
        let [said] = &answer.statements[..] else { panic!("{answer:?}") };
        assert!(said.text.starts_with("NUMA cannot be told here: one node."), "{said}");
        assert!(said.text.contains("`lockbench suite --plan-only --topology FILE.xml`"), "{said}");
        assert_eq!(said.verdict, None);
    }
}

/// A lock that prefers its node does what its ancestor does where there is one node, and that says nothing of it.
#[test]
fn on_one_node_the_locks_that_prefer_a_node_are_named() {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    let told = |results: &Results| {
        let statements = answers(results).numa.statements;
        statements.get(1).map(|said| said.text.clone())
    };
    assert_eq!(told(&results), None);
    for lock in &mut results.locks {
        lock.by_node = lock.name == "mcs";
    }
    assert_eq!(
        told(&results).unwrap(),
        "mcs prefers waiters of the holder's NUMA node: what that is worth cannot be told here."
    );
    for cell in results.cells.iter_mut().filter(|cell| cell.axes.lock == "mcs") {
        cell.ops_per_second = None;
    }
    assert_eq!(told(&results), None, "it was not measured");
}

#[test]
fn locks_that_disagree_are_named() {
    let times = |axes: &CellAxes| if axes.lock == "tas" { 1.0 } else { remote_is_dear(axes) };
    let noise = |axes: &CellAxes| if axes.lock == "mcs" && memory(axes) == "remote" { 0.9 } else { 0.01 };
    let answer = numa(&Several { times, noise, ..Several::default() });
    let said = &answer.statements[0].text;
    assert!(said.starts_with("Yes: with the lock on a remote node, "), "{said}");
    assert!(said.contains(", within 5 % for tas, which cannot be told for mcs; "), "{said}");
    let list = &answer.statements[1].text;
    assert!(list.contains(", within 5 %: tas ") && list.contains(", cannot be told: mcs "), "{list}");
}

#[test]
fn vcpus_that_are_dear_to_spread_are_said_to_be() {
    let times = |axes: &CellAxes| if axes.placement == "scatter" { 2.1 } else { 1.0 };
    let said = numa(&Several { times, ..Several::default() }).statements.remove(0);
    assert_eq!(said.verdict, Some(Verdict::Worse), "{said}");
    assert!(said.text.starts_with("Yes: with its vCPUs spread over 2 nodes (scatter), "), "{said}");
    assert!(said.text.contains("; with the lock on a remote node, "), "{said}");
    let [median, low, high] = figures(&said.text, "with its vCPUs spread over 2 nodes (scatter)");
    assert!((2.0..2.2).contains(&median) && low > 2.0 && high < 2.2, "{said}");
    assert!(said.text.contains(" times as long as with them on node 0 "), "{said}");
}

#[test]
fn remote_memory_may_be_cheaper() {
    let times = |axes: &CellAxes| if memory(axes) == "remote" { 0.8 } else { 1.0 };
    let said = numa(&Several { times, ..Several::default() }).statements.remove(0);
    assert!(said.text.starts_with("Yes: ") && said.verdict == Some(Verdict::Better), "{said}");
    assert!((0.75..0.85).contains(&figures(&said.text, "remote node")[0]), "{said}");
}

#[test]
fn without_a_noise_floor_or_with_three_rounds_nothing_is_judged() {
    let dear = Several { times: remote_is_dear, ..Several::default() };
    let said = changed(&dear, |lines| {
        lines.retain(|line| !matches!(line, Line::Round(round) if round.purpose == Purpose::Twin));
    });
    let few = numa(&Several { rounds: 3, ..dear }).statements.remove(0);
    for (said, why) in [(said, "noise floor of contended cells is unknown"), (few, "3 usable rounds")] {
        assert!(said.text.starts_with("Cannot be told: "), "{said}");
        assert!(said.verdict.as_ref().and_then(Verdict::reason).unwrap().contains(why), "{said}");
        assert!((1.5..1.7).contains(&figures(&said.text, "remote node")[0]), "the figure stands: {said}");
    }
}

#[test]
fn a_record_that_tells_nothing_of_the_machine_will_do() {
    let dear = Several { times: remote_is_dear, ..Several::default() };
    let said = changed(&dear, |lines| {
        for line in lines {
            match line {
                Line::Header(header) => header.machine = Default::default(),
                Line::Round(round) => {
                    if let Outcome::Measured(measured) = &mut round.outcome {
                        measured.residence = None;
                        measured.ping_pongs.clear();
                    }
                }
                Line::End { .. } => {}
            }
        }
    });
    assert!(said.text.starts_with("Yes: with the lock on a remote node, "), "{said}");
    assert!(said.text.contains("with its vCPUs placed by scatter, "), "{said}");
}

#[test]
fn cells_that_were_not_measured_elsewhere_leave_it_open() {
    let local = |line: &Line| match line {
        Line::Header(_) | Line::End { .. } => true,
        Line::Round(round) => round.cell.ends_with("/compact/pinned"),
    };
    let said = changed(&Several::default(), |lines| {
        lines.retain(local);
        if let Some(Line::Header(header)) = lines.first_mut() {
            header.cells.retain(|cell| cell.id.ends_with("/compact/pinned"));
        }
    });
    assert!(said.text.starts_with("Cannot be told: no cell was measured"), "{said}");
    assert!(said.text.contains("`lockbench run --memory local,remote,interleave"), "{said}");
}

#[test]
fn what_could_not_be_measured_is_set_against_nothing() {
    let skip = |lines: &mut Vec<Line>, part: &str| {
        for line in lines {
            if let Line::Round(round) = line
                && round.cell.contains(part)
            {
                round.outcome = Outcome::Skipped { reason: "no such memory".into(), passing: false };
            }
        }
    };
    let said = changed(&Several::default(), |lines| skip(lines, "/memory=remote"));
    assert!(said.text.starts_with("Cannot be told: "), "{said}");
    assert!(said.text.contains(" with the lock on a remote node against "), "{said}");
    assert!(said.text.contains(": – against 6."), "{said}");
    assert!(said.verdict.as_ref().and_then(Verdict::reason).unwrap().ends_with(" is skipped"), "{said}");
    let said = changed(&Several::default(), |lines| skip(lines, "/compact/pinned"));
    assert!(said.text.contains("(scatter), ") && said.text.contains(" as with them on node 1 "), "{said}");
}

#[test]
fn two_placements_on_the_same_pcpus_are_no_evidence() {
    let said = changed(&Several::default(), |lines| {
        for line in lines.iter_mut() {
            if let Line::Header(header) = line {
                header.cells.retain(|cell| memory(cell) == "local" && !cell.placement.starts_with("node"));
                header
                    .cells
                    .iter_mut()
                    .for_each(|cell| cell.pcpus = (0..cell.pcpus.len() as u32).rev().collect());
            }
        }
    });
    assert!(said.text.starts_with("Cannot be told: no cell was measured"), "{said}");
}

#[test]
fn above_1x_what_is_seen_counts_and_what_is_not_does_not() {
    fn far_above(axes: &CellAxes) -> bool {
        axes.overcommit > 1.0 && axes.placement == "scatter"
    }
    let noise = |axes: &CellAxes| if far_above(axes) { 0.9 } else { 0.01 };
    let said = numa(&Several { noise, ..Several::default() }).statements.remove(0);
    assert!(said.text.starts_with("No: "), "{said}");
    assert!(said.text.ends_with(", though above 1x it cannot be told."), "{said}");
    let times = |axes: &CellAxes| if far_above(axes) { 3.0 } else { 1.0 };
    let said = numa(&Several { times, ..Several::default() }).statements.remove(0);
    assert!(said.text.starts_with("Yes: ") && said.text.contains("4 vCPUs on 2 pCPUs"), "{said}");
}

#[test]
fn traced_windows_tell_what_a_handover_between_nodes_costs() {
    let answer = numa(&Several { traced: true, ..Several::default() });
    let said = &answer.statements.last().unwrap().text;
    assert!(
        said.contains(
            "how many times as long a handover takes from node to node as within a node: ticket 2.09 "
        ),
        "{said}"
    );
    assert!(said.contains("199 ns against 95.0 ns, 6 windows"), "{said}");
}
