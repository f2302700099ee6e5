//! What the page shows of NUMA: ratios, the map of handovers between nodes, where memory lies, distances.

use lockbench_reports::derive::derive;
use lockbench_reports::record::{CellAxes, Line, Outcome, Results};
use lockbench_reports::show::html;
use lockbench_reports::show::plots::{self, Figure, Plot};
use nodes::Several;

use crate::{fixture, nodes};

fn results(several: &Several) -> Results {
    derive(several.lines().into_iter())
}

fn memory(axes: &CellAxes) -> &str {
    axes.params.get("memory").map_or("local", String::as_str)
}

fn remote_is_dear(axes: &CellAxes) -> f64 {
    if memory(axes) == "remote" { 1.6 } else { 1.0 }
}

fn drawn(results: &Results) -> Vec<Plot> {
    let drawn = plots::figures(results).unwrap().into_iter();
    drawn.filter_map(|figure| if let Figure::Drawn(plot) = figure { Some(plot) } else { None }).collect()
}

fn plot(results: &Results, id: &str) -> Plot {
    drawn(results).into_iter().find(|plot| plot.id == id).unwrap_or_else(|| panic!("{id} is not drawn"))
}

fn missing(results: &Results, title: &str) -> String {
    let left_out = plots::figures(results).unwrap().into_iter().find_map(|figure| match figure {
        Figure::Missing { title: found, why } if found.starts_with(title) => Some(why),
        _ => None,
    });
    left_out.unwrap_or_else(|| panic!("{title} is not left out"))
}

/// Four nodes with numbers far apart, 96 pCPUs.
fn large() -> Several {
    Several { nodes: vec![0, 3, 8, 1023], each: 24, traced: true, ..Several::default() }
}

#[test]
fn handover_medians_are_drawn_node_to_node_beyond_64_pcpus() {
    let results = results(&large());
    let cell = results.cells.iter().find(|cell| cell.axes.id == "ticket/native/short/96v:96p/scatter/pinned");
    let causes = cell.and_then(|cell| cell.causes.as_ref()).unwrap();
    assert!(causes.matrix.is_empty() && causes.no_matrix.is_some() && causes.node_matrix.len() == 16);
    let map = plot(&results, "handovers-nodes");
    assert!(map.title.contains("96 vCPUs on 96 pCPUs"), "{}", map.title);
    let row = |from: &str, to: &str| {
        let rows = map.data.rows.iter();
        rows.filter(|row| row[0] == "ticket" && row[1] == from && row[2] == to).collect::<Vec<_>>()
    };
    assert_eq!(row("N0", "N0")[0][3], "95.0 ns");
    let [far] = row("N0", "N1023")[..] else { panic!("{:?}", map.data.rows) };
    assert_eq!((far[3].as_str(), far[6].as_str()), ("332 ns", "35"), "the median, the firmware's distance");
    for told in ["332 ns", "N1023", "distances told by the firmware", ">35<"] {
        assert!(map.svg.contains(told), "{told} is not drawn");
    }
}

#[test]
fn vcpus_that_float_over_nodes_have_no_map_and_it_is_said() {
    let mut lines = large().lines();
    for line in &mut lines {
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
            && let Some(causes) = &mut measured.causes
        {
            causes.node_matrix.clear();
            causes.no_node_matrix = Some("vCPUs float over 4 NUMA nodes".into());
        }
    }
    let why = missing(&derive(lines.into_iter()), "Handover times from NUMA node");
    assert_eq!(why, "Handovers between NUMA nodes were not told apart: vCPUs float over 4 NUMA nodes.");
}

#[test]
fn ratios_are_drawn_and_stand_beside_absolute_values() {
    let results = results(&Several { times: remote_is_dear, ..Several::default() });
    for env in ["native", "emulated"] {
        let memory = plot(&results, &format!("numa-memory-{env}"));
        let remote =
            memory.data.rows.iter().find(|row| row[0] == "ticket, 2v" && row[1].starts_with("remote"));
        let remote = remote.unwrap_or_else(|| panic!("{:?}", memory.data.rows));
        assert!((1.5..1.7).contains(&remote[2].parse::<f64>().unwrap()), "{remote:?}");
        assert!(remote[4].ends_with(" M/s") && remote[5].ends_with(" M/s"), "{remote:?}");
        assert_eq!((remote[6].as_str(), remote[7].as_str()), ("6", "slower"));
        assert_eq!((remote[8].as_str(), remote[9].as_str()), ("node 1 (3 pages)", "node 0 (3 pages)"));
        let placement = plot(&results, &format!("numa-placement-{env}"));
        assert!(placement.data.rows.iter().any(|row| row[1] == "scatter to compact" && row[7] == "same"));
        assert!(placement.data.rows.iter().any(|row| row[1] == "node:1 to compact"));
    }
}

#[test]
fn the_drawing_marks_where_the_kernel_found_the_pages() {
    let mut lines = Several::default().lines();
    let of = |lines: &[Line], id: &str| plot(&derive(lines.iter().cloned()), id);
    let local = of(&lines, "topology");
    assert!(local.title.ends_with(", memory local") && local.legend.len() == 2, "{}", local.title);
    let row = |plot: &Plot, pcpu: &str| plot.data.rows.iter().find(|row| row[0] == pcpu).unwrap().clone();
    assert_eq!(row(&local, "0")[3..], ["v0", "3 of 3 pages", "v0 v1"]);
    assert_eq!(row(&local, "2")[3..], ["", "", ""]);
    let remote = of(&lines, "topology-remote");
    assert_eq!(row(&remote, "0")[3..], ["v0", "", "v0 v1"]);
    assert_eq!(row(&remote, "2")[4], "3 of 3 pages");
    assert!(remote.svg.contains(">lock and data: 3 of 3 pages<") && remote.svg.contains(">blocks of v0 v1<"));
    assert_eq!(row(&of(&lines, "topology-interleave"), "2")[4], "2 of 4 pages");
    // What counts is where the pages lie, not what was asked for: here the kernel put all of them on node 0.
    for line in &mut lines {
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
            && let Some(residence) = &mut measured.residence
        {
            residence.shared.iter_mut().for_each(|on| on.node = 0);
        }
    }
    assert_eq!(row(&of(&lines, "topology-remote"), "2")[4], "");
}

#[test]
fn the_page_tells_how_far_the_nodes_are_apart() {
    let page = html::render(&[results(&large())]).unwrap();
    assert!(page.contains("<caption>Distances between NUMA nodes</caption>"));
    assert!(page.contains("to node 1023") && page.contains("310 ns"));
    assert!(page.contains("Does placement matter for locks here?"));
    let one = html::render(&[derive(fixture::lines(7, 1.0).into_iter())]).unwrap();
    assert!(!one.contains("Distances between NUMA nodes"));
    assert!(one.contains("NUMA cannot be told here: one node."));
}

#[test]
fn every_figure_of_several_nodes_has_title_description_and_data() {
    for results in [results(&large()), results(&Several { traced: true, ..Several::default() })] {
        let plots = drawn(&results);
        let of_nodes = |plot: &&Plot| {
            plot.id.starts_with("numa-") || plot.id.starts_with("topology") || plot.id == "handovers-nodes"
        };
        let of_nodes: Vec<&Plot> = plots.iter().filter(of_nodes).collect();
        assert_eq!(of_nodes.len(), 8, "{:?}", of_nodes.iter().map(|plot| &plot.id).collect::<Vec<_>>());
        for plot in of_nodes {
            assert!(plot.svg.contains("<title") && plot.svg.contains("<desc"), "{}", plot.id);
            assert!(!plot.data.rows.is_empty() && !plot.reading.is_empty(), "{}", plot.id);
            assert!(plot.data.rows.iter().all(|row| row.len() == plot.data.columns.len()), "{}", plot.id);
        }
    }
}

#[test]
fn a_map_and_a_row_say_of_which_memory_they_are() {
    let mut lines = Several { traced: true, ..Several::default() }.lines();
    // Only windows with remote memory were traced: the map's title says so.
    for line in &mut lines {
        if let Line::Round(round) = line
            && !round.cell.ends_with("/memory=remote")
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.causes = None;
        }
    }
    let remote = |line: &mut Line| {
        if let Line::Header(header) = line {
            let spread = header.cells.iter().filter(|cell| cell.placement == "scatter").cloned();
            let spread: Vec<CellAxes> = spread
                .map(|mut cell| {
                    cell.id.push_str("/memory=remote");
                    cell.params.insert("memory".into(), "remote".into());
                    cell
                })
                .collect();
            header.cells.extend(spread);
        }
    };
    lines.iter_mut().for_each(remote);
    let spread: Vec<Line> = Several { traced: true, ..Several::default() }
        .lines()
        .into_iter()
        .filter_map(|line| match line {
            Line::Round(mut round) if round.cell.contains("/scatter/") => {
                round.cell.push_str("/memory=remote");
                Some(Line::Round(round))
            }
            _ => None,
        })
        .collect();
    lines.extend(spread);
    let results = derive(lines.into_iter());
    let map = plot(&results, "handovers-nodes");
    assert!(map.title.contains("scatter, memory=remote, "), "{}", map.title);
    let memory = plot(&results, "numa-memory-native");
    let labels: Vec<&str> = memory.data.rows.iter().map(|row| row[0].as_str()).collect();
    assert!(labels.contains(&"ticket, 2v compact") && labels.contains(&"ticket, 2v scatter"), "{labels:?}");
    assert!(memory.data.rows.iter().all(|row| row.last().unwrap().contains("/native/short/")));
}
