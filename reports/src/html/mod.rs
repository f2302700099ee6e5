//! The report page.

use crate::record::Results;
use crate::{Error, answers, summary};

/// Renders a self-contained page.
pub fn render(runs: &[Results]) -> Result<String, Error> {
    let mut tera = tera::Tera::default();
    tera.add_raw_template("page.html", lockbench_templates::PAGE)
        .map_err(|error| Error::Page(error.to_string()))?;
    let mut context = tera::Context::new();
    let texts: Vec<String> =
        runs.iter().map(|run| format!("{}\n{}", answers::answers(run), summary::table(run))).collect();
    context.insert("texts", &texts);
    tera.render("page.html", &context).map_err(|error| Error::Page(error.to_string()))
}
