//! The figures that depend on time, with their bounds: `cargo bench -p lockbench --bench acceptance`.
//!
//! Leave the machine alone while it runs (about four minutes). It prints each figure, its bound, and PASS or FAIL, and
//! always exits with 0: CI asserts none of them.

mod causes;
mod fidelity;
mod program;
mod quick;
mod windows;

/// Prints one line: what, figure, bound, verdict.
fn report(what: &str, figure: String, bound: &str, pass: bool) {
    println!("{what:<62} {figure:>24}   {bound:<22} {}", if pass { "PASS" } else { "FAIL" });
}

/// The parts, by the names under which some of them can be asked for: `… --bench acceptance -- causes`.
const PARTS: [(&str, fn()); 4] = [
    ("fidelity", fidelity::report_all),
    ("windows", windows::report_all),
    ("causes", causes::report_all),
    ("quick", quick::report_all),
];

fn main() {
    // Cargo adds options of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (name, report_all) in PARTS {
        if asked.is_empty() || asked.iter().any(|word| word == name) {
            report_all();
        }
    }
}
