//! Cells under the emulated hypervisor: no verdict or sentence mixes them with others, and each says how they were scheduled.

mod fixture;

use lockbench_reports::derive::derive;
use lockbench_reports::derive::timeslice::timeslice;
use lockbench_reports::judge::trust;
use lockbench_reports::judge::verdicts::{headline, judge, main_step, steps};
use lockbench_reports::record::{Cell, Line, Results, Thresholds};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::plots::{Figure, figures};
use lockbench_reports::show::{html, summary};

const WORDS: &str = "in round-robin slices of 10 ms";

/// Host-scheduled cells and scheduled ones.
fn both() -> Results {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    judge(&mut results, Thresholds::default());
    results
}

/// Nothing but cells under the emulated hypervisor.
fn scheduled_only() -> Results {
    let under = |id: &str| id.contains("/scheduler=round-robin");
    let lines = fixture::lines(7, 1.0).into_iter().filter_map(|line| match line {
        Line::Header(mut header) => {
            header.cells.retain(|cell| under(&cell.id));
            header.dropped.clear();
            Some(Line::Header(header))
        }
        Line::Round(round) => under(&round.cell).then_some(Line::Round(round)),
        end => Some(end),
    });
    let mut results = derive(lines);
    judge(&mut results, Thresholds::default());
    results
}

fn cell<'a>(results: &'a Results, id: &str) -> &'a Cell {
    results.cells.iter().find(|cell| cell.axes.id.starts_with(id) && cell.schedule.is_some()).expect(id)
}

#[test]
fn a_run_of_scheduled_cells_says_so_in_words() {
    let results = scheduled_only();
    let all = steps(&results);
    let said = headline(main_step(&all).unwrap());
    assert!(said.starts_with(&format!("At 2 vCPUs per CPU, {WORDS}, ")), "{said}");
    let (told, whole) = (ending(&results, Layout::PLAIN), summary::whole(&results));
    assert!(
        told.contains(WORDS) && whole.contains(&format!("emulated, short+exp, compact, pinned, {WORDS}")),
        "{whole}"
    );
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(page.contains(&format!("What each lock keeps of its rate, kvm at 2x, {WORDS}")));
    for text in [told, whole, page] {
        // In ids it stands behind a slash, and in the page's data it is compressed.
        for (at, _) in text.match_indices("scheduler=") {
            assert_eq!(&text[at - 1..at], "/", "{}", &text[at.saturating_sub(200)..at + 40]);
        }
    }
    let titles: Vec<String> = figures(&results)
        .unwrap()
        .into_iter()
        .filter_map(|figure| if let Figure::Drawn(plot) = figure { Some(plot.title) } else { None })
        .collect();
    for title in titles.iter().filter(|title| title.contains("emulated") || title.contains("kvm")) {
        assert!(title.contains(WORDS), "{title}");
    }
}

#[test]
fn no_verdict_mixes_schedules() {
    let results = both();
    for step in steps(&results) {
        assert!(step.verdicts.iter().all(|verdict| verdict.cell.axes.told_schedule() == step.schedule()));
    }
    let pairs = trust::pairs(&results);
    assert!(!pairs.is_empty() && pairs.iter().all(|pair| pair.emulated.schedule.is_none()));
    // Each is judged beside its own kind at 1x, whose rate is not that of the others.
    let ticket = cell(&results, "ticket/emulated/short+exp/4v:2p");
    let one = cell(&results, "ticket/emulated/short+exp/2v:2p").ops_per_second.unwrap().median;
    let kept = ticket.verdict.as_ref().unwrap().kept.unwrap().median;
    let own = ticket.ops_per_second.unwrap().median / one;
    assert!((kept / own - 1.0).abs() < 0.1, "{kept} {own}");
    let only = scheduled_only();
    let pairs = trust::pairs(&only);
    assert!(!pairs.is_empty() && pairs.iter().all(|pair| pair.emulated.schedule.is_some()));
    assert!(trust::sentence(&only).contains(WORDS), "{}", trust::sentence(&only));
}

#[test]
fn the_timeslice_of_a_scheduled_cell_is_that_of_its_schedule() {
    let results = both();
    let slice = |id: &str| timeslice(&results, cell(&results, id)).unwrap().median;
    // The kernel's own is 4 ms there.
    assert!((slice("ticket/emulated/short+exp/4v:2p") / 10e6 - 1.0).abs() < 0.02);
    assert_eq!(slice("ticket/emulated/short+exp/2v:2p"), 10e6, "none ended, so it is the one asked for");
}
