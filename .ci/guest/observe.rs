//! observe PID RUNS PAGES: while the process PID runs, writes down for each cell that it starts what this kernel says of it: on
//! which CPUs each of its threads may run and ran last, and on which node each page of the arena lies. It knows nothing of
//! lockbench but the name of a cell's process, that of its shared memory, and that a run's journal gets one line a window. It
//! only reads: a cell that is stopped or slowed down would be found to be. One file without dependencies, so that `rustc` alone
//! makes it; a shell would be too slow for windows of 100 ms on an emulated processor.
//!
//! On standard output, for each cell:
//!   cell PID after LINES     it is there; the journals under RUNS had LINES lines, so that its record is the next
//! and then once, or again until nothing is left to be pinned:
//!   cell PID after LINES
//!   /proc/...:line           lines of the tasks' status and stat, and of the process's maps and numa_maps
//!   whole N                  the process and its threads were there until the end; the arena's entries of its pagemap are in PAGES/N

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

const PAGE: u64 = 4096;
const PAGEMAP_ENTRY: u64 = 8;
/// Time between two looks for a cell.
const REST: Duration = Duration::from_millis(5);
/// Clock ticks of 10 ms that a vCPU's thread has had in user mode when its window is under way.
const UNDER_WAY_TICKS: u64 = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [parent, runs, pages] = arguments.as_slice() else {
        eprintln!("usage: observe PID RUNS PAGES");
        std::process::exit(2);
    };
    fs::create_dir_all(pages).expect("the folder of the pages");
    let mut observer = Observer { runs: runs.into(), pages: pages.into(), number: 0 };
    let mut met = None;
    let mut seen = None;
    // A process that has died but was not waited for has no program any more.
    while fs::read_link(format!("/proc/{parent}/exe")).is_ok() {
        for cell in cells_of(parent) {
            if seen.as_ref() == Some(&cell) {
                continue;
            }
            let lines = match &met {
                Some((known, lines)) if *known == cell => *lines,
                _ => {
                    let lines = observer.journal_lines();
                    println!("cell {cell} after {lines}");
                    met = Some((cell.clone(), lines));
                    lines
                }
            };
            if under_way(&cell) && observer.observe(&cell, lines) == Some(Seen::Pinned) {
                seen = Some(cell);
            }
        }
        sleep(REST);
    }
}

/// The children of `parent` that are cells.
fn cells_of(parent: &str) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let is_cell = |child: &&str| {
        let command = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).any(|word| word == b"__cell")
    };
    children.split_whitespace().filter(is_cell).map(str::to_owned).collect()
}

/// The threads of a process, in the order in which they were started.
fn tasks(cell: &str) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{cell}/task")).into_iter().flatten().flatten();
    let mut tasks: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    tasks.sort_unstable();
    tasks
}

/// Whether one of the cell's threads besides the first, which are its vCPUs, runs its section already.
fn under_way(cell: &str) -> bool {
    tasks(cell).into_iter().skip(1).any(|task| {
        let stat = fs::read_to_string(format!("/proc/{cell}/task/{task}/stat")).unwrap_or_default();
        // The thread's name, in brackets, may hold anything; time in user mode is the 12th field behind it.
        let behind_name = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
        let ticks = behind_name.split_whitespace().nth(11).and_then(|ticks| ticks.parse::<u64>().ok());
        ticks.is_some_and(|ticks| ticks >= UNDER_WAY_TICKS)
    })
}

#[derive(PartialEq)]
enum Seen {
    Pinned,
    /// A vCPU may run wherever the process's first thread may: it is perhaps to be pinned yet.
    PerhapsUnpinned,
}

struct Observer {
    runs: PathBuf,
    pages: PathBuf,
    number: u32,
}

impl Observer {
    /// Lines of the run's journal.
    fn journal_lines(&self) -> usize {
        let runs = fs::read_dir(&self.runs).into_iter().flatten().flatten();
        let journals = runs.filter_map(|run| fs::read(run.path().join("rounds.jsonl")).ok());
        journals.last().map_or(0, |journal| journal.iter().filter(|byte| **byte == b'\n').count())
    }

    /// Writes down what the kernel says of a cell; none where the cell's process or one of its threads ended meanwhile.
    fn observe(&mut self, cell: &str, lines: usize) -> Option<Seen> {
        let threads = tasks(cell);
        let mut told = String::new();
        let mut masks = Vec::new();
        for task in &threads {
            let path = format!("/proc/{cell}/task/{task}/status");
            let status = fs::read_to_string(&path).ok()?;
            for line in status.lines() {
                if let Some(mask) = line.strip_prefix("Cpus_allowed_list:") {
                    masks.push(mask.to_owned());
                }
                if line.starts_with("Cpus_allowed_list") || line.starts_with("Mems_allowed_list") {
                    writeln!(told, "{path}:{line}").ok()?;
                }
            }
        }
        for task in &threads {
            let path = format!("/proc/{cell}/task/{task}/stat");
            writeln!(told, "{path}:{}", fs::read_to_string(&path).ok()?.trim_end()).ok()?;
        }
        let arena = arena_lines(cell, "maps")?;
        for line in arena.iter().chain(&arena_lines(cell, "numa_maps")?) {
            told.push_str(line);
        }
        self.number += 1;
        keep_pagemap(cell, &arena, &self.pages.join(self.number.to_string()))?;
        if tasks(cell) != threads || fs::read_link(format!("/proc/{cell}/exe")).is_err() {
            return None;
        }
        let number = self.number;
        std::io::stdout()
            .write_all(format!("cell {cell} after {lines}\n{told}whole {number}\n").as_bytes())
            .ok()?;
        let (first, vcpus) = masks.split_first()?;
        Some(if vcpus.contains(first) { Seen::PerhapsUnpinned } else { Seen::Pinned })
    }
}

/// The lines of a file of the process that speak of the arena; none where there is no such line.
fn arena_lines(cell: &str, file: &str) -> Option<Vec<String>> {
    let path = format!("/proc/{cell}/{file}");
    let content = fs::read_to_string(&path).ok()?;
    let lines = content.lines().filter(|line| line.contains("memfd:lockbench-arena"));
    let lines: Vec<String> = lines.map(|line| format!("{path}:{line}\n")).collect();
    (!lines.is_empty()).then_some(lines)
}

/// Keeps the entries of the arena's pages. Parts that are protected differently are lines of their own, one behind the other.
fn keep_pagemap(cell: &str, maps: &[String], to: &Path) -> Option<()> {
    let range = |line: &str| {
        let (_, behind_path) = line.split_once("maps:")?;
        let (first, behind) = behind_path.split_whitespace().next()?.split_once('-')?;
        Some((u64::from_str_radix(first, 16).ok()?, u64::from_str_radix(behind, 16).ok()?))
    };
    let (first, _) = range(maps.first()?)?;
    let (_, behind) = range(maps.last()?)?;
    let mut pagemap = File::open(format!("/proc/{cell}/pagemap")).ok()?;
    pagemap.seek(SeekFrom::Start(first / PAGE * PAGEMAP_ENTRY)).ok()?;
    let mut entries = vec![0; usize::try_from((behind - first) / PAGE * PAGEMAP_ENTRY).ok()?];
    pagemap.read_exact(&mut entries).ok()?;
    fs::write(to, entries).ok()
}
