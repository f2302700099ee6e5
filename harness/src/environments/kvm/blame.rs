//! What a fault in a guest says of the code that ran there, in words that its author can act upon.

/// What code has to be like that a guest runs.
const NEEDS: &str = "a guest sees the program and nothing of libc, so a lock is leaf code there, and each package that it lies in is \
                     built with optimisation and without checks (--release, or the profiles of docs/writing-a-lock.md)";

/// What went wrong, where the functions on the stack tell. `outside` is the file that was called into, if that is not the program's own;
/// `stack` has the functions from the one that faulted to the worker.
pub(super) fn blame(outside: Option<&str>, stack: &[String]) -> Option<String> {
    let what = match outside {
        _ if stack.iter().any(|function| panics(function)) => "panicked".to_owned(),
        Some(file) => format!("called {}", file.rsplit('/').next().unwrap_or(file)),
        None => return None,
    };
    let whose = stack.iter().find(|function| !of_a_library(function));
    let whose = whose.map_or_else(String::new, |function| format!(", on the way from {function}"));
    Some(format!("{what}: {NEEDS}{whose}"))
}

/// Whether a function is a part of what a panic does.
fn panics(function: &str) -> bool {
    ["core::panicking::", "std::panicking::", "rust_begin_unwind", "rust_panic"]
        .iter()
        .any(|part| function.contains(part))
}

/// Whether a function is Rust's own: of such code it is of interest who called it.
fn of_a_library(function: &str) -> bool {
    let path = function.trim_start_matches(['<', '&']);
    ["core::", "std::", "alloc::", "__rust", "rust_", "compiler_builtins::"]
        .iter()
        .any(|library| path.starts_with(library))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(outside: Option<&str>, stack: &[&str]) -> Option<String> {
        let stack: Vec<String> = stack.iter().map(|&function| function.to_owned()).collect();
        blame(outside, &stack)
    }

    #[test]
    fn a_call_into_libc_is_told_with_what_to_do_and_whose_code_it_came_from() {
        let stack =
            ["<core::cell::Cell<T> as core::default::Default>::default+0x2e", "my_crate::Lock::wait+0x1c"];
        let said = told(Some("/usr/lib/x86_64-linux-gnu/libc.so.6"), &stack).unwrap();
        assert!(said.starts_with("called libc.so.6: a guest sees the program"), "{said}");
        assert!(said.ends_with(", on the way from my_crate::Lock::wait+0x1c"), "{said}");
        let [advice, _] = ["--release", "on the way"].map(|part| said.find(part).unwrap());
        assert!(advice < 280, "a terminal shows the first 300 characters of a reason: {said}");
    }

    #[test]
    fn a_panic_is_told_as_one_wherever_it_faulted() {
        let stack = [
            "std::panicking::panic_count::increase+0x8",
            "core::panicking::panic_fmt+0x20",
            "my_crate::Lock::lock+0x40",
        ];
        for outside in [None, Some("libc.so.6")] {
            assert!(told(outside, &stack).unwrap().starts_with("panicked: "), "{outside:?}");
        }
        assert_eq!(told(None, &["my_crate::Lock::lock+0x40"]), None, "a fault of the lock's own code");
    }
}
