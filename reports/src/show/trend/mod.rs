//! The trend page: a machine's whole history in one file that loads nothing.
//!
//! Each series has a small picture, which opens to a large one with a dot for each night. Pictures are a few long paths of whole
//! numbers, so that a phone can open the page of a year of three hundred series.

mod chart;
mod data;
mod rows;
mod scale;
mod spark;
mod view;

use tera::{Context, Tera};

use crate::Error;
use crate::derive::digest::Identity;
use crate::judge::history::{Blessing, History, Judgement};
use crate::show::html::{embed, escape, failed};

/// Renders the page of a machine.
pub fn render(
    machine: &Identity,
    history: &History,
    blessings: &[Blessing],
    margin: f64,
) -> Result<String, Error> {
    let judgement = Judgement::of(history, blessings, margin);
    let mut tera = Tera::default();
    tera.set_escape_fn(escape);
    tera.add_raw_templates(lockbench_templates::TREND_TEMPLATES).map_err(failed)?;
    let css = lockbench_templates::STYLES.concat() + lockbench_templates::TREND_STYLE;
    let script = lockbench_templates::TREND_SCRIPT;
    let mut context = Context::new();
    context.insert("csp", &embed::policy(&css, script));
    context.insert("css", &css);
    context.insert("script", script);
    context.insert("page", &view::page(machine, history, &judgement, margin));
    context.insert("marks", &chart::marks(history));
    context.insert("json", &data::json(history)?);
    context.insert("version", env!("CARGO_PKG_VERSION"));
    tera.render(lockbench_templates::TREND, &context).map_err(failed)
}
