//! The trend page: complete, harmless, and the same every time.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::digest::{Digest, Skipped};
use lockbench_reports::judge::history::{Blessing, Collector, History, change_points};
use lockbench_reports::record::{Results, Status};
use lockbench_reports::show::trend;
use lockbench_reports::statistics::MARGIN;
use nights::nights;

use crate::{fixture, nights};

const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}";

fn results(seed: u64) -> Results {
    derive(fixture::lines(seed, 1.0).into_iter())
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

#[test]
fn a_cell_that_only_ever_failed_is_shown() {
    let mut digest = Digest::of(&results(1));
    digest.cells.retain(|cell| cell.id.starts_with("mcs/kvm/short+exp/8v"));
    let mut collector = Collector::default();
    collector.add(digest);
    let history = collector.finish();
    assert_eq!(history.series.len(), 1);
    assert_eq!(history.series[0].failures, [(0, Status::Hung)]);
    let page = trend::render(&Default::default(), &history, &[], MARGIN).unwrap();
    assert!(page.contains("<span class=\"badge bad\">failed</span>"), "{page}");
    assert!(page.contains("1 night: too few to tell of any change"), "{page}");
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
    for part in [
        "24 nights, 2026-11-01 to 2026-11-24",
        "href=\"runs/12/report.html\"",
        "2026-11-13",
        "Worse: ticket, 20 % slower (1 cell).",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for loads in ["src=\"", "@import", "url(", "http://", "https://", " style="] {
        assert!(!page.contains(loads), "{loads}");
    }
    assert_eq!(page, trend::render(&digest.machine, &history, &[], MARGIN).unwrap());
}

#[test]
fn every_row_of_the_trend_page_names_its_lock_and_nothing_scrolls_inside_a_box() {
    let (digest, history) = nights(|_, digest| {
        let cells = vec!["tas/native/short/2v:2p/compact/pinned".into()];
        digest.cells.retain(|cell| !cell.id.starts_with("tas/"));
        digest.skipped = vec![Skipped { reason: "there is no /dev/kvm".into(), cells }];
    });
    let page = trend::render(&digest.machine, &history, &[], MARGIN).unwrap();
    let locks: Vec<&str> = history.series.iter().map(|series| series.lock.as_str()).chain(["tas"]).collect();
    let of_locks = page.split("<section id=\"series\"").next().unwrap();
    let rows: Vec<&str> = of_locks.split("<tr>").skip(1).filter(|row| row.contains("<td")).collect();
    assert!(rows.len() >= 4, "what stands, failed, changed and is skipped: {}", rows.len());
    for row in rows {
        let head = row.split("<details>").next().unwrap();
        assert!(locks.iter().any(|lock| head.contains(lock)), "before anything is opened: {row}");
    }
    for tile in page.split("<details class=\"tile\"").skip(1) {
        let name = tile.split("<span class=\"name\">").nth(1).unwrap();
        assert!(locks.iter().any(|lock| name.starts_with(lock)), "{name}");
    }
    assert!(!page.contains("class=\"scroll"), "a box that scrolls");
    let own = lockbench_templates::TREND_STYLE;
    assert!(!own.contains("overflow-x: auto") && !own.contains("overflow-y") && !own.contains("max-height"));
}

#[test]
fn marks_stand_on_a_strip_below_the_dots() {
    let (digest, history) = nights(|_, _| ());
    let page = trend::render(&digest.machine, &history, &[], MARGIN).unwrap();
    let plots: Vec<&str> = page.split("<svg class=\"plot\"").skip(1).collect();
    assert_eq!(plots.len(), history.series.len());
    for plot in plots {
        let (dots, rest) = plot.split_once("</svg>").unwrap();
        assert!(!dots.contains("<use") && !dots.contains("\"worse\" d="), "a stroke among the dots: {dots}");
        assert!(rest.starts_with("<svg class=\"strip\"") && rest.contains("href=\"#marks\""), "{rest}");
        // Bands lie behind the dots.
        let band = dots.find("<rect").unwrap_or(0);
        assert!(dots.find("<path class=\"dot\"").is_none_or(|dot| band < dot), "{dots}");
    }
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
    collector.add(Digest::of(&results(1)));
    let one = collector.finish();
    assert!(trend::render(&Default::default(), &one, &[], MARGIN).unwrap().contains("1 night, "));
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
