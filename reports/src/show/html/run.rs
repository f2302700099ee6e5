//! One run in the form that the templates need.

use serde::Serialize;

use super::facts::{self, Group};
use super::published::ShapeView;
use super::scenarios::{self, ScenarioView};
use super::schedules::{self, Schedules};
use super::traces::TraceView;
use super::verdict::{self, First};
use super::view::{Table, TableEntry, class, shown, unbroken};
use super::{
    cells, counters, distances, embed, environments, laws, missing, peers, published, traces, verdicts,
};
use crate::Error;
use crate::format::{apart, duration, percent, range, rate, ratio};
use crate::judge::answers::{self, Answer};
use crate::judge::peers::{LEAST, kernels_own};
use crate::judge::scenarios::only_scenarios;
use crate::judge::verdicts::judged;
use crate::record::Results;
use crate::show::csv;
use crate::show::plots::{self, Figure, Key, figures};

/// A run.
#[derive(Serialize)]
pub(super) struct View {
    pub(super) id: String,
    pub(super) name: String,
    /// Level of its headings.
    level: u8,
    /// Name of the file that its data is saved as.
    file: String,
    first: First,
    scenarios: Vec<ScenarioView>,
    /// None where nothing but scenarios was run.
    answers: Vec<AnswerView>,
    /// Every verdict with what it rests on; none on a page of several runs, or where nothing was run above 1x.
    verdicts: Option<Table>,
    laws: Option<Table>,
    /// Locks that people use beside ours; none on a page of several runs, or where none was run.
    peers: Option<Table>,
    /// What is asked of ours beside the same algorithm.
    peers_least: String,
    /// Why a kernel's lock is slower than a library's of its kind.
    peers_kernels: Vec<String>,
    trust: String,
    environments: Option<Table>,
    published: Vec<ShapeView>,
    /// How many of the published shapes came out how, in a line.
    published_told: String,
    noise_text: String,
    noise: Table,
    warnings: Vec<String>,
    facts: Vec<Group>,
    facilities: Table,
    distances: Option<Table>,
    kvm: bool,
    /// Every lock, as all plots show it.
    locks: Vec<Key>,
    figures: Vec<Figure>,
    missing_figures: Vec<Figure>,
    /// Where the emulated hypervisor scheduled cells.
    schedules: Option<Schedules>,
    cells: Option<Table>,
    counters: Option<Table>,
    dropped: Table,
    /// How much is missing, in a line.
    missing_told: String,
    rounds: u32,
    window: String,
    /// Address of results.json, which the page carries.
    json: String,
    /// Address of the cells as CSV.
    csv: String,
    traces: Vec<TraceView>,
    traces_left: usize,
}

#[derive(Serialize)]
struct AnswerView {
    id: String,
    name: &'static str,
    question: &'static str,
    statements: Vec<StatementView>,
}

#[derive(Serialize)]
struct StatementView {
    text: String,
    verdict: Option<&'static str>,
    class: Option<&'static str>,
    reason: Option<String>,
}

impl View {
    /// The sentence that it begins with.
    pub(super) fn headline(&self) -> &str {
        &self.first.headline
    }

    /// What that sentence claims.
    pub(super) fn claim(&self) -> &str {
        &self.first.about
    }

    /// Whether it shows scenarios.
    pub(super) fn has_scenarios(&self) -> bool {
        !self.scenarios.is_empty()
    }

    /// Whether it answers the questions.
    pub(super) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Whether it shows locks that people use.
    pub(super) fn has_peers(&self) -> bool {
        self.peers.is_some()
    }

    /// Whether it shows schedules.
    pub(super) fn has_schedules(&self) -> bool {
        self.schedules.is_some()
    }

    /// Whether it shows published results.
    pub(super) fn has_published(&self) -> bool {
        !self.published.is_empty()
    }
}

/// The view of the `index`-th run; one of several has no plots and no tables of its own.
pub(super) fn view(index: usize, results: &Results, several: bool) -> Result<View, Error> {
    let (drawn, missing_figures): (Vec<Figure>, Vec<Figure>) = if several {
        (Vec::new(), Vec::new())
    } else {
        figures(results)?.into_iter().partition(|figure| matches!(figure, Figure::Drawn(_)))
    };
    let judged = judged(results);
    let scenarios = scenarios::views(results, several)?;
    let mut first = verdict::first(&judged);
    // The plot of the first screen is not drawn twice.
    let (plots, drawn): (Vec<Figure>, Vec<Figure>) =
        drawn.into_iter().partition(|figure| verdict::shows(&judged, figure));
    first.plot = plots.into_iter().next();
    let answers = answers::answers(results);
    let asked = answers.each().into_iter().filter(|_| !only_scenarios(results));
    // With several runs each table's caption names its run, for users of screen readers find tables by name.
    let named = |table: Table| match several {
        true => Table { caption: format!("{}, {}", table.caption, shown(&results.run_id)), ..table },
        false => table,
    };
    let published = if several { Vec::new() } else { published::views(results) };
    let (traces, traces_left) = if several { (Vec::new(), 0) } else { traces::views(results)? };
    Ok(View {
        id: format!("r{index}"),
        name: shown(&results.run_id),
        level: if several { 3 } else { 2 },
        file: file_name(&results.run_id),
        first,
        scenarios,
        answers: asked.map(|(name, answer)| answer_view(name, answer)).collect(),
        verdicts: verdicts::table(&judged).filter(|_| !several),
        laws: laws::table(&judged).filter(|_| !several),
        peers: peers::table(&judged).filter(|_| !several),
        peers_least: percent(LEAST),
        peers_kernels: kernels_own(&judged).iter().map(|why| unbroken(why)).collect(),
        trust: unbroken(&crate::judge::trust::sentence(results)),
        environments: (!several).then(|| environments::table(results)),
        published_told: published::told(&published),
        published,
        noise_text: noise_text(results),
        noise: named(noise(results)),
        warnings: results.machine.warnings.iter().map(|warning| shown(warning)).collect(),
        facts: facts::groups(results),
        facilities: named(facts::facilities(results)),
        distances: distances::table(results).map(named),
        kvm: results.machine.kvm_costs.is_some() || results.cells.iter().any(|cell| cell.axes.env == "kvm"),
        locks: if drawn.is_empty() { Vec::new() } else { plots::locks(results) },
        figures: drawn,
        missing_figures,
        schedules: if several { None } else { schedules::view(results)? },
        cells: (!several).then(|| cells::table(results)),
        counters: (!several).then(|| counters::table(results)),
        missing_told: missing::told(results),
        dropped: named(missing::table(results)),
        rounds: results.stopped.as_ref().map_or(results.rounds, |stopped| stopped.rounds),
        window: duration(results.window_ns as f64),
        json: embed::link(&json(results)?)?,
        csv: embed::link(csv::cells(results).as_bytes())?,
        traces,
        traces_left,
    })
}

fn answer_view(name: &'static str, answer: &Answer) -> AnswerView {
    let statements = answer.statements.iter().map(|statement| StatementView {
        text: unbroken(&statement.text),
        verdict: statement.verdict.as_ref().map(|verdict| verdict.word()),
        class: statement.verdict.as_ref().map(class),
        reason: statement.verdict.as_ref().and_then(|verdict| verdict.reason()).map(shown),
    });
    AnswerView {
        id: name.to_lowercase().replace(' ', "-"),
        name,
        question: answer.question,
        statements: statements.collect(),
    }
}

/// results.json as a run's directory has it.
fn json(results: &Results) -> Result<Vec<u8>, Error> {
    let mut json = serde_json::to_vec(results).map_err(|error| Error::Page(format!("the data: {error}")))?;
    json.push(b'\n');
    Ok(json)
}

/// A file name made of harmless characters only.
fn file_name(run_id: &str) -> String {
    let safe: String = run_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(80).collect();
    if safe.is_empty() { "lockbench-run".into() } else { safe }
}

fn noise_text(results: &Results) -> String {
    let floors: Vec<String> = results
        .noise_floor
        .iter()
        .filter_map(|floor| Some(format!("{} {}", shown(&floor.class), apart(floor.floor?))))
        .collect();
    if floors.is_empty() {
        return "No cell was run twice in every round, or too few of those rounds were usable: the noise floor is \
                unknown, and without it nothing is judged."
            .into();
    }
    format!(
        "The same cell was run twice in every round, and the two came out this far apart: {}. A verdict rests on no smaller difference than that of the pairs most like its cells.",
        floors.join(", ")
    )
}

fn noise(results: &Results) -> Table {
    let rows = results.noise_floor.iter().map(|floor| {
        let medians = floor
            .pairs
            .first()
            .map_or_else(String::new, |pair| format!("first pair {} and {}", rate(pair[0]), rate(pair[1])));
        let interval =
            floor.ratio.map_or_else(String::new, |interval| format!("({})", range(interval, ratio)));
        vec![
            TableEntry::text(&floor.class),
            TableEntry::text(&floor.cell).with_note(medians),
            TableEntry::number(floor.ratio.map(|ratio| ratio.median), ratio).with_note(interval),
            TableEntry::number(floor.floor, apart),
            TableEntry::number(Some(f64::from(floor.rounds)), |rounds| rounds.to_string()),
        ]
    });
    let columns = [
        ("Noise group", false),
        ("Cell run twice", false),
        ("Second : first", true),
        ("Noise floor", true),
        ("Rounds used", true),
    ];
    let mut table =
        Table::new("Noise floor: the same cell run twice in every round", &columns, rows.collect());
    table.sortable = false;
    table
}
