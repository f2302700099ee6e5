//! The trend page: complete, harmless, and the same every time.

mod fixture;

use lockbench_reports::derive::derive;
use lockbench_reports::derive::digest::{Digest, Skipped};
use lockbench_reports::judge::history::{Blessing, Collector, History, change_points};
use lockbench_reports::record::{Line, Outcome, Results, Status};
use lockbench_reports::show::trend;
use lockbench_reports::statistics::{MARGIN, Random};

const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}";

fn results(seed: u64, ticket: f64) -> Results {
    let mut lines = fixture::lines(seed, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line
            && round.cell.starts_with("ticket/native/empty/1v")
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.operations.iter_mut().for_each(|count| *count = (*count as f64 * ticket) as u64);
        }
    }
    derive(lines.into_iter())
}

fn nights(change: impl Fn(usize, &mut Digest)) -> (Digest, History) {
    let mut collector = Collector::default();
    let mut last = None;
    for night in 0..24 {
        let mut digest = Digest::of(&results(night as u64, if night < 12 { 1.0 } else { 0.8 }));
        digest.run_id = format!("night-{night}");
        digest.started_at = format!("2026-11-{:02}T03:15:00Z", night + 1);
        if night >= 12 {
            digest.environment.insert("kernel".into(), "6.19".into());
        }
        change(night, &mut digest);
        last = Some(digest.clone());
        collector.add(digest);
    }
    (last.unwrap(), collector.finish())
}

#[test]
fn the_one_change_is_found_dated_and_blessed() {
    let (digest, history) = nights(|_, _| ());
    let found = change_points(&history, &[], MARGIN);
    assert_eq!(found.len(), 1, "{found:#?}");
    let change = &found[0];
    assert_eq!((change.date.as_str(), change.after.as_str()), ("2026-11-13", "2026-11-12"));
    assert!(change.cell.starts_with("ticket/native/empty") && change.worse() && change.stands);
    assert!((change.ratio.median - 0.8).abs() < 0.02 && change.ratio.high < 0.9);
    assert_eq!(change.environment[0].change.to_string(), "kernel 6.18.0-synthetic → 6.19");
    let blessing = Blessing {
        machine: digest.machine.key(),
        cells: "ticket".into(),
        run_id: "night-12".into(),
        reason: "wanted".into(),
        blessed_at: "2026-11-14T00:00:00Z".into(),
    };
    assert_eq!(change_points(&history, &[blessing], MARGIN)[0].blessed.as_deref(), Some("wanted"));
}

const CELL: &str = "ticket/native/empty/1v:1p";

/// Nights of one cell whose rate is at these levels, eight nights each; a level of none is a night without the cell.
fn course(levels: &[Option<f64>]) -> History {
    let mut night = Digest::of(&results(1, 1.0));
    night.cells.retain(|cell| cell.id.starts_with(CELL));
    let mut random = Random::new(4);
    let mut collector = Collector::default();
    for (number, level) in levels.iter().flat_map(|level| [level; 8]).enumerate() {
        let mut night = night.clone();
        night.run_id = format!("night-{number}");
        match level {
            Some(level) => {
                let noise = (0.01 * random.normal()).exp();
                for reading in night.cells.iter_mut().flat_map(|cell| &mut cell.measures[0].windows) {
                    reading.value *= level * noise;
                }
            }
            // A run without any cell is not a night.
            None => night.cells.iter_mut().for_each(|cell| cell.id = "another/native".into()),
        }
        collector.add(night);
    }
    collector.finish()
}

/// What the night's gate says: the series' current ratio, if it is beyond the margin.
fn stands(history: &History, blessed: Option<&str>) -> Option<f64> {
    let blessing = blessed.map(|run| Blessing {
        machine: String::new(),
        cells: "ticket".into(),
        run_id: run.into(),
        reason: "wanted".into(),
        blessed_at: String::new(),
    });
    let changes = change_points(history, blessing.as_slice(), MARGIN);
    let standing: Vec<f64> = changes.iter().filter_map(|change| change.standing(MARGIN)).collect();
    assert!(standing.len() <= 1, "once for a series");
    standing.first().copied()
}

#[test]
fn steps_since_the_last_accepted_change_add_up() {
    let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 0.02;
    let part_mended = course(&[Some(1.0), Some(0.7), Some(0.8)]);
    assert!(near(stands(&part_mended, None), 0.8), "the last change is for the better");
    assert!(near(stands(&part_mended, Some("night-8")), 0.8 / 0.7), "better than what was accepted");
    assert!(stands(&part_mended, Some("night-16")).is_none());
    assert!(stands(&course(&[Some(1.0), Some(0.7), Some(1.0)]), None).is_none(), "mended");
    assert!(stands(&course(&[Some(1.0), Some(0.7), None]), None).is_none(), "measured no more");
    assert!(stands(&course(&[Some(1.0), Some(0.0)]), None).unwrap() < 1e-3, "not one acquisition");
}

#[test]
fn a_cell_that_only_ever_failed_is_shown() {
    let mut digest = Digest::of(&results(1, 1.0));
    digest.cells.retain(|cell| cell.id.starts_with("mcs/kvm/short+exp/8v"));
    let mut collector = Collector::default();
    collector.add(digest);
    let history = collector.finish();
    assert_eq!(history.series.len(), 1);
    assert_eq!(history.series[0].failures, [(0, Status::Hung)]);
    let page = trend::render(&Default::default(), &history, &[], MARGIN).unwrap();
    assert!(page.contains("<span class=\"badge bad\">failed</span>"), "{page}");
}

#[test]
fn commits_are_marked_apart() {
    let (digest, history) = nights(|night, digest| {
        digest.environment.insert("lockbench".into(), format!("0.1.0 {}", night / 5));
    });
    let page = trend::render(&digest.machine, &history, &[], MARGIN).unwrap();
    let path =
        |id: &str| page.split(&format!("<path id=\"{id}\" d=\"")).nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(path("marks"), "M12 0v400");
    assert_eq!(path("commits"), "M5 0v400M10 0v400M15 0v400M20 0v400");
}

#[test]
fn a_page_says_it_all_and_loads_nothing() {
    let (digest, history) = nights(|night, digest| digest.report = Some(format!("runs/{night}/report.html")));
    let page = trend::render(&digest.machine, &history, &[], MARGIN).unwrap();
    assert_eq!(page.matches("<details class=\"tile\"").count(), history.series.len());
    for part in
        ["24 nights, 2026-11-01 to 2026-11-24", "href=\"runs/12/report.html\"", "2026-11-13", "1 stand worse"]
    {
        assert!(page.contains(part), "{part}");
    }
    for loads in ["src=\"", "@import", "url(", "http://", "https://", " style="] {
        assert!(!page.contains(loads), "{loads}");
    }
    assert_eq!(page, trend::render(&digest.machine, &history, &[], MARGIN).unwrap());
}

#[test]
fn hostile_names_do_nothing() {
    let (digest, history) = nights(|_, digest| {
        digest.run_id.push_str(HOSTILE);
        digest.started_at.push_str(HOSTILE);
        digest.machine.cpu_model = HOSTILE.into();
        digest.environment.insert(HOSTILE.into(), HOSTILE.into());
        digest.report = Some("javascript:alert(1)".into());
        for cell in &mut digest.cells {
            cell.id.push_str(HOSTILE);
        }
        digest.cells[0].lock = HOSTILE.into();
        digest.skipped = vec![Skipped { reason: HOSTILE.into(), cells: vec![format!("a/{HOSTILE}")] }];
    });
    let blessing = Blessing {
        machine: digest.machine.key(),
        cells: "*".into(),
        run_id: history.nights[12].run_id.clone(),
        reason: HOSTILE.into(),
        blessed_at: HOSTILE.into(),
    };
    let page = trend::render(&digest.machine, &history, &[blessing], MARGIN).unwrap();
    assert_eq!(page.matches("<script").count(), 2, "the data and the page's own");
    assert!(!page.contains("<img") && !page.contains("javascript:alert"));
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'));
}

#[test]
fn short_and_empty_histories_are_pages_too() {
    let page = trend::render(&Default::default(), &History::default(), &[], MARGIN).unwrap();
    assert!(page.contains("no nights yet"));
    let mut collector = Collector::default();
    collector.add(Digest::of(&results(1, 1.0)));
    let one = collector.finish();
    assert!(trend::render(&Default::default(), &one, &[], MARGIN).unwrap().contains("1 nights"));
}

#[test]
fn cells_skipped_night_after_night_are_on_the_page() {
    let gone = |from: usize| {
        nights(|night, digest| {
            digest.skipped.clear();
            if night >= from {
                digest.cells.retain(|cell| !cell.id.starts_with("tas/"));
                let cells = vec!["tas/native/short/2v:2p/compact/pinned".into()];
                digest.skipped = vec![Skipped { reason: "there is no /dev/kvm".into(), cells }];
            }
        })
    };
    let (digest, history) = gone(8);
    let page = trend::render(&digest.machine, &history, &[], MARGIN).unwrap();
    let (skip, nights) = (&history.skips[0], history.nights.len());
    assert_eq!((history.skips.len(), skip.nights, skip.since.as_str()), (1, nights - 8, "2026-11-09"));
    assert!(
        page.contains("Cells that are skipped night after night") && page.contains("there is no /dev/kvm")
    );
    let (digest, history) = gone(history.nights.len() - 4);
    let page = trend::render(&digest.machine, &history, &[], MARGIN).unwrap();
    assert!(history.skips.is_empty() && !page.contains("Cells that are skipped night after night"));
}
