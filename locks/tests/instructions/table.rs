//! The table that is checked in, against the machine code.

use std::{env, fs};

use super::{Machine, Path, Program, machines};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

fn list(locked: &[String]) -> String {
    let quoted: Vec<String> = locked.iter().map(|instruction| format!("\"{instruction}\"")).collect();
    quoted.join(", ")
}

fn row(name: &str, what: &str, path: &Path, program: &Program) -> String {
    format!(
        r#"{{"lock": "{name}", "path": "{what}", "bytes": {}, "instructions": {}, "locked": [{}], "waiting": [{}]}}"#,
        path.bytes(),
        path.executed.len(),
        list(&path.locked()),
        list(&path.locked_elsewhere(program)),
    )
}

fn rows(machines: &[Machine], program: &Program) -> Vec<String> {
    let of = |machine: &Machine| {
        let name = machine.variant.name;
        [row(name, "acquire", &machine.acquire, program), row(name, "release", &machine.release, program)]
    };
    machines.iter().flat_map(of).collect()
}

fn file(rows: &[String], program: &Program) -> String {
    format!("{{\"made_by\": \"{}\", \"rows\": [\n  {}\n]}}\n", program.compiler, rows.join(",\n  "))
}

/// The rows of a file that `file` made, and the compiler.
fn parts(file: &str) -> (&str, Vec<&str>) {
    let compiler = file.split('"').nth(3).unwrap_or_default();
    (
        compiler,
        file.lines()
            .filter(|line| line.starts_with("  {"))
            .map(|line| line.trim().trim_end_matches(','))
            .collect(),
    )
}

/// What another compiler must leave as it is: bytes and instructions are its own affair, locked instructions are the lock's.
fn without_sizes(row: &str) -> String {
    let (head, tail) = (row.find(", \"bytes\""), row.find(", \"locked\""));
    head.zip(tail).map_or_else(|| row.to_owned(), |(from, to)| format!("{}{}", &row[..from], &row[to..]))
}

#[test]
fn the_table_is_what_the_machine_code_says() {
    let program = Program::load();
    let rows = rows(&machines(), &program);
    if env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(FILE, file(&rows, &program)).unwrap();
    }
    let written = fs::read_to_string(FILE).expect("the table is checked in");
    let (compiler, written) = parts(&written);
    let exact = compiler == program.compiler;
    if !exact {
        eprintln!("the table is {compiler}'s, this is {}: sizes are not compared", program.compiler);
    }
    let shown = |row: &str| if exact { row.to_owned() } else { without_sizes(row) };
    let (written, rows): (Vec<_>, Vec<_>) =
        (written.iter().map(|row| shown(row)).collect(), rows.iter().map(|row| shown(row)).collect());
    for (written, row) in written.iter().zip(&rows) {
        assert_eq!(written, row, "INSTA_UPDATE=always writes instructions.json anew");
    }
    assert_eq!(written.len(), rows.len(), "INSTA_UPDATE=always writes instructions.json anew");
}
