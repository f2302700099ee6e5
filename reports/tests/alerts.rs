//! Headline, rows, exit status, trend page and OpenMetrics say the same, for they are made of the same alerts.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::digest::Digest;
use lockbench_reports::judge::compare::{compare, markdown, text};
use lockbench_reports::judge::history::{
    Blessing, Collector, History, JudgedMachine, Judgement, State, open_metrics,
};
use lockbench_reports::record::{Line, Outcome};
use lockbench_reports::show::trend;
use lockbench_reports::statistics::{MARGIN, Random};

use crate::fixture;

const CELL: &str = "ticket/native/empty/1v:1p";

/// Nights of one cell whose rate is at these levels, eight nights each; a level of none is a night without the cell.
fn course(levels: &[Option<f64>]) -> History {
    let mut night = Digest::of(&derive(fixture::lines(1, 1.0).into_iter()));
    night.cells.retain(|cell| cell.id.starts_with(CELL));
    let mut random = Random::new(4);
    let mut collector = Collector::default();
    for (number, level) in levels.iter().flat_map(|level| [level; 8]).enumerate() {
        let mut night = night.clone();
        night.run_id = format!("night-{number}");
        night.started_at = format!("2026-{:02}-{:02}T03:15:00Z", number / 28 + 1, number % 28 + 1);
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

fn blessings(run: Option<&str>) -> Vec<Blessing> {
    let blessing = |run: &str| Blessing {
        machine: String::new(),
        cells: "ticket".into(),
        run_id: run.into(),
        reason: "wanted".into(),
        blessed_at: String::new(),
    };
    run.map(blessing).into_iter().collect()
}

/// How the one series stands, if not as accepted: the ratio.
fn stands(history: &History, blessed: Option<&str>) -> Option<f64> {
    let judgement = Judgement::of(history, &blessings(blessed), MARGIN);
    let standing = judgement.standings.iter().find(|standing| standing.cell.starts_with(CELL))?;
    (standing.state != State::AsAccepted).then_some(standing.ratio.median)
}

fn near(found: Option<f64>, expected: f64) -> bool {
    (found.unwrap() / expected - 1.0).abs() < 0.03
}

#[test]
fn steps_since_the_last_accepted_change_add_up() {
    let part_mended = course(&[Some(1.0), Some(0.7), Some(0.8)]);
    assert!(near(stands(&part_mended, None), 0.8), "the last change is for the better");
    assert!(near(stands(&part_mended, Some("night-8")), 0.8 / 0.7), "better than what was accepted");
    assert!(stands(&part_mended, Some("night-16")).is_none());
    assert!(stands(&course(&[Some(1.0), Some(0.7), Some(1.0)]), None).is_none(), "mended");
    assert!(stands(&course(&[Some(1.0), Some(0.7), None]), None).is_none(), "measured no more");
    assert!(stands(&course(&[Some(1.0), Some(0.0)]), None).unwrap() < 1e-3, "not one acquisition");
}

#[test]
fn an_unblessed_improvement_that_is_lost_again_is_reported() {
    let lost = course(&[Some(1.0), Some(1.45), Some(1.0)]);
    let judgement = Judgement::of(&lost, &[], MARGIN);
    assert!(judgement.alerts().negative());
    let headline = judgement.headline();
    assert!(headline == "Worse: ticket, 31 % slower (1 cell).", "{headline}");
    assert!(near(stands(&lost, None), 1.0 / 1.45));
    // The improvement was accepted: its loss is one all the same. The loss was: nothing is left to say.
    assert!(near(stands(&lost, Some("night-8")), 1.0 / 1.45));
    assert!(stands(&lost, Some("night-16")).is_none());
    // Half of it was lost: better than at first, worse than it was.
    assert!(near(stands(&course(&[Some(1.0), Some(1.6), Some(1.3)]), None), 1.3 / 1.6));
    assert!(near(stands(&course(&[Some(1.0), Some(1.45)]), None), 1.45), "kept");
}

#[test]
fn headline_rows_page_and_openmetrics_agree() {
    let levels: [&[f64]; 7] = [
        &[1.0, 1.0],
        &[1.0, 0.7],
        &[1.0, 1.45],
        &[1.0, 1.45, 1.0],
        &[1.0, 0.7, 1.0],
        &[1.0, 0.7, 0.8],
        &[1.0, 1.3, 1.3, 0.6, 1.3],
    ];
    let mut negative = 0;
    for levels in levels {
        let levels: Vec<Option<f64>> = levels.iter().copied().map(Some).collect();
        for blessed in [None, Some("night-8"), Some("night-16")] {
            let (history, blessings) = (course(&levels), blessings(blessed));
            let judgement = Judgement::of(&history, &blessings, MARGIN);
            let bad = judgement.alerts().negative();
            negative += usize::from(bad);
            let headline = judgement.headline();
            assert_eq!(headline.starts_with("Worse: ticket, "), bad, "{headline}");
            assert_eq!(!judgement.that_stand(State::Worse).is_empty(), bad);
            let page = trend::render(&Default::default(), &history, &blessings, MARGIN).unwrap();
            assert!(page.contains(&headline), "{headline}");
            assert_eq!(page.contains("<span class=\"badge worse\">"), bad, "{levels:?} {blessed:?}");
            let machine = JudgedMachine { machine: "m".into(), history, judgement };
            let metrics = open_metrics(&[], &[machine]);
            let alert = metrics
                .lines()
                .find(|line| line.starts_with("lockbench_alert{") && line.contains("what=\"rate\""))
                .unwrap();
            assert_eq!(alert.contains("} 1 "), bad, "{alert}");
        }
    }
    assert_eq!(negative, 5, "both kinds were among them");
}

#[test]
fn a_failure_is_in_headline_page_and_openmetrics() {
    let mut digest = Digest::of(&derive(fixture::lines(1, 1.0).into_iter()));
    digest.cells.retain(|cell| cell.id.starts_with("mcs/kvm/short+exp/8v"));
    let mut collector = Collector::default();
    collector.add(digest);
    let history = collector.finish();
    let judgement = Judgement::of(&history, &[], MARGIN);
    assert!(judgement.alerts().negative());
    let headline = judgement.headline();
    assert_eq!(headline, "Failed: mcs, hung (1 cell).");
    assert!(trend::render(&Default::default(), &history, &[], MARGIN).unwrap().contains(&headline));
    let metrics = open_metrics(&[], &[JudgedMachine { machine: "m".into(), history, judgement }]);
    assert!(
        metrics.lines().any(|line| line.contains("what=\"failed\"") && line.contains("} 1 ")),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"));
}

/// A run in which these locks' windows are scaled.
fn run(seed: u64, scaled: &[(&str, f64)]) -> Digest {
    let mut lines = fixture::lines(seed, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line
            && let Some((_, by)) = scaled.iter().find(|(cell, _)| round.cell.starts_with(cell))
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.operations.iter_mut().for_each(|count| *count = (*count as f64 * by) as u64);
        }
    }
    Digest::of(&derive(lines.into_iter()))
}

#[test]
fn a_comparison_begins_with_its_summary_which_names_the_lock_and_says_the_size_in_words() {
    let compared = compare(&[run(1, &[])], &run(2, &[("ticket/native/empty/1v", 0.69)]), MARGIN).unwrap();
    let headline = compared.headline();
    assert!(headline.starts_with("Worse: ticket, 31 % slower (1 cell)."), "{headline}");
    let text = text(&compared);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(headline.as_str()));
    assert!(lines.next().unwrap().contains(" rows judged ("), "{text}");
    assert!(text.contains("31 % slower, 0.69"), "{text}");
    let markdown = markdown(&compared);
    assert!(markdown.starts_with("### lockbench: Worse: ticket, 31 % slower (1 cell)."), "{markdown}");
    assert!(markdown.find(" rows judged (") < markdown.find("| verdict |"), "{markdown}");
}

#[test]
fn a_ratio_of_one_to_thousands_with_a_wide_interval_is_certainly_much_worse_and_its_size_uncertain() {
    let cell = "ticket/native/empty/1v:1p";
    let mut slow = run(2, &[]);
    let measures = slow.cells.iter_mut().filter(|of| of.id.starts_with(cell)).flat_map(|of| &mut of.measures);
    for (nth, reading) in measures.flat_map(|measure| &mut measure.windows).enumerate() {
        reading.value /= 8000.0 * [0.05, 1.0, 10.0][nth % 3];
        reading.count = 1000;
    }
    let compared = compare(&[run(1, &[])], &slow, MARGIN).unwrap();
    let row = compared.rows.iter().find(|row| row.cell.starts_with(cell)).unwrap();
    assert_eq!(row.verdict.word(), "worse", "{row:?}");
    let said = "certainly much worse, size uncertain: at least ";
    for view in [compared.headline(), text(&compared), markdown(&compared)] {
        assert!(view.contains(said), "{view}");
        assert!(!view.contains("ticket, up to"), "{view}");
    }
}

#[test]
fn rows_that_straddle_their_bounds_share_one_reason() {
    let scaled = [("ticket/", 0.95), ("mcs/", 0.92), ("queued/", 1.06), ("tas/", 1.1)];
    let compared = compare(&[run(1, &[])], &run(2, &scaled), MARGIN).unwrap();
    let reasons: Vec<&str> = compared.rows.iter().filter_map(|row| row.verdict.reason()).collect();
    let straddles = "the interval straddles the bound";
    let several = reasons.iter().filter(|why| why.starts_with(straddles)).count();
    assert!(several > 1, "{reasons:?}");
    for view in [text(&compared), markdown(&compared)] {
        assert_eq!(view.matches(straddles).count(), 1, "{view}");
        assert!(view.contains(", bound ±"), "each row with its own: {view}");
    }
}

#[test]
fn markdown_says_a_reason_once_for_all_its_rows() {
    let mut far = run(2, &[]);
    for reading in far.cells.iter_mut().flat_map(|cell| &mut cell.measures).flat_map(|m| &mut m.windows) {
        reading.count = 0;
    }
    let markdown = markdown(&compare(&[far], &run(1, &[]), MARGIN).unwrap());
    let reason = "too few acquisitions to divide by: 0 in a window";
    assert_eq!(markdown.matches(reason).count(), 1, "{markdown}");
    assert!(markdown.contains("\n- `ticket/native/empty/1v:1p/compact/pinned` rate\n"), "{markdown}");
}
