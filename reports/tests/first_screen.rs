//! The first screen of a page: the verdict before anything else.

use lockbench_reports::derive::derive;
use lockbench_reports::judge::verdicts::judge;
use lockbench_reports::record::{Line, Results, Status, Thresholds};
use lockbench_reports::show::html;

use crate::fixture;

fn results() -> Results {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    judge(&mut results, Thresholds::default());
    results
}

fn page(results: &Results) -> String {
    html::render(std::slice::from_ref(results)).unwrap()
}

/// The part of a page from its heading to the end of the first screen.
fn first_screen(page: &str) -> &str {
    let from = page.find("<h1>").unwrap();
    let to = page.find("id=\"r0-answers\"").unwrap();
    &page[from..to]
}

#[test]
fn the_heading_is_the_verdict() {
    let page = page(&results());
    assert!(
        page.contains(
            "<h1>At 2 vCPUs per CPU 7 of 9 locks collapse here, 1 degrades, 1 cannot be told.</h1>"
        )
    );
    assert!(first_screen(&page).contains("one saturated lock (short+exp)"));
}

#[test]
fn every_step_of_every_environment_is_there_and_one_is_chosen() {
    let page = page(&results());
    let first = first_screen(&page);
    assert_eq!(first.matches("type=\"radio\"").count(), 8, "four steps in two environments");
    assert_eq!(first.matches(" checked>").count(), 1);
    assert_eq!(first.matches("class=\"panel\"").count(), 8);
    for step in ["emulated at 1.5x", "emulated at 4x", "kvm at 2x"] {
        assert!(first.contains(step), "{step}");
    }
}

#[test]
fn a_lock_that_collapses_wears_no_green() {
    let page = page(&results());
    let rows: Vec<&str> = page.split("<tr>").filter(|row| row.contains(">collapses<")).collect();
    assert!(rows.len() > 40, "{}", rows.len());
    assert!(rows.iter().all(|row| !row.contains("badge good")));
    // The long answers say "better" of locks that collapse all the same.
    let answers =
        page.split("id=\"r0-answers\"").nth(1).unwrap().split("id=\"r0-environments\"").next().unwrap();
    assert!(answers.contains(">better<") && !answers.contains("badge good"));
}

#[test]
fn the_plot_of_the_first_screen_is_drawn_once() {
    let page = page(&results());
    assert!(first_screen(&page).contains("id=\"r0-plot-overcommit-kvm\""));
    assert_eq!(page.matches("id=\"r0-plot-overcommit-kvm\"").count(), 1);
}

#[test]
fn a_run_without_a_trace_says_how_to_get_one() {
    let untraced = fixture::lines(7, 1.0).into_iter().map(|mut line| {
        if let Line::Round(round) = &mut line
            && let lockbench_reports::record::Outcome::Measured(measured) = &mut round.outcome
        {
            measured.causes = None;
        }
        line
    });
    let mut results = derive(untraced);
    judge(&mut results, Thresholds::default());
    let page = page(&results);
    let first = first_screen(&page);
    assert!(first.contains("This profile records no event trace; add <code>--trace</code>."), "{first}");
    assert!(first.contains("Waiting for the scheduler at each handover predicts"), "the law needs no trace");
}

#[test]
fn a_run_without_overcommit_says_that_nothing_is_said() {
    let lines = fixture::lines(7, 1.0).into_iter().map(|mut line| {
        if let Line::Header(header) = &mut line {
            header.cells.retain(|cell| cell.overcommit <= 1.0);
        }
        line
    });
    let mut results = derive(lines);
    judge(&mut results, Thresholds::default());
    let page = page(&results);
    assert!(page.contains("<h1>No lock was run with more vCPUs than CPUs"));
    assert!(!first_screen(&page).contains("type=\"radio\""));
}

#[test]
fn the_thresholds_of_the_reader_stand_on_the_page() {
    let mut results = results();
    judge(&mut results, Thresholds { holds: 0.55, ..Thresholds::default() });
    assert!(first_screen(&page(&results)).contains("keeps at least 55.0\u{a0}% of its rate"));
}

#[test]
fn a_law_is_set_beside_each_measurement_that_it_speaks_of() {
    let page = page(&results());
    let laws = page.split("id=\"r0-laws\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(laws.contains("0.65 to 1.45") && laws.contains("the law fails here"));
    assert!(laws.contains("some vCPUs share a pCPU and others do not"));
}

/// A reader of "cannot be told" finds the interval, the rounds and the reason one step away.
#[test]
fn every_verdict_stands_with_its_intervals_rounds_and_reason() {
    let results = results();
    let page = page(&results);
    assert!(first_screen(&page).contains("href=\"#r0-verdicts\""));
    let table =
        page.split("id=\"r0-verdicts\"").nth(1).unwrap().split("</details>\n<details id").next().unwrap();
    let told = results.cells.iter().filter(|cell| cell.verdict.is_some() && cell.status != Status::Skipped);
    assert_eq!(table.matches("<tr>").count(), 1 + told.count(), "a heading, and a row for each verdict");
    assert!(table.contains("(74.9 % to 84.1 %), 6 rounds"));
    assert!(table.contains("with room for the next run it keeps 68.1 % to 92.5 %, which spans 80.0 %"));
}

/// The time and the number of timeslices are those of one wait: the longest of all windows.
#[test]
fn a_wait_is_told_in_time_and_in_timeslices() {
    let results = results();
    let step = "emulated at 2x";
    let cell =
        results.cells.iter().find(|cell| cell.axes.id == "ticket/emulated/short+exp/4v:2p/compact/pinned");
    let ns = cell.unwrap().verdict.as_ref().unwrap().longest_wait_ns.unwrap();
    let page = page(&results);
    let panel = page.split(&format!(">{step}</h2>")).nth(1).unwrap().split("</table>").next().unwrap();
    let row = panel.split("<tr>").find(|row| row.contains(">ticket<")).unwrap();
    let wait = format!("{:.1}\u{a0}ms <small>{:.1}<span", ns / 1e6, ns / 4e6);
    assert!(row.contains(&wait), "{wait} in {row}");
}
