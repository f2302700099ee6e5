//! The plots of a synthetic run: what each draws, says and leaves out.

use std::collections::BTreeSet;

use lockbench_reports::derive::derive;
use lockbench_reports::record::{Facility, Line, Outcome, Results};
use lockbench_reports::show::plots::{Figure, Plot, figures};
use lockbench_reports::show::trace_export::chrome_of_worst;

use crate::{fixture, many};

fn results() -> Results {
    derive(fixture::lines(7, 1.0).into_iter())
}

#[test]
fn every_plot_is_drawn_with_title_description_and_data() {
    for figure in figures(&results()).unwrap() {
        match figure {
            Figure::Drawn(plot) => {
                assert!(plot.svg.contains("<title") && plot.svg.contains("<desc"), "{}", plot.id);
                assert!(!plot.data.rows.is_empty() && !plot.reading.is_empty(), "{}", plot.id);
                assert!(plot.data.rows.iter().all(|row| row.len() == plot.data.columns.len()), "{}", plot.id);
            }
            Figure::Missing { title, why } => panic!("{title} is left out: {why}"),
        }
    }
}

#[test]
fn each_lock_of_a_plot_has_a_group_a_label_and_its_values_as_titles() {
    let results = results();
    for id in ["lock-time-emulated", "preemptions", "counters", "handovers", "emulation", "lock-events"] {
        let plot = plot(&results, id);
        let titled = |group: &str| group.split("</g>").next().unwrap().contains("<title>");
        assert!(plot.svg.split("<g data-lock=\"").skip(1).any(titled), "{id}");
        assert!(plot.svg.split("<g data-lock=\"").skip(1).all(titled), "{id}");
    }
    for id in [
        "overcommit-emulated",
        "vcpus-native",
        "latency",
        "fairness",
        "fairness-throughput",
        "spin-threshold",
    ] {
        let plot = plot(&results, id);
        let locks: BTreeSet<&str> =
            plot.data.rows.iter().filter_map(|row| row[0].split(',').next()).collect();
        for lock in locks {
            let groups = plot.svg.split("<g data-lock=\"").skip(1);
            let own: Vec<&str> =
                groups.filter_map(|group| group.strip_prefix(&format!("{lock}\">"))).collect();
            let own: Vec<&str> = own.iter().filter_map(|group| group.split("</g>").next()).collect();
            assert!(!own.is_empty(), "{id} {lock}");
            for group in own {
                assert!(group.contains(&format!("<title>{lock}")), "{id} {lock}: {group}");
                assert!(group.contains(&format!(">{lock}")) && group.ends_with("</text>"), "{id} {lock}");
            }
        }
    }
    let crowded = plot(&results, "overcommit-emulated");
    let linear = crowded.linear.unwrap();
    assert!(linear.contains("(linear scale)") && crowded.svg.contains("(log scale)"));
    assert_eq!(linear.matches("<title>").count(), crowded.svg.matches("<title>").count());
    let row = crowded.data.rows.iter().find(|row| row[0] == "ticket" && row[1] == "2x").unwrap();
    assert!(linear.contains(&format!("<title>ticket, 2x: {}/s (", row[2])), "{row:?}");
}

#[test]
fn thirty_locks_have_thirty_colours_and_labels_that_do_not_collide() {
    let results = derive(many::lines(fixture::lines(7, 1.0)).into_iter());
    let plot = plot(&results, "overcommit-emulated");
    let mut heights: Vec<i32> = Vec::new();
    let mut colours = BTreeSet::new();
    for group in plot.svg.split("<g data-lock=\"").skip(1) {
        let label = group.rsplit("<text ").next().unwrap();
        heights.push(label.split(" y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap());
        let strokes: BTreeSet<&str> =
            group.split(" stroke=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(strokes.len(), 1, "a lock has one colour: {strokes:?}");
        colours.extend(strokes);
    }
    assert_eq!((heights.len(), colours.len()), (many::LOCKS, many::LOCKS));
    heights.sort_unstable();
    // Letters are 24 units high, and up to 28 on a phone.
    assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= 28), "{heights:?}");
}

#[test]
fn a_forest_label_leaves_out_the_workload_that_most_rows_have() {
    let labels: Vec<String> =
        plot(&results(), "environments").data.rows.into_iter().map(|row| row[0].clone()).collect();
    assert!(labels.contains(&"pv-ticket-off, 2v".to_owned()), "{labels:?}");
    // A row of another schedule than most names all that it has.
    let alike = |label: &&String| !label.contains(" in round-robin ");
    assert!(labels.iter().filter(alike).all(|label| !label.contains("short+exp")), "{labels:?}");
}

#[test]
fn a_forest_says_what_it_does_not_draw() {
    let results = derive(many::lines(fixture::lines(7, 1.0)).into_iter());
    for id in ["environments", "emulation"] {
        let plot = plot(&results, id);
        let drawn = plot.svg.matches("<title>").count();
        let left_out = plot.data.rows.len() - drawn;
        let told = plot.reading.contains(&format!(" {left_out} more are in the table."));
        assert_eq!(told, left_out > 0, "{id}: {drawn} of {}: {}", plot.data.rows.len(), plot.reading);
    }
}

/// The figures that a plot's rows have, without the columns that say what a row is of.
fn drawn(results: &Results, id: &str, figures: [&str; 3]) -> Vec<Vec<String>> {
    let data = plot(results, id).data;
    let at = figures.map(|name| data.columns.iter().position(|column| column == name).expect(name));
    data.rows.iter().map(|row| at.map(|column| row[column].clone()).to_vec()).collect()
}

#[test]
fn no_figure_is_drawn_in_two_plots() {
    let results = results();
    for env in ["emulated", "kvm"] {
        let rate = ["median per second", "low", "high"];
        let alone = drawn(&results, &format!("vcpus-{env}"), rate);
        let crowded = plot(&results, &format!("overcommit-{env}")).data.rows;
        let crowded: Vec<_> =
            crowded.into_iter().filter(|row| row[1] != "1x").map(|row| row[2..5].to_vec()).collect();
        assert!(!crowded.is_empty() && alone.iter().all(|row| !crowded.contains(row)), "{env}");
    }
    let ratio = ["ratio", "first", "second"];
    let above = drawn(&results, "emulation", ["ratio", "emulated", "kvm"]);
    let without = drawn(&results, "environments", ratio);
    assert!(!above.is_empty() && without.iter().all(|row| !above.contains(row)));
}

fn plot(results: &Results, id: &str) -> Plot {
    let drawn = figures(results).unwrap().into_iter();
    let mut plots =
        drawn.filter_map(|figure| if let Figure::Drawn(plot) = figure { Some(plot) } else { None });
    plots.find(|plot| plot.id == id).expect(id)
}

/// A run after a change to its measured windows, by cell.
fn changed(change: impl Fn(&str, &mut lockbench_reports::record::Measured)) -> Results {
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            change(&round.cell, measured);
        }
    }
    derive(lines.into_iter())
}

#[test]
fn preemptions_that_nobody_could_count_are_not_none() {
    let mut results = results();
    let untold = "Holder and waiter preemption could not be told in kvm: the software KVM here";
    assert!(plot(&results, "preemptions").reading.contains(untold));
    let bars = plot(&results, "lock-time-kvm");
    assert!(bars.reading.contains(untold), "{}", bars.reading);
    assert!(bars.legend.iter().all(|key| !key.name.contains("holder")));
    assert!(bars.data.rows.iter().all(|row| row[2] == "–" && row[3] == "–"));
    let known = plot(&results, "lock-time-emulated");
    assert!(known.legend.len() == 5 && known.data.rows.iter().all(|row| row[2] != "–"));
    let facilities = &mut results.machine.facilities;
    facilities.retain(|facility| facility.name != "preemption-counting");
    let (name, detail) = ("preemption-counting".into(), "no rseq area".into());
    facilities.push(Facility { name, available: false, detail });
    let why = figures(&results).unwrap().into_iter().find_map(|figure| match figure {
        Figure::Missing { title, why } if title.starts_with("Holder and waiter") => Some(why),
        _ => None,
    });
    assert!(why.unwrap().contains("in emulated: no rseq area."));
}

#[test]
fn a_lock_that_sleeps_does_not_tell_the_timeslice() {
    let sleeps = |cell: &str| cell.starts_with("pv-");
    let results = changed(|cell, measured| {
        if sleeps(cell) {
            measured.slice_ns = measured.slice_ns.map(|_| 800e3);
            measured.counters.insert("voluntary_switches".into(), 10_000);
        }
    });
    let told = plot(&results, "sweep-timeslice");
    assert!(!told.data.rows.iter().any(|row| row[1].contains("µs")), "{:?}", told.data.rows);
    assert!(told.reading.contains("asked for 1 ms, ran 4 ms at a time"), "{}", told.reading);
    assert!(!told.reading.contains("24 ms"), "{}", told.reading);
    let all = changed(|_, measured| _ = measured.counters.insert("voluntary_switches".into(), 10_000));
    let reading = plot(&all, "sweep-timeslice").reading;
    assert!(
        reading.ends_with("every lock slept and none tells the timeslice: 1 ms, 6 ms, 12 ms, 24 ms."),
        "{reading}"
    );
}

#[test]
fn handovers_are_set_against_acquisitions() {
    let map = plot(&results(), "handovers");
    let column = map.data.columns.iter().position(|name| name == "all shown, of the acquisitions").unwrap();
    assert!(map.data.rows.iter().all(|row| row[column].contains(" of ")), "{:?}", map.data.rows);
}

#[test]
fn what_a_trace_leaves_out_is_shown_as_such() {
    assert!(!plot(&results(), "timeline-0").reading.contains("left out"));
    let results = changed(|_, measured| {
        let Some(trace) = measured.causes.as_mut().and_then(|causes| causes.trace.as_mut()) else { return };
        // Removes the middle of the worst handover and keeps its two ends.
        let acquires = trace.events.iter().filter(|event| format!("{:?}", event.kind) == "Acquire");
        let before = |at: u64| {
            let releases = trace.events.iter().filter(|event| format!("{:?}", event.kind) == "Release");
            releases.map(|event| event.at_ns).filter(|released| *released < at).max()
        };
        let worst = acquires.filter_map(|event| Some((before(event.at_ns)?, event.at_ns)));
        let Some((from, to)) = worst.max_by_key(|(from, to)| to - from) else { return };
        let cut = [from + 30_000, to];
        trace.events.retain(|event| event.at_ns <= cut[0] || event.at_ns >= cut[1]);
        trace.worst_handover_ns = to - from;
        trace.omitted = Some(cut);
    });
    let line = plot(&results, "timeline-0");
    assert!(line.reading.contains("are left out, except preemptions"), "{}", line.reading);
    assert!(line.legend.iter().any(|key| key.name == "left out"));
    assert!(line.data.rows.iter().any(|row| row[1] == "left out"));
    let ticket =
        results.cells.iter().find(|cell| cell.axes.id.starts_with("ticket/emulated/short+exp/4v:2p"));
    let trace = chrome_of_worst(ticket.unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    assert!(events.iter().any(|event| event["name"] == "left out" && event["tid"] == 0));
}
