//! Causes in a synthetic run: the summary of a cell, its trace for Perfetto, and the sentence on environments.

use std::collections::BTreeMap;

use lockbench_reports::derive::derive;
use lockbench_reports::judge::trust;
use lockbench_reports::record::{Cell, Line, Outcome, Results};
use lockbench_reports::show::plots::{Figure, figures};
use lockbench_reports::show::{summary, trace_export};

use crate::fixture;

fn results() -> Results {
    derive(fixture::lines(7, 1.0).into_iter())
}

fn cell<'a>(results: &'a Results, id: &str) -> &'a Cell {
    results.cells.iter().find(|cell| cell.axes.id == format!("{id}/compact/pinned")).expect(id)
}

#[test]
fn the_five_classes_are_the_whole_window() {
    let results = results();
    let traced: Vec<_> = results.cells.iter().filter_map(|cell| cell.causes.as_ref()).collect();
    assert!(traced.len() > 20);
    for causes in traced {
        let time = causes.time.unwrap();
        let sum = time.idle + time.free + time.granted_off + time.held_off + time.held;
        assert!((sum - 1.0).abs() < 1e-9 && (time.covered - 1.0).abs() < 0.01, "{time:?}");
    }
}

#[test]
fn a_cell_sums_up_its_traced_windows() {
    let results = results();
    let ticket = cell(&results, "ticket/emulated/short+exp/4v:2p").causes.as_ref().unwrap();
    assert_eq!((ticket.windows, ticket.vcpus.len()), (2, 4));
    let by_vcpu: u64 = ticket.vcpus.iter().map(|vcpu| vcpu.granted_off).sum();
    assert_eq!(by_vcpu, ticket.granted_off);
    assert!(ticket.lwp_per_million.unwrap() > 100.0 * ticket.handovers as f64 / ticket.operations as f64);
    let matrix: u64 = ticket.matrix.iter().map(|entry| entry.count).sum();
    assert!(matrix <= ticket.handovers && ticket.matrix.len() == 4);
    assert_eq!(ticket.wake_ns, None, "nobody halted");
    let gaps = ticket.gaps.unwrap();
    assert_eq!((gaps.waiting, gaps.total_ns, gaps.longest_ns), (14, 5_200_000, 2_100_000), "of two windows");
    assert_eq!(ticket.reacquire_turns.as_ref().unwrap().p50, Some(4.0), "the number of vCPUs");
    let cured = cell(&results, "pv-ticket/emulated/short+exp/4v:2p").causes.as_ref().unwrap();
    assert!(cured.wake_ns.as_ref().unwrap().p50.unwrap() > 20_000.0);
    assert_eq!(cured.spins_before_halt, Some(30_411.5));
    assert!(
        cell(&results, "tas/emulated/short+exp/8v:2p").causes.is_none(),
        "a broken lock yields no number"
    );
}

#[test]
fn a_trace_is_what_perfetto_opens() {
    let results = results();
    let trace = trace_export::chrome_of_worst(cell(&results, "pv-ticket/emulated/short+exp/4v:2p")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |ph: &'static str| events.iter().filter(move |event| event["ph"] == ph);
    assert!(of("M").any(|event| event["args"]["name"].as_str().unwrap().starts_with("pv-ticket/emulated")));
    assert_eq!(of("s").count(), of("f").count(), "each kick's arrow has two ends");
    assert!(of("s").count() > 0);
    // Perfetto draws an arrow between two slices: it must begin inside one.
    let slices: Vec<_> =
        of("X").map(|slice| (&slice["tid"], slice["ts"].as_f64(), slice["dur"].as_f64())).collect();
    for arrow in of("s") {
        let at = arrow["ts"].as_f64();
        assert!(
            slices.iter().any(|slice| *slice.0 == arrow["tid"] && slice.1 == at && slice.2 > Some(0.0)),
            "{arrow}"
        );
    }
    // Slices of one track must lie beside or within one another.
    let mut tracks: BTreeMap<(u64, u64), Vec<(f64, f64)>> = BTreeMap::new();
    for slice in of("X") {
        let (at, long) = (slice["ts"].as_f64().unwrap(), slice["dur"].as_f64().unwrap());
        assert!(at >= 0.0 && long >= 0.0);
        let track = (slice["pid"].as_u64().unwrap(), slice["tid"].as_u64().unwrap());
        tracks.entry(track).or_default().push((at, at + long));
    }
    for (track, mut slices) in tracks {
        slices.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(slices.windows(2).all(|pair| pair[1].0 >= pair[0].1 - 1e-6), "{track:?} {slices:?}");
    }
    assert!(trace_export::chrome(&results).is_some());
    assert_eq!(trace_export::chrome_of_worst(cell(&results, "ticket/native/short+exp/1v:1p")), None);
}

#[test]
fn handovers_are_also_drawn_from_node_to_node_where_there_are_several() {
    let mut results = results();
    let ids = |results: &Results| -> Vec<String> {
        let drawn = figures(results).unwrap().into_iter();
        drawn
            .filter_map(|figure| if let Figure::Drawn(plot) = figure { Some(plot.id) } else { None })
            .collect()
    };
    assert!(!ids(&results).contains(&"handovers-nodes".to_owned()));
    let detail = results.machine.topology_detail.as_mut().unwrap();
    detail["pus"][1]["nodes"] = serde_json::json!([1]);
    assert!(ids(&results).contains(&"handovers-nodes".to_owned()));
}

#[test]
fn how_far_emulation_can_be_trusted() {
    let said = trust::sentence(&results());
    assert!(
        said.to_lowercase().contains("the emulated rate is 1.0")
            && said.to_lowercase().contains("on this machine"),
        "{said}"
    );
    // Real vCPUs that behave entirely differently.
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line
            && round.cell.starts_with("ticket/kvm/short+exp/4v")
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.operations.iter_mut().for_each(|count| *count *= 30);
        }
    }
    let said = trust::sentence(&derive(lines.into_iter()));
    assert!(
        said.contains("farthest off for ticket at 2x") && said.ends_with("say nothing about real vCPUs."),
        "{said}"
    );
    let native = fixture::lines(7, 1.0)
        .into_iter()
        .filter(|line| !matches!(line, Line::Round(round) if round.cell.contains("/kvm/")));
    let results = derive(native);
    assert!(trust::sentence(&results).starts_with("No cell was measured both"));
    assert!(!summary::closing(&results).contains("emulated rate"));
}
