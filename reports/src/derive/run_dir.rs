//! Run directories: reads what a run wrote, finished or not, and writes the results beside it.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::date;
use crate::derive::derive;
use crate::record::{Line, Results, SCHEMA_VERSION};
use crate::{Error, output_file};

/// The record: one line per window, appended while measuring.
pub const ROUNDS: &str = "rounds.jsonl";
/// The results, derived from [`ROUNDS`].
pub const RESULTS: &str = "results.json";
/// The page, made of [`RESULTS`].
pub const REPORT: &str = "report.html";

/// The whole text of the run for a terminal, made of [`RESULTS`].
pub const SUMMARY: &str = "summary.txt";

/// Largest file that is read, in bytes: more than any run writes, less than memory.
const LARGEST: u64 = 512 << 20;

/// Reads a run: its directory, its `rounds.jsonl` or its `results.json`.
///
/// A directory is read from its `rounds.jsonl` where it has one, since that is there before the run is over. A last line that
/// was cut off while it was written is left out, and the results say so.
pub fn read(path: &Path) -> Result<Results, Error> {
    let file = if path.is_dir() { find(path)? } else { path.to_owned() };
    let text = read_text(&file)?;
    let first = text.lines().next().unwrap_or_default();
    let results = match serde_json::from_str::<Probe>(first) {
        Ok(Probe { line: Some(_), schema_version }) => {
            refuse_newer(&file, schema_version)?;
            from_lines(&file, &text)
        }
        _ => from_results(&file, &text),
    }?;
    let no_date = |why| Error::input(&file, format!("does not say when it was started: {why}"));
    date::parse(&results.started_at).map_err(no_date)?;
    Ok(results)
}

/// The lines of a run's [`ROUNDS`], which hold more than [`RESULTS`]: every schedule log, whole. Takes its directory or that file.
pub fn read_lines(path: &Path) -> Result<Vec<Line>, Error> {
    let file = if path.is_dir() { path.join(ROUNDS) } else { path.to_owned() };
    let text = read_text(&file)?;
    let first: Probe = serde_json::from_str(text.lines().next().unwrap_or_default())
        .map_err(|error| Error::input(&file, format!("is not a lockbench record: {error}")))?;
    refuse_newer(&file, first.schema_version)?;
    Ok(parse_lines(&file, &text)?.0)
}

/// Writes `results.json` into a run directory.
pub fn write_results(dir: &Path, results: &Results) -> Result<(), Error> {
    let mut json = serde_json::to_vec_pretty(results)
        .map_err(|error| Error::input(&dir.join(RESULTS), format!("cannot be written as JSON: {error}")))?;
    json.push(b'\n');
    output_file::write(&dir.join(RESULTS), &json)
}

/// What tells a file's kind and age before the rest of it is read.
#[derive(Deserialize)]
struct Probe {
    line: Option<String>,
    schema_version: Option<u64>,
}

fn find(dir: &Path) -> Result<PathBuf, Error> {
    [ROUNDS, RESULTS].into_iter().map(|name| dir.join(name)).find(|file| file.exists()).ok_or_else(|| {
        Error::input(dir, format!("is no run directory: it holds neither {ROUNDS} nor {RESULTS}"))
    })
}

fn read_text(path: &Path) -> Result<String, Error> {
    let cannot = |source| Error::io("read", path, source);
    // The kind of file is looked at before it is opened: opening a pipe would wait for a writer.
    let metadata = fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        return Err(Error::input(path, "is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::input(path, format!("is larger than {} MiB: no run of lockbench", LARGEST >> 20)));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::input(path, "is empty"));
    }
    // A file that was cut inside a character keeps its lines before that: the last line fails as JSON and is left out.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn refuse_newer(path: &Path, version: Option<u64>) -> Result<(), Error> {
    match version {
        None => Err(Error::input(path, "is not a lockbench record: it states no schema_version")),
        Some(0) => Err(Error::input(path, "is not a lockbench record: schema_version 0 never existed")),
        Some(found) if found > u64::from(SCHEMA_VERSION) => {
            Err(Error::Newer { path: path.to_owned(), found })
        }
        Some(_) => Ok(()),
    }
}

fn from_results(path: &Path, text: &str) -> Result<Results, Error> {
    let not_ours =
        |error: serde_json::Error| Error::input(path, format!("is not a lockbench record: {error}"));
    let probe: Probe = serde_json::from_str(text).map_err(not_ours)?;
    if probe.line.is_some() {
        return Err(Error::input(path, "is not a lockbench record: its first line is damaged"));
    }
    refuse_newer(path, probe.schema_version)?;
    serde_json::from_str(text).map_err(not_ours)
}

fn from_lines(path: &Path, text: &str) -> Result<Results, Error> {
    let (lines, cut_off) = parse_lines(path, text)?;
    let mut results = derive(lines.into_iter());
    if cut_off {
        results.notes.push(format!("the last line of {ROUNDS} was cut off and is left out"));
    }
    Ok(results)
}

/// The lines, and whether the last one was cut off.
fn parse_lines(path: &Path, text: &str) -> Result<(Vec<Line>, bool), Error> {
    let mut lines: Vec<Line> = Vec::new();
    let mut cut_off = false;
    let mut rest = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    while let Some((index, line)) = rest.next() {
        match serde_json::from_str(line) {
            Ok(line) => lines.push(line),
            // A line is complete once its newline is written.
            Err(_) if rest.peek().is_none() && !lines.is_empty() && !text.ends_with('\n') => cut_off = true,
            Err(error) => {
                return Err(Error::input(path, format!("is damaged in line {}: {error}", index + 1)));
            }
        }
    }
    if !matches!(lines.first(), Some(Line::Header(_))) {
        return Err(Error::input(path, "is not a lockbench record: it does not begin with a header"));
    }
    if lines.iter().skip(1).any(|line| matches!(line, Line::Header(_))) {
        return Err(Error::input(path, "holds two headers: two runs in one file"));
    }
    Ok((lines, cut_off))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(name: &str, content: &[u8]) -> Result<Results, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        read(&path).map_err(|error| {
            let sentence = error.to_string();
            assert!(!sentence.contains('\n') && sentence.len() < 1_000, "{sentence}");
            sentence.replace(&dir.path().display().to_string(), "DIR")
        })
    }

    const HEADER: &str = r#"{"line":"header","schema_version":1,"run_id":"r","started_at":"2026-11-22T03:15:00Z","command":"c","seed":1,"profile":"p","rounds":6,"window_ns":1,"machine":{},"cells":[]}"#;

    #[test]
    fn a_run_without_an_end_was_interrupted() {
        let results = read_as(ROUNDS, format!("{HEADER}\n").as_bytes()).unwrap();
        assert!(results.interrupted && results.notes.is_empty());
    }

    #[test]
    fn a_last_line_cut_off_is_left_out_and_said() {
        let cut = format!("{HEADER}\n{{\"line\":\"round\",\"cell\":\"a/b\",\"rou");
        assert!(read_as(ROUNDS, cut.as_bytes()).unwrap().notes[0].contains("cut off"));
        let mut inside_a_character = cut.into_bytes();
        inside_a_character.extend_from_slice(b"\xe2\x82");
        assert!(read_as(ROUNDS, &inside_a_character).unwrap().notes[0].contains("cut off"));
    }

    #[test]
    fn a_line_damaged_in_the_middle_is_refused() {
        let damaged = format!("{HEADER}\n{{\"line\":\"rou\n{HEADER}\n");
        assert!(
            read_as(ROUNDS, damaged.as_bytes())
                .unwrap_err()
                .starts_with("DIR/rounds.jsonl is damaged in line 2")
        );
    }

    #[test]
    fn a_run_that_says_no_date_is_refused() {
        let undated = HEADER.replace("2026-11-22T03:15:00Z", "notadate");
        let sentence = read_as(ROUNDS, format!("{undated}\n").as_bytes()).unwrap_err();
        assert_eq!(
            sentence,
            "DIR/rounds.jsonl does not say when it was started: `notadate` is no date and time like 2026-11-22T03:15:00Z"
        );
    }

    #[test]
    fn newer_schemas_are_refused_with_a_sentence() {
        let newer = HEADER.replace("\"schema_version\":1", "\"schema_version\":7");
        let sentence = read_as(ROUNDS, newer.as_bytes()).unwrap_err();
        assert_eq!(
            sentence,
            "DIR/rounds.jsonl was written by a newer lockbench (schema 7; this one reads up to 1): update lockbench"
        );
        assert!(read_as(RESULTS, b"{\"schema_version\":7}").unwrap_err().contains("newer lockbench"));
    }

    #[test]
    fn what_is_no_record_is_refused_with_a_sentence() {
        for (content, says) in [
            (&b""[..], "is empty"),
            (b"hello", "is not a lockbench record: expected value"),
            (b"{}", "states no schema_version"),
            (b"[1,2]", "is not a lockbench record"),
            (b"{\"schema_version\":1}", "missing field"),
            (b"{\"schema_version\":-1}", "is not a lockbench record"),
            (b"{\"line\":\"header\"}", "states no schema_version"),
            (b"\xff\xfe\x00", "is not a lockbench record"),
            (b"{\"schema_version\":1,\"run_id\":\"\x1b[2J", "is not a lockbench record"),
        ] {
            let sentence = read_as(RESULTS, content).unwrap_err();
            assert!(sentence.contains(says), "{sentence}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = "[".repeat(1_000_000);
        assert!(read_as(RESULTS, deep.as_bytes()).is_err());
        let closed = format!("{deep}{}", "]".repeat(1_000_000));
        let inside =
            HEADER.replace("\"machine\":{}", &format!("\"machine\":{{\"topology_detail\":{closed}}}"));
        let sentence = read_as(ROUNDS, format!("{inside}\n").as_bytes()).unwrap_err();
        assert!(sentence.contains("recursion limit"), "{sentence}");
    }

    #[test]
    fn paths_that_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let missing = read(&dir.path().join("nothing")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read "), "{missing}");
        assert!(read(dir.path()).unwrap_err().to_string().contains("no run directory"));
        #[cfg(unix)]
        assert!(read(Path::new("/dev/zero")).unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn results_come_back_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let results = read_as(ROUNDS, HEADER.as_bytes()).unwrap();
        write_results(dir.path(), &results).unwrap();
        assert_eq!(read(dir.path()).unwrap(), results);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing left aside");
        let nowhere = write_results(&dir.path().join("nowhere"), &results).unwrap_err().to_string();
        assert!(nowhere.starts_with("cannot write "), "{nowhere}");
    }
}
