//! The page in the form that its template needs.

use serde::Serialize;

use super::rows::{self, ChangeRow, FailureRow, SkipRow, StandingRow};
use super::{chart, spark};
use crate::derive::digest::{Identity, Metric};
use crate::format::{counted, percent, printable, range, ratio};
use crate::judge::history::{ChangePoint, History, Judgement, Series, Standing, State, environment, few};

/// The page.
#[derive(Serialize)]
pub(super) struct Page {
    machine: String,
    key: String,
    topology: String,
    span: String,
    headline: String,
    summary: String,
    few: Option<String>,
    margin: String,
    worse: Vec<StandingRow>,
    failed: Vec<FailureRow>,
    better: Vec<StandingRow>,
    changes: Vec<ChangeRow>,
    skips: Vec<SkipRow>,
    groups: Vec<Group>,
    nights: Vec<NightView>,
}

/// Series that share everything but lock and metric.
#[derive(Serialize)]
struct Group {
    id: String,
    place: String,
    tiles: Vec<Tile>,
}

#[derive(Serialize)]
struct Tile {
    id: String,
    index: usize,
    lock: String,
    metric: Option<&'static str>,
    latest: String,
    /// How the series stands, if not as accepted: CSS class and size of the difference.
    state: Option<(&'static str, String)>,
    failed: bool,
    spark: String,
    chart: String,
    changes: Vec<String>,
}

#[derive(Serialize)]
struct NightView {
    date: String,
    run: String,
    link: Option<String>,
    environment: Vec<String>,
}

pub(super) fn page(machine: &Identity, history: &History, judgement: &Judgement, margin: f64) -> Page {
    let span = match (history.nights.first(), history.nights.last()) {
        (Some(first), Some(last)) => {
            let nights = counted(history.nights.len(), "night");
            format!("{nights}, {} to {}", first.date(), last.date())
        }
        _ => "no nights yet".into(),
    };
    Page {
        machine: machine.to_string(),
        key: machine.key(),
        topology: machine.topology.clone(),
        span,
        headline: judgement.headline(),
        summary: summary(history, judgement),
        few: few(history.nights.len()),
        margin: percent(margin),
        worse: rows::standings(judgement, State::Worse),
        failed: rows::failures(history, judgement),
        better: rows::standings(judgement, State::Better),
        changes: rows::changes(history, judgement),
        skips: history.skips.iter().map(SkipRow::of).collect(),
        groups: groups(history, judgement),
        nights: nights(history),
    }
}

fn summary(history: &History, judgement: &Judgement) -> String {
    let judged =
        history.series.iter().filter(|series| series.points.iter().any(|point| point.judged)).count();
    let stand = |state| judgement.that_stand(state).len();
    format!(
        "{}, of which {judged} are judged: {} worse than at their best since a level was accepted, {} better than what was \
         accepted. {} in all.",
        counted(history.series.len(), "series"),
        stand(State::Worse),
        stand(State::Better),
        counted(judgement.changes.len(), "change")
    )
}

fn groups(history: &History, judgement: &Judgement) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, series) in history.series.iter().enumerate() {
        let own: Vec<&ChangePoint> =
            judgement.changes.iter().filter(|change| change.series == index).collect();
        let tile = tile(history, index, series, &own, judgement.standing(index));
        match groups.last_mut().filter(|group| group.place == series.place) {
            Some(group) => group.tiles.push(tile),
            None => groups.push(Group {
                id: format!("g{}", groups.len()),
                place: series.place.clone(),
                tiles: vec![tile],
            }),
        }
    }
    groups
}

fn tile(
    history: &History,
    index: usize,
    series: &Series,
    changes: &[&ChangePoint],
    standing: Option<&Standing>,
) -> Tile {
    let latest = series.points.last().map_or_else(String::new, |point| series.metric.show(point.median));
    let describe = |change: &&ChangePoint| {
        let blessed =
            change.blessed.as_deref().map_or(String::new(), |why| format!("; blessed: {}", printable(why)));
        format!(
            "{}: {} {}, {} ({}){blessed}",
            change.date,
            printable(&change.lock),
            change.metric.size(change.ratio),
            ratio(change.ratio.median),
            range(change.ratio, ratio)
        )
    };
    let revised = series.revisions().map(|(night, revision)| {
        let date = history.nights[night].date();
        let lock = printable(&series.lock);
        format!("{date}: revision {revision} of {lock} begins: its machine code was changed on purpose, and nothing is judged across")
    });
    let changed: Vec<String> = changes.iter().map(describe).chain(revised).collect();
    let label = format!(
        "{} {} over {}, latest {latest}. {}",
        series.cell,
        series.metric.name(),
        counted(history.nights.len(), "night"),
        if changed.is_empty() { "No change.".into() } else { changed.join(". ") }
    );
    let last_night = history.nights.len().checked_sub(1);
    Tile {
        id: format!("s{index}"),
        index,
        lock: series.lock.clone(),
        metric: (series.metric != Metric::Rate).then(|| series.metric.name()),
        latest,
        state: standing.and_then(badge),
        failed: series.failures.last().is_some_and(|(night, _)| Some(*night) == last_night),
        spark: spark::spark(series, history.nights.len(), changes),
        chart: chart::chart(history, series, changes, &label),
        changes: changed,
    }
}

fn badge(standing: &Standing) -> Option<(&'static str, String)> {
    let said = || standing.metric.size(standing.ratio);
    match standing.state {
        State::Worse => Some(("worse", said())),
        State::Better => Some(("better", said())),
        State::AsAccepted => None,
    }
}

fn nights(history: &History) -> Vec<NightView> {
    let view = |(index, night): (usize, &crate::judge::history::Night)| NightView {
        date: night.date(),
        run: night.run_id.clone(),
        link: night.report.as_deref().and_then(link),
        environment: environment(history, index).iter().map(ToString::to_string).collect(),
    };
    let mut nights: Vec<NightView> = history.nights.iter().enumerate().map(view).collect();
    nights.reverse();
    nights
}

/// A target that is safe as a link: a path, or an address with http or https. Other schemes, such as `javascript:`, are refused.
pub(super) fn link(target: &str) -> Option<String> {
    let web = target.starts_with("https://") || target.starts_with("http://");
    let path =
        !target.split(['/', '?', '#']).next().unwrap_or_default().contains(':') && !target.starts_with("//");
    let plain =
        !target.is_empty() && target.len() < 2_000 && printable(target) == target && !target.contains('\\');
    ((web || path) && plain).then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn links_lead_to_pages_only() {
        for good in
            ["https://ci.example.org/run/7?x=1", "/var/lib/lockbench/report.html", "../a:b/../report.html"]
        {
            // A colon is fine behind the first slash.
            assert!(link(good).is_some(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:x",
            "data:text/html,x",
            "//evil.example",
            "",
            "a\u{1b}",
            "java\tscript:x",
            "\\\\evil",
        ] {
            assert!(link(bad).is_none(), "{bad}");
        }
    }
}
