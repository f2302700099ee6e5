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

fn main() {
    fidelity::report_all();
    windows::report_all();
    causes::report_all();
    quick::report_all();
}
