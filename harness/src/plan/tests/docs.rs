//! The docs' table of axes is the program's.

use std::fmt::Write;
use std::sync::Mutex;

use crate::Registry;
use crate::axes::{InId, flags};
use crate::plan::{Profile, SWITCHES, scenarios};

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

/// The built-in scenarios: name, what each shows, its cases.
fn scenarios_table() -> String {
    let mut table =
        "| scenario | what it shows | cases, the one that others are compared with first |\n|---|---|---|\n"
            .to_owned();
    for (name, _) in scenarios::BUILT_IN {
        let scenario = Profile::scenario(name, &Registry::new(&[])).unwrap();
        let mut cases: Vec<String> = Vec::new();
        for group in &scenario.cells {
            let case = format!("`{}`", group.case.as_ref().unwrap().name);
            if !cases.contains(&case) {
                cases.push(case);
            }
        }
        let _ = writeln!(table, "| `{name}` | {} | {} |", scenario.about, cases.join(", "));
    }
    table
}

/// The part of docs/configuration.md between two marks must be `table`. Like any snapshot it is written anew with
/// `INSTA_UPDATE=always`.
fn docs_have(mark: &str, table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let [begin, end] = [format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->")];
    // One at a time writes.
    let _alone = WRITING.lock().unwrap();
    let docs = std::fs::read_to_string(path).unwrap();
    let (before, rest) = docs.split_once(&begin).unwrap();
    let (written, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(written, table, "docs/configuration.md needs this table:\n{table}");
    }
}

static WRITING: Mutex<()> = Mutex::new(());

#[test]
fn the_docs_table_of_axes_is_the_programs() {
    docs_have("axes", &table());
}

#[test]
fn the_docs_table_of_scenarios_is_the_programs() {
    docs_have("scenarios", &scenarios_table());
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
