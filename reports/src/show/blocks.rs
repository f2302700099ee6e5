//! Tables of a terminal.

/// Puts columns of a table side by side, each begun by its heading, in lines of at most `most` characters where that can be. Columns
/// that do not fit go below, with the first column repeated.
pub(super) fn in_blocks(columns: &[Vec<String>], most: usize) -> String {
    let width = |column: &[String]| column.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let (names, rest) = columns.split_at(1);
    let mut text = String::new();
    let mut start = 0;
    while start < rest.len() {
        let mut taken = width(&names[0]);
        let mut end = start;
        while end < rest.len() && (end == start || taken + 2 + width(&rest[end]) <= most) {
            taken += 2 + width(&rest[end]);
            end += 1;
        }
        for row in 0..names[0].len() {
            let mut line = String::new();
            for column in std::iter::once(&names[0]).chain(&rest[start..end]) {
                let pad = width(column) - column[row].chars().count();
                line.push_str(&format!("  {}{}", column[row], " ".repeat(pad)));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        start = end;
    }
    text
}
