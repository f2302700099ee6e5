//! The running program as the guest sees it: its own text, constants and data, at their own addresses. Not libc, not
//! the heap, not this process's stacks: a worker that reaches for them gets a page fault with its address.

use std::fs;
use std::ops::Range;

use lockbench_reports::plain;

use super::page_tables::Access;
use super::pages::PAGE;
use crate::Refusal;

/// A mapped part of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) range: Range<usize>,
    pub(super) access: Access,
    /// Where in the program's file it begins; none for zeroed data.
    pub(super) file_offset: Option<u64>,
}

/// The program's mappings, those that hold `within` and others of the same file.
pub(super) fn parts(within: usize) -> Result<Vec<Part>, Refusal> {
    let parts = of_maps(&maps()?, within);
    if parts.is_empty() {
        return Err(format!("/proc/self/maps shows no file mapped at {within:#x}").into());
    }
    Ok(parts)
}

/// What is mapped between two addresses and can be read: a shared object, from its first segment to its last.
pub(super) fn between(extent: &Range<usize>) -> Result<Vec<Part>, Refusal> {
    Ok(clipped(&maps()?, &(extent.start / PAGE * PAGE..extent.end.next_multiple_of(PAGE))))
}

fn maps() -> Result<String, Refusal> {
    fs::read_to_string("/proc/self/maps")
        .map_err(|e| format!("cannot read /proc/self/maps: {}", plain::words(&e)).into())
}

/// A line of `/proc/PID/maps`.
struct Line<'a> {
    range: Range<usize>,
    permissions: &'a str,
    offset: u64,
    /// Device and inode, which identify a file even after it was replaced on disk.
    file: (&'a str, &'a str),
    named: bool,
}

impl Line<'_> {
    /// What the guest may do there; none if this process may not even read it.
    fn access(&self) -> Option<Access> {
        match self.permissions.as_bytes() {
            [b'r', b'w', ..] => Some(Access::Data),
            [b'r', _, b'x', ..] => Some(Access::Text),
            [b'r', ..] => Some(Access::Constants),
            _ => None,
        }
    }
}

fn parse(line: &str) -> Option<Line<'_>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    Some(Line {
        range: usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?,
        permissions: fields.next()?,
        offset: u64::from_str_radix(fields.next()?, 16).ok()?,
        file: (fields.next()?, fields.next()?),
        named: fields.next().is_some(),
    })
}

fn of_maps(maps: &str, within: usize) -> Vec<Part> {
    let lines: Vec<Line<'_>> = maps.lines().filter_map(parse).collect();
    let Some(file) = lines.iter().find(|line| line.range.contains(&within)).map(|line| line.file) else {
        return Vec::new();
    };
    let mut parts: Vec<Part> = Vec::new();
    for line in &lines {
        let of_file = line.named && line.file == file;
        // Zeroed data (.bss) follows the data that came from the file, without a name.
        let zeroed = !line.named && parts.last().is_some_and(|last| last.range.end == line.range.start);
        let Some(access) = line.access() else { continue };
        if of_file || zeroed {
            let file_offset = of_file.then_some(line.offset);
            parts.push(Part { range: line.range.clone(), access, file_offset });
        }
    }
    parts
}

/// The parts of what lies in `extent`. Zeroed data at an object's end may share a line with foreign memory that happens to follow.
fn clipped(maps: &str, extent: &Range<usize>) -> Vec<Part> {
    let part = |line: Line<'_>| {
        let range = line.range.start.max(extent.start)..line.range.end.min(extent.end);
        let file_offset =
            line.named.then(|| line.offset + (range.start.saturating_sub(line.range.start)) as u64);
        (!range.is_empty()).then_some(Part { range, access: line.access()?, file_offset })
    };
    maps.lines().filter_map(parse).filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
555555554000-555555556000 r--p 00000000 fe:00 247030                     /usr/bin/my prog (deleted)
555555556000-55555555b000 r-xp 00002000 fe:00 247030                     /usr/bin/my prog (deleted)
55555555b000-55555555c000 rw-p 00007000 fe:00 247030                     /usr/bin/my prog (deleted)
55555555c000-55555555e000 rw-p 00000000 00:00 0
55555555e000-55555557f000 rw-p 00000000 00:00 0                          [heap]
7ffff7d00000-7ffff7d28000 r-xp 00000000 fe:00 99                         /lib/libc.so.6
7ffff7d28000-7ffff7d2a000 rw-p 00000000 00:00 0
";

    #[test]
    fn the_program_is_its_file_and_the_zeroed_data_behind_it() {
        let parts = of_maps(MAPS, 0x5555_5555_7000);
        let found: Vec<_> = parts.iter().map(|part| (part.range.start, part.access)).collect();
        assert_eq!(
            found,
            [
                (0x5555_5555_4000, Access::Constants),
                (0x5555_5555_6000, Access::Text),
                (0x5555_5555_b000, Access::Data),
                (0x5555_5555_c000, Access::Data),
            ]
        );
        assert_eq!(parts[1].file_offset, Some(0x2000));
        assert_eq!(parts[3].file_offset, None);
        assert!(of_maps(MAPS, 0x1000).is_empty());
    }

    #[test]
    fn an_object_ends_where_its_last_segment_does() {
        let extent = 0x5555_5555_6000..0x5555_5555_d000;
        let found: Vec<_> =
            clipped(MAPS, &extent).into_iter().map(|part| (part.range, part.access)).collect();
        assert_eq!(
            found,
            [
                (0x5555_5555_6000..0x5555_5555_b000, Access::Text),
                (0x5555_5555_b000..0x5555_5555_c000, Access::Data),
                (0x5555_5555_c000..0x5555_5555_d000, Access::Data),
            ]
        );
    }

    #[test]
    fn this_program_is_found() {
        let parts = parts(this_program_is_found as *const () as usize).unwrap();
        assert!(parts.iter().any(|part| part.access == Access::Text));
        assert!(parts.iter().any(|part| part.access == Access::Data));
    }
}
