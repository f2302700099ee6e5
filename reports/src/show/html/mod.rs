//! The report page: one file that carries its styles, its script and its data, and loads nothing.
//!
//! Names and sentences in a record may come from anywhere. They reach the page through tera, which escapes them, or
//! as a compressed file in the address of a link. The page's content security policy allows one script only, by its hash.

mod cells;
mod code;
mod counters;
mod distances;
pub(crate) mod embed;
mod environments;
mod facts;
mod laws;
mod missing;
mod peers;
mod published;
mod run;
mod scenarios;
mod schedules;
mod side_by_side;
mod traces;
mod verdict;
mod verdicts;
mod view;

use serde::Serialize;
use tera::{Context, Tera};

use crate::Error;
use crate::format::{counted, printable_up_to};
use crate::record::Results;
use crate::show::plots::rules;
use crate::statistics::{MARGIN, MIN_ROUNDS};

/// Longest text of a record on the page, in characters; the embedded data has all of it.
const LONGEST: usize = 4_000;

/// Renders the page of one run, or of several side by side.
pub fn render(runs: &[Results]) -> Result<String, Error> {
    let mut tera = Tera::default();
    tera.set_escape_fn(escape);
    tera.register_filter("code", code::code);
    tera.add_raw_templates(lockbench_templates::TEMPLATES).map_err(failed)?;
    let css = lockbench_templates::STYLES.concat() + &rules();
    let script = lockbench_templates::SCRIPT;
    let views = runs
        .iter()
        .enumerate()
        .map(|(index, results)| run::view(index, results, runs.len() > 1))
        .collect::<Result<Vec<_>, Error>>()?;
    let title = title(runs);
    let mut context = Context::new();
    context.insert("csp", &embed::policy(&css, script));
    context.insert("css", &css);
    context.insert("script", script);
    context.insert("title", &format!("{title} · lockbench"));
    context.insert("topic", &(runs.len() == 1).then(|| view::shown(&runs[0].run_id)));
    context.insert("heading", &heading(&views).unwrap_or(title));
    context.insert("lead", &lead(runs, &views));
    context.insert("links", &links(runs.len(), &views));
    context.insert("several", &(runs.len() > 1));
    context.insert("side_by_side", &(runs.len() > 1).then(|| side_by_side::table(runs)));
    context.insert("runs", &views);
    context.insert("method", &method());
    context.insert("version", env!("CARGO_PKG_VERSION"));
    tera.render(lockbench_templates::PAGE, &context).map_err(failed)
}

/// Makes text printable (no control characters, no change of reading direction, cut at [`LONGEST`]) and escapes it for HTML.
pub(crate) fn escape(text: &str, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    tera::escape_html(&printable_up_to(text, LONGEST), out)
}

pub(crate) fn failed(error: tera::Error) -> Error {
    use std::error::Error as _;
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Error::Page(format!("{error}{cause}"))
}

/// The sentence that a page of one run begins with.
fn heading(views: &[run::View]) -> Option<String> {
    match views {
        [only] => Some(only.headline().to_owned()),
        _ => None,
    }
}

fn title(runs: &[Results]) -> String {
    match runs {
        [only] => format!("What preempted vCPUs do to locks: {}", view::shown(&only.run_id)),
        _ => format!("What preempted vCPUs do to locks: {} runs side by side", runs.len()),
    }
}

fn lead(runs: &[Results], views: &[run::View]) -> String {
    match runs {
        [only] => {
            let machine = &only.machine;
            let started = view::shown(&only.started_at);
            format!(
                "{}, {}, {}. {started}. {}",
                view::shown(&machine.cpu_model),
                counted(machine.pus as usize, "CPU"),
                view::shown(&machine.kernel),
                views.first().map_or("", run::View::claim)
            )
        }
        _ => runs.iter().map(|run| view::shown(&run.run_id)).collect::<Vec<_>>().join(", "),
    }
}

#[derive(Serialize)]
struct Link {
    id: String,
    name: String,
}

fn links(runs: usize, views: &[run::View]) -> Vec<Link> {
    let link = |id: &str, name: &str| Link { id: id.into(), name: name.into() };
    if runs != 1 {
        let mut links = vec![link("side-by-side", "Side by side")];
        links.extend(views.iter().map(|view| link(&format!("{}-h", view.id), &view.name)));
        return links;
    }
    let has = |section: &str| match section {
        "published" => views.first().is_some_and(run::View::has_published),
        "scenarios" => views.first().is_some_and(run::View::has_scenarios),
        "answers" => views.first().is_some_and(run::View::has_answers),
        "peers" => views.first().is_some_and(run::View::has_peers),
        "schedules" => views.first().is_some_and(run::View::has_schedules),
        _ => true,
    };
    [
        ("scenarios", "Scenarios"),
        ("answers", "Answers"),
        ("peers", "Peers"),
        ("environments", "Environments"),
        ("plots", "Plots"),
        ("schedules", "Schedules"),
        ("cells", "Every cell"),
        ("noise", "Noise floor"),
        ("machine", "Machine and run"),
        ("published", "Published results"),
        ("dropped", "What is missing"),
        ("counters", "Counters"),
        ("method", "Method"),
        ("data", "Data"),
    ]
    .iter()
    .filter(|(section, _)| has(section))
    .map(|(section, name)| link(&format!("r0-{section}"), name))
    .collect()
}

#[derive(Serialize)]
struct Method {
    class_width: f64,
    margin: String,
    min_rounds: usize,
}

fn method() -> Method {
    Method {
        class_width: crate::record::CLASS_WIDTH,
        margin: crate::format::percent(MARGIN),
        min_rounds: MIN_ROUNDS,
    }
}
