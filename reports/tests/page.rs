//! The page of a synthetic run: complete, self-contained and the same each time.

use std::io::Read;

use lockbench_reports::derive::derive;
use lockbench_reports::record::Results;
use lockbench_reports::show::plots::{Figure, figures};
use lockbench_reports::show::trace_export::chrome_of_worst;
use lockbench_reports::show::{csv, html};
use sha2::{Digest, Sha256};

use crate::fixture;

fn results() -> Results {
    derive(fixture::lines(7, 1.0).into_iter())
}

#[test]
fn a_run_without_data_says_why_plots_are_missing() {
    let empty = derive(fixture::lines(7, 1.0).into_iter().take(1));
    let page = html::render(&[empty]).unwrap();
    assert!(page.contains("Plots left out") && page.contains("No latency windows were taken."));
    assert!(html::render(&[derive(std::iter::empty())]).is_ok());
    assert!(html::render(&[]).is_ok());
}

#[test]
fn the_page_loads_nothing_and_repeats_itself() {
    let results = results();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    let own = page.replace("http://www.w3.org/2000/svg", "");
    let text =
        own.split(" href=\"data:").map(|part| part.split_once("\" download=").map_or(part, |part| part.1));
    let text: String = text.collect();
    for loader in ["http://", "https://", "src=", "url(", "@import", "<link", "<iframe", " style=\""] {
        assert!(!text.contains(loader), "{loader}");
    }
    assert_eq!(page, html::render(&[results]).unwrap());
}

/// What is coded in base64.
fn decoded(base64: &str) -> Vec<u8> {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        other => {
            assert_eq!(other, b'/');
            63
        }
    };
    let digits: Vec<u8> = base64.trim_end_matches('=').bytes().map(digit).collect();
    let group = |four: &[u8]| {
        let bits =
            four.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

/// The files that links of a page carry, by name.
fn carried(page: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for link in page.split("<a href=\"data:application/gzip;base64,").skip(1) {
        let (base64, rest) = link.split_once("\" download=\"").unwrap();
        let zipped = decoded(base64);
        let mut content = Vec::new();
        flate2::read::GzDecoder::new(&zipped[..]).read_to_end(&mut content).unwrap();
        files.push((rest.split('"').next().unwrap().to_owned(), content));
    }
    files
}

#[test]
fn the_data_in_the_page_are_the_results_without_any_script() {
    let results = results();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    let files = carried(&page);
    let of = |end: &str| &files.iter().find(|(name, _)| name.ends_with(end)).unwrap().1;
    assert_eq!(files[0].0, format!("{}.json.gz", results.run_id));
    assert_eq!(serde_json::from_slice::<Results>(&files[0].1).unwrap(), results);
    assert_eq!(of(".csv.gz"), csv::cells(&results).as_bytes());
    let traced = results.cells.iter().filter_map(chrome_of_worst).map(|trace| trace.to_string());
    let traces = files.iter().filter(|(name, _)| name.contains("-trace-"));
    assert!(traces.map(|(_, trace)| String::from_utf8(trace.clone()).unwrap()).eq(traced));
}

#[test]
fn a_page_is_smaller_than_2_mib() {
    let page = html::render(&[results()]).unwrap();
    assert!(page.len() < 2 << 20, "{} bytes", page.len());
}

#[test]
fn details_come_after_the_plots_and_are_folded() {
    let page = html::render(&[results()]).unwrap();
    let at = |id: &str| page.find(&format!(" id=\"r0-{id}\"")).unwrap_or_else(|| panic!("{id}"));
    let order =
        ["answers", "plots", "cells", "machine", "published", "dropped", "counters", "method", "data"];
    assert!(order.map(at).is_sorted());
    for id in ["published", "dropped", "counters", "method"] {
        let section = page[at(id)..].split("</section>").next().unwrap();
        let (before, folded) = section.split_once("<details class=\"fold\"><summary>").expect(id);
        assert!(!before.contains("<table") && folded.contains("</details>"), "{id}");
    }
}

#[test]
fn a_reason_is_told_once_and_its_cells_unfold() {
    let page = html::render(&[results()]).unwrap();
    let section = page.split(" id=\"r0-dropped\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(section.contains("not planned: "), "{section}");
    let results = results();
    let dropped = &results.dropped[0];
    assert_eq!(section.matches(dropped.reason.as_str()).count(), 1, "{section}");
}

#[test]
fn a_page_has_a_link_to_each_plot_and_says_of_which_environment_it_is() {
    let results = results();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    for figure in figures(&results).unwrap() {
        let Figure::Drawn(plot) = figure else { continue };
        assert!(page.contains(&format!("href=\"#r0-plot-{}\"", plot.id)), "{}", plot.id);
        let env = plot.env.map_or_else(String::new, |env| format!(" data-env=\"{env}\""));
        assert!(page.contains(&format!("<figure id=\"r0-plot-{}\"{env}>", plot.id)), "{}", plot.id);
    }
    for lock in &results.locks {
        assert!(page.contains(&format!("<li data-lock=\"{}\">", lock.name)), "{}", lock.name);
    }
}

#[test]
fn the_one_script_is_small_and_the_policy_names_its_hash_and_that_of_the_styles() {
    let page = html::render(&[results()]).unwrap();
    let inside = |name: &str| {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        assert_eq!(page.matches(&start).count(), 1, "{name}");
        page.split_once(&start).unwrap().1.split_once(&end).unwrap().0
    };
    let policy =
        page.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    let policy = policy.replace("&#39;", "'").replace("&#x27;", "'").replace("&#x2F;", "/");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for (name, directive) in [("script", "script-src"), ("style", "style-src")] {
        let allowed = policy.split("; ").find(|part| part.starts_with(directive)).unwrap();
        let hash =
            allowed.strip_prefix(&format!("{directive} 'sha256-")).unwrap().strip_suffix('\'').unwrap();
        assert_eq!(decoded(hash), Sha256::digest(inside(name).as_bytes()).to_vec(), "{name}");
    }
    let script = inside("script");
    assert!(script.len() < 8_000, "{} bytes", script.len());
    for handler in [" onclick=", " onload=", " oninput=", "javascript:"] {
        assert!(!page.contains(handler), "{handler}");
    }
}

#[test]
fn without_the_script_everything_is_shown() {
    let page = html::render(&[results()]).unwrap();
    let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    for hidden in ["\"few\"", " hidden", "display:none", "<noscript", "<button", "class=\"faint"] {
        assert!(!body.contains(hidden), "{hidden}");
    }
}

#[test]
fn the_table_of_cells_begins_with_eight_columns_and_each_row_is_a_link() {
    let results = results();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    let section = page.split(" id=\"r0-cells\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(section.contains("class=\"sortable many\""));
    let heading = section.split("<thead>").nth(1).unwrap().split("</thead>").next().unwrap();
    let names: Vec<&str> = heading
        .split("<th scope=")
        .skip(1)
        .map(|th| th.split_once('>').unwrap().1.split('<').next().unwrap())
        .collect();
    let first = [
        "Lock",
        "Environment",
        "Workload",
        "Overcommit",
        "Rate",
        "Part of 1x rate",
        "Shares, least to most",
        "Longest wait",
    ];
    assert_eq!((&names[..8], names.len()), (&first[..], 21));
    for (index, cell) in results.cells.iter().enumerate() {
        let row = format!(
            "<tr id=\"r0-cell{index}\"><th scope=\"row\"><a href=\"#r0-cell{index}\">{}</a>",
            cell.axes.lock
        );
        assert!(section.contains(&row), "{row}");
    }
    let hung =
        results.cells.iter().position(|cell| cell.axes.id.starts_with("mcs/kvm/short+exp/8v")).unwrap();
    let row =
        section.split(&format!("<tr id=\"r0-cell{hung}\">")).nth(1).unwrap().split("</tr>").next().unwrap();
    let rate = row.split("<td").nth(4).unwrap();
    assert!(rate.contains("<span class=\"badge bad\">hung</span>"), "{rate}");
}

#[test]
fn ids_are_unique() {
    let one = results();
    for runs in [vec![one.clone()], vec![one.clone(), one]] {
        let page = html::render(&runs).unwrap();
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
