//! Records that an attacker wrote.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::answers;
use lockbench_reports::record::{Line, Results};
use lockbench_reports::show::{csv, html, summary, trace_export};
use serde_json::Value;

use crate::fixture;

const SCRIPTS: [&str; 6] = [
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'{{ 7 * 7 }}{% raw %}",
    "<!--<script>",
    "]]><svg onload=alert(1)>&lt;&#60;",
    "javascript:alert(1)\u{202e}\u{0}\u{7}\u{1b}[2J\u{2028}",
];

/// Strings that select a variant, without which the record would be refused.
const KEPT: [&str; 10] =
    ["status", "exclusion", "purpose", "outcome", "start", "kind", "arrivals", "order", "paravirt", "end"];

fn change(value: &mut Value, key: &str, to: &dyn Fn(&str, &mut Value)) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| change(entry, key, to)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, field)| change(field, name, to)),
        leaf => to(key, leaf),
    }
}

/// A small run: the whole fixture is slow in a debug build.
fn small() -> Value {
    let wanted = |cell: &str| {
        let lock = cell.split('/').next().unwrap_or_default();
        ["ticket", "pv-ticket", "pv-ticket-off", "tas"].contains(&lock)
            && !cell.contains("/6v:")
            && !cell.contains("/3v:")
    };
    let lines = fixture::lines(7, 1.0).into_iter().filter_map(|line| match line {
        Line::Header(mut header) => {
            header.cells.retain(|cell| wanted(&cell.id));
            Some(Line::Header(header))
        }
        Line::Round(round) => wanted(&round.cell).then_some(Line::Round(round)),
        end => Some(end),
    });
    serde_json::to_value(derive(lines)).unwrap()
}

fn render(value: Value) -> String {
    let results: Results = serde_json::from_value(value).unwrap();
    let said = format!("{}{}", answers::answers(&results), summary::table(&results));
    assert!(!said.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "drives the terminal");
    csv::cells(&results);
    let several = html::render(&[results.clone(), results.clone()]).unwrap();
    well_formed(&several);
    results.cells.iter().for_each(|cell| _ = trace_export::chrome_of_worst(cell));
    let page = html::render(&[results]).unwrap();
    well_formed(&page);
    page
}

/// A page without the files that its links carry, which may hold any letters.
fn without_data(page: &str) -> String {
    let parts = page.split(" href=\"data:");
    parts.map(|part| part.split_once("\" download=").map_or(part, |part| part.1)).collect()
}

/// The page has only its own script, and no element that came from the record.
fn well_formed(page: &str) {
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    for element in ["<img", "<svg onload", "<!--"] {
        assert!(!page.contains(element), "{element} reached the page");
    }
    assert!(!page.contains('\u{0}') && !page.contains("49{% raw"));
}

#[test]
fn strings_are_text_wherever_they_stand() {
    for (keep_names, script) in SCRIPTS.iter().enumerate().map(|(index, script)| (index % 2 == 0, script)) {
        let mut value = small();
        // Half of the time locks and environments keep their names, so that every plot is drawn.
        let names = ["lock", "env", "class"];
        change(&mut value, "", &|key, leaf| {
            if leaf.is_string() && !KEPT.contains(&key) && !(keep_names && names.contains(&key)) {
                *leaf = Value::String((*script).to_owned());
            }
        });
        // Names of counters and parameters are strings as well.
        let cells = value["cells"].as_array_mut().unwrap();
        cells[0]["counters"] = serde_json::json!({ *script: 7 });
        cells[0]["params"] = serde_json::json!({ *script: *script });
        render(value);
    }
}

#[test]
fn very_long_strings_do_not_fill_the_page() {
    let mut value = small();
    change(&mut value, "", &|key, leaf| {
        if leaf.is_string() && !KEPT.contains(&key) && key != "env" {
            *leaf = Value::String("W".repeat(20_000));
        }
    });
    let page = render(value);
    let text = without_data(&page);
    assert!(!text.contains(&"W".repeat(5_000)));
}

#[test]
fn absurd_numbers_are_drawn_or_left_out() {
    for (whole, broken) in
        [(0_u64, 0.0), (u64::from(u32::MAX), 1e308), (1, -1e308), (7, 1e-308), (u64::from(u32::MAX), 1e15)]
    {
        let mut value = small();
        change(&mut value, "", &|key, leaf| {
            if leaf.is_f64() {
                *leaf = broken.into();
            } else if leaf.is_number() && key != "schema_version" {
                *leaf = whole.into();
            }
        });
        let page = render(value);
        let text = without_data(&page);
        assert!(
            !text.contains("NaN") && !text.contains(">inf") && !text.contains("\"inf"),
            "{whole} {broken}"
        );
    }
}

#[test]
fn a_record_cut_anywhere_is_read_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<String> =
        fixture::lines(7, 1.0).iter().take(40).map(|line| serde_json::to_string(line).unwrap()).collect();
    let rounds = lines.join("\n");
    let results = serde_json::to_string(&small()).unwrap();
    for (name, text) in [(run_dir::ROUNDS, &rounds), (run_dir::RESULTS, &results)] {
        let path = dir.path().join(name);
        for cut in (0..text.len()).step_by(text.len() / 60 + 1) {
            std::fs::write(&path, &text.as_bytes()[..cut]).unwrap();
            match run_dir::read(&path) {
                Ok(results) => assert!(results.interrupted && name == run_dir::ROUNDS, "{name} cut at {cut}"),
                Err(error) => assert!(!error.to_string().contains('\n')),
            }
        }
    }
}
