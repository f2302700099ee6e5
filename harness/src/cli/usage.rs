//! What clap says of a command line that cannot be taken, as the one sentence that every other fault gets.

use lockbench_reports::format::printable;

/// What the standard library says of a text that is no number, and what that means to whoever typed the text.
const NUMBERS: [(&str, &str); 5] = [
    ("invalid digit found in string", "a whole number is wanted"),
    ("cannot parse integer from empty string", "a whole number is wanted"),
    ("number too large to fit in target type", "the number is too large"),
    ("number would be zero for non-zero type", "the number must be above 0"),
    ("invalid float literal", "a number is wanted"),
];

/// One sentence out of clap's paragraphs: the fault, what was perhaps meant, and where help is.
pub(super) fn sentence(said: &str) -> String {
    let paragraphs: Vec<String> =
        said.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let mut told: Vec<String> = Vec::new();
    let mut command = "lockbench".to_owned();
    for paragraph in &paragraphs {
        if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            let words = usage.split(' ').take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
            command = words.collect::<Vec<_>>().join(" ");
        } else if !paragraph.starts_with("For more information") {
            let fault = paragraph.trim_start_matches("error: ").trim_start_matches("tip: ");
            told.push(fault.trim_end_matches('.').to_owned());
        }
    }
    let mut told = told.join("; ");
    for (library, plain) in NUMBERS {
        told = told.replace(library, plain);
    }
    format!("{}; `{command} --help` shows what can be said", printable(&told))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Cli;

    fn said(arguments: &[&str]) -> String {
        let error = Cli::try_parse_from(std::iter::once(&"lockbench").chain(arguments)).err().unwrap();
        super::sentence(&error.to_string())
    }

    #[test]
    fn a_usage_error_is_one_sentence() {
        assert_eq!(
            said(&["suite", "--profil", "x"]),
            "unexpected argument '--profil' found; a similar argument exists: '--profile'; `lockbench suite --help` shows what \
             can be said"
        );
        assert_eq!(
            said(&["suite", "--rounds", "x"]),
            "invalid value 'x' for '--rounds <N>': a whole number is wanted; `lockbench --help` shows what can be said"
        );
        assert_eq!(
            said(&["report"]),
            "the following required arguments were not provided: <RUN>; `lockbench report --help` shows what can be said"
        );
        assert_eq!(
            said(&["nosuch"]),
            "unrecognized subcommand 'nosuch'; `lockbench --help` shows what can be said"
        );
        assert!(!said(&["compare", "a\nb\n\nc", "--nope"]).contains('\n'));
    }
}
