//! The docs' table of axes is the program's.

use std::fmt::Write;

use crate::axes::{InId, flags};
use crate::plan::SWITCHES;

fn table() -> String {
    let mut table = "| key | option | default | | in ids |\n|---|---|---|---|---|\n".to_owned();
    for flag in flags() {
        let default = if flag.default.is_empty() { String::new() } else { format!("`{}`", flag.default) };
        let in_id = match flag.in_id {
            InId::Part => "always",
            InId::Param => "if not the default",
            InId::Counts => "as `4v:2p`",
        };
        let (key, name, help) = (flag.key, flag.name, flag.help);
        let _ = writeln!(table, "| `{key}` | `--{name}` | {default} | {help} | {in_id} |");
    }
    for switch in &SWITCHES {
        let option = if switch.default { String::new() } else { format!("`--{}`", switch.name) };
        let (name, default, help) = (switch.name, switch.default, switch.help);
        let _ = writeln!(table, "| `{name}` | {option} | `{default}` | {help} | |");
    }
    table
}

/// Like any snapshot the table is written anew with `INSTA_UPDATE=always`.
#[test]
fn the_docs_table_of_axes_is_the_programs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let (before, rest) = docs.split_once("<!-- axes -->\n").unwrap();
    let (written, after) = rest.split_once("<!-- /axes -->").unwrap();
    let table = table();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        let docs = format!("{before}<!-- axes -->\n{table}<!-- /axes -->{after}");
        std::fs::write(path, docs).unwrap();
    } else {
        assert_eq!(written, table, "docs/configuration.md needs this table:\n{table}");
    }
}

#[test]
fn the_docs_sample_profile_is_planned() {
    let docs = include_str!("../../../../docs/configuration.md");
    let (_, rest) = docs.split_once("```toml\n").unwrap();
    let (sample, _) = rest.split_once("```").unwrap();
    let machine = crate::topology::tests::synthetic("pack:2 numa:1 core:4 pu:2");
    let plan = super::fitted(&super::parsed(sample), &machine, None);
    assert!(
        plan.dropped.iter().all(|dropped| dropped.reason.contains("is not leaf code")),
        "{:?}",
        super::dropped(&plan)
    );
    assert!(
        super::ids(&plan).contains(&"pv-ticket/emulated/short/32v:16p/compact/pinned/spin-threshold=256")
    );
}
