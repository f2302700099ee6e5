//! Pieces of text that the drawing and the table share.

use std::fmt;

use super::CpuList;

/// A list of CPUs with strides, `0-14:2`, so that long ones stay short.
pub(super) struct Strided<'a>(pub(super) &'a CpuList);

impl Strided<'_> {
    /// One item for each run of equal steps.
    pub(super) fn items(&self) -> Vec<String> {
        let indices: Vec<u32> = self.0.iter().map(|cpu| cpu.0).collect();
        let mut rest = indices.as_slice();
        let mut items = Vec::new();
        while let [first, ..] = *rest {
            let step = rest.get(1).map_or(0, |second| second.saturating_sub(first));
            let steps =
                rest.windows(2).take_while(|pair| step > 0 && pair[0].checked_add(step) == Some(pair[1]));
            let run = 1 + steps.count();
            let last = rest[run - 1];
            let (item, used) = match (step, run) {
                (1, 2..) => (format!("{first}-{last}"), run),
                // Two CPUs make no pattern.
                (2.., 3..) => (format!("{first}-{last}:{step}"), run),
                _ => (first.to_string(), 1),
            };
            items.push(item);
            rest = &rest[used..];
        }
        items
    }
}

impl fmt::Display for Strided<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.items().join(","))
    }
}

/// A number of bytes as people read it: `32 KiB`, `31.9 GiB`.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 {
        value /= 1024.0;
        unit += 1;
    }
    let text = format!("{value:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), units[unit])
}

/// `1 core`, `2 cores`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Columns aligned on the left, two blanks apart; the last is wrapped at its commas.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    const WIDTH: usize = 100;
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let indent: usize = widths[..N - 1].iter().map(|width| width + 2).sum();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row[..N - 1].iter().zip(widths) {
            line += &format!("{cell:width$}  ");
        }
        for part in row[N - 1].split_inclusive(',') {
            if line.chars().count() + part.chars().count() > WIDTH && line.chars().count() > indent {
                out += line.trim_end();
                out.push('\n');
                line = " ".repeat(indent);
            }
            line += part;
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}
