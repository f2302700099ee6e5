//! Lines that end at words.

/// Text as lines of at most `width` characters, except for longer words. Lines after the first are indented.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut taken = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if taken > indent && taken + 1 + length > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            taken = indent;
        } else if taken > 0 {
            lines.push(' ');
            taken += 1;
        }
        lines.push_str(word);
        taken += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_words_and_no_word_is_lost() {
        let text = "one two three four five six seven";
        for width in 1..40 {
            let lines = wrapped(text, width, 2);
            let long = |line: &str| line.chars().count() > width && line.split_whitespace().count() > 1;
            assert!(!lines.lines().any(long), "{width}: {lines}");
            assert_eq!(lines.split_whitespace().collect::<Vec<_>>().join(" "), text, "{width}");
        }
        assert_eq!(wrapped("a bb ccc", 5, 2), "a bb\n  ccc");
        assert_eq!(wrapped("", 5, 2), "");
    }
}
