//! The first screen: one sentence, the verdict on each lock at each step, one plot, and short answers to why.

use serde::Serialize;

use super::view::{shown, unbroken};
use crate::derive::timeslice::timeslice;
use crate::format::{contended, counted, duration, overcommit, percent, percents, significant};
use crate::judge::briefs::{Brief, briefs};
use crate::judge::scenarios::{Scenario, only_scenarios, scenarios};
use crate::judge::verdicts::{self, Step, Verdict, headline, main_step, ranked, steps, without_a_step};
use crate::record::{CellVerdict, Interval, Kept, Results, Served};
use crate::show::plots::Figure;

/// Rows of a step that are shown at first; those below are folded, but for the user's own locks.
const SHOWN: usize = 12;

/// Steps that the style sheet can switch between; further ones are all shown.
const SWITCHED: usize = 24;

/// The first screen of a run.
#[derive(Serialize)]
pub(super) struct First {
    pub(super) headline: String,
    pub(super) about: String,
    panels: Vec<Panel>,
    /// Whether a switch shows one of the panels at a time.
    switched: bool,
    pub(super) plot: Option<Figure>,
    briefs: Vec<BriefView>,
    /// How many warnings there are, where there are any, and the first.
    warned: Option<[String; 2]>,
    thresholds: String,
    /// What would tell more of the locks that cannot be told.
    more: Option<String>,
}

/// The locks of one environment at one step.
#[derive(Serialize)]
struct Panel {
    env: String,
    /// Whether the panel is the first one of its environment.
    first_of_env: bool,
    step: String,
    checked: bool,
    caption: String,
    rows: Vec<Row>,
    /// What the fold of the other rows is called.
    more: String,
    folded: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    lock: String,
    /// Whether it is a lock of the user's own.
    own: bool,
    label: &'static str,
    class: &'static str,
    kept: String,
    kept_small: String,
    bar: Option<Bar>,
    share: String,
    service: Option<&'static str>,
    service_class: &'static str,
    wait: String,
    wait_small: String,
    why: String,
}

/// A bar from 0 to all of the rate, in percent, with its interval.
#[derive(Serialize)]
struct Bar {
    width: String,
    low: String,
    high: String,
}

#[derive(Serialize)]
struct BriefView {
    question: String,
    said: String,
    small: String,
}

/// The first screen of a run that was judged.
pub(super) fn first(results: &Results) -> First {
    let steps = steps(results);
    let main = main_step(&steps);
    First {
        headline: sentence(results, main),
        about: main.map_or_else(String::new, |step| about(step)),
        panels: panels(results, &steps, main),
        switched: (2..=SWITCHED).contains(&steps.len()),
        plot: None,
        briefs: of_scenarios(results).into_iter().chain(briefs(results).into_iter().map(brief)).collect(),
        warned: warned(&results.machine.warnings),
        thresholds: unbroken(&verdicts::thresholds(results)),
        more: main.and_then(|step| verdicts::tells_more(results, step)),
    }
}

/// Whether a plot is that of the first screen: rates against overcommit in the environment that it begins with.
pub(super) fn shows(results: &Results, figure: &Figure) -> bool {
    let steps = steps(results);
    let wanted = main_step(&steps).map(|step| format!("overcommit-{}", step.env));
    matches!(figure, Figure::Drawn(plot) if Some(&plot.id) == wanted.as_ref())
}

fn sentence(results: &Results, main: Option<&Step<'_>>) -> String {
    if let Some(step) = main {
        return headline(step);
    }
    match (without_a_step(results), &scenarios(results)[..]) {
        (Some(said), _) => said.into(),
        (None, [only]) => unbroken(&only.answer().replace('`', "")),
        (None, several) => format!("What {} showed.", counted(several.len(), "scenario")),
    }
}

fn warned(warnings: &[String]) -> Option<[String; 2]> {
    let first = shown(warnings.first()?);
    let count = match warnings.len() {
        1 => "1 warning".into(),
        several => format!("{several} warnings"),
    };
    Some([count, first])
}

/// What the sentence claims, and no more: `Here: one saturated lock (short), 4 emulated vCPUs on 2 CPUs.`
fn about(step: &Step<'_>) -> String {
    let Some(axes) = step.verdicts.first().map(|verdict| &verdict.cell.axes) else { return String::new() };
    let s = if axes.pcpus.len() == 1 { "" } else { "s" };
    let vcpus = match axes.env.as_str() {
        "kvm" => "real vCPUs (kvm)",
        "emulated" => "emulated vCPUs",
        other => other,
    };
    unbroken(&format!(
        "Here: {}, {} {vcpus} on {} CPU{s}.",
        contended(&axes.workload),
        axes.vcpus,
        axes.pcpus.len()
    ))
}

/// `, in round-robin slices of 10 ms`; nothing where the kernel schedules.
fn schedule(step: &Step<'_>) -> String {
    step.schedule().map_or_else(String::new, |schedule| format!(", {}", shown(&schedule)))
}

fn brief(brief: Brief) -> BriefView {
    // The template ends the small print with a full stop.
    let small = unbroken(brief.small.trim_end_matches('.'));
    BriefView { question: brief.question.into(), said: unbroken(&brief.said), small }
}

/// What each scenario showed.
fn of_scenarios(results: &Results) -> Vec<BriefView> {
    let scenarios = scenarios(results);
    if only_scenarios(results) && scenarios.len() == 1 {
        // The page begins with its sentence.
        return Vec::new();
    }
    let of = |scenario: &Scenario<'_>| BriefView {
        question: shown(scenario.name),
        said: unbroken(&scenario.answer()),
        small: shown(&format!("The scenario shows {}", scenario.shows)),
    };
    scenarios.iter().map(of).collect()
}

fn panels(results: &Results, steps: &[Step<'_>], main: Option<&Step<'_>>) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for step in steps {
        let (shown_at_first, below) = split(results, ranked(step));
        let rows = |verdicts: &[&Verdict<'_>]| verdicts.iter().map(|verdict| row(results, verdict)).collect();
        let (env, factor) = (shown(step.env), overcommit(step.overcommit));
        panels.push(Panel {
            first_of_env: panels.last().is_none_or(|last| last.env != env),
            checked: main.is_some_and(|main| std::ptr::eq(main, step)),
            caption: format!("What each lock keeps of its rate, {env} at {factor}{}", schedule(step)),
            step: factor,
            env,
            rows: rows(&shown_at_first),
            more: more(&below),
            folded: rows(&below),
        });
    }
    panels
}

/// The verdicts that are shown at first and those below the fold, each best first.
fn split<'s, 'a>(
    results: &Results,
    ranked: Vec<&'s Verdict<'a>>,
) -> (Vec<&'s Verdict<'a>>, Vec<&'s Verdict<'a>>) {
    // A fold that hides one row takes as much room as the row.
    if ranked.len() <= SHOWN + 1 {
        return (ranked, Vec::new());
    }
    let is_own = |verdict: &&Verdict<'_>| results.is_own(&verdict.cell.axes.lock);
    let mut room = SHOWN.saturating_sub(ranked.iter().copied().filter(is_own).count());
    ranked.into_iter().partition(|verdict| {
        let fits = room > 0;
        is_own(verdict) || {
            room = room.saturating_sub(1);
            fits
        }
    })
}

/// What the fold of the other rows is called: `18 more locks: 15 collapse, 3 cannot be told`.
fn more(below: &[&Verdict<'_>]) -> String {
    let of = |label: Kept| {
        let count = below.iter().filter(|verdict| verdict.of.rate == label).count();
        (count > 0).then(|| format!("{count} {}", verdicts::verb(label, count)))
    };
    let counts: Vec<String> = verdicts::LABELS.into_iter().filter_map(of).collect();
    format!("{}: {}", counted(below.len(), "more lock"), counts.join(", "))
}

fn row(results: &Results, verdict: &Verdict<'_>) -> Row {
    let of = verdict.of;
    let figure =
        |interval: Option<Interval>| interval.map_or_else(|| "–".into(), |interval| percent(interval.median));
    let slice = timeslice(results, verdict.cell).map(|slice| slice.median);
    let (wait, wait_small) = wait(of, slice);
    Row {
        lock: shown(&verdict.cell.axes.lock),
        own: results.is_own(&verdict.cell.axes.lock),
        label: of.rate.word(),
        class: kept_class(of.rate),
        kept: unbroken(&figure(of.kept)),
        kept_small: of.kept.map_or_else(String::new, small),
        bar: of.kept.map(bar),
        share: unbroken(&figure(of.worst_share)),
        service: match of.service {
            Served::Fair => None,
            // As short as the others, so that a row is one line.
            Served::CannotBeTold => Some("untold"),
            told => Some(told.word()),
        },
        service_class: served_class(of.service),
        wait,
        wait_small,
        why: if of.kept.is_none() {
            of.rate_untold.as_deref().map(shown).unwrap_or_default()
        } else {
            String::new()
        },
    }
}

/// CSS class of what a lock keeps: green is good in itself.
pub(super) fn kept_class(kept: Kept) -> &'static str {
    match kept {
        Kept::Holds => "good",
        Kept::Degrades => "unsure",
        Kept::Collapses => "bad",
        Kept::CannotBeTold => "same",
    }
}

/// CSS class of how a lock serves its vCPUs.
pub(super) fn served_class(served: Served) -> &'static str {
    match served {
        Served::Fair => "good",
        Served::Unfair => "unsure",
        Served::Starving => "bad",
        Served::CannotBeTold => "same",
    }
}

fn bar(kept: Interval) -> Bar {
    let of = |fraction: f64| format!("{:.2}", 100.0 * fraction.clamp(0.0, 1.0));
    Bar { width: of(kept.median), low: of(kept.low), high: of((kept.high - kept.low).max(0.0)) }
}

/// The longest wait as a time and, for the small print, as a number of timeslices.
fn wait(of: &CellVerdict, slice_ns: Option<f64>) -> (String, String) {
    let Some(ns) = of.longest_wait_ns else { return ("–".into(), String::new()) };
    let least = if of.wait_at_least { "≥ " } else { "" };
    let slices = slice_ns.map_or_else(String::new, |slice| match ns / slice {
        short if short < 0.1 => "< 0.1".into(),
        slices => significant(slices),
    });
    (unbroken(&format!("{least}{}", duration(ns))), slices)
}

/// An interval of percentages with one sign for both ends, for there is little room: `48.1 to 50.8 %`.
fn small(interval: Interval) -> String {
    unbroken(&percents(interval))
}
