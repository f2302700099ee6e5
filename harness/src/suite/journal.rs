//! `rounds.jsonl`: every finished window, written at once.
//!
//! All other files of a run are derived from this one, so it must survive. It is forced onto the disk after the header, at the
//! end, and between two windows if the last time was [`EVERY`] ago: so a power cut costs at most that much. This is not done
//! after each window, because on a slow disk it would take longer than a short window; and never during a window, which
//! our write-back would disturb. Before each line the file is looked for at its path.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockbench_reports::derive::run_dir::ROUNDS;
use lockbench_reports::record::Line;

use super::cannot_write;
use crate::Error;
use crate::output::say;

/// Most time of a run that a power cut may cost. Without this the kernel would write data back after some 30 s.
const EVERY: Duration = Duration::from_secs(5);

/// A run's directory and its growing `rounds.jsonl`.
pub(crate) struct Journal {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    /// Bytes written so far.
    written: u64,
    /// When the file was last forced onto the disk.
    synced: Instant,
}

impl Journal {
    /// Makes `out/run_id/` and the file in it.
    pub(crate) fn create(out: &Path, run_id: &str) -> Result<Self, Error> {
        let dir = out.join(run_id);
        let path = dir.join(ROUNDS);
        let file = make(&dir, &path)?;
        Ok(Self { dir, path, file, written: 0, synced: Instant::now() })
    }

    /// The run's directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends one line. A line that did not fit is removed again, so that the file ends with a complete line.
    pub(crate) fn append(&mut self, line: &Line) -> Result<(), Error> {
        let mut text = serde_json::to_vec(line).map_err(|e| cannot_write(&self.path, e.into()))?;
        text.push(b'\n');
        self.find()?;
        self.file.write_all(&text).map_err(|e| {
            let _ = self.file.set_len(self.written);
            self.lost(e)
        })?;
        self.written += text.len() as u64;
        if !matches!(line, Line::Round(_)) || self.synced.elapsed() >= EVERY {
            sync(&self.file, File::sync_data).map_err(|e| self.lost(e))?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    fn lost(&self, source: io::Error) -> Error {
        let dir = self.dir.display();
        let advice = format!("; what was measured before is in it, and `lockbench report {dir}` reads it");
        Error::File { doing: "write", path: self.path.clone(), source, advice }
    }

    /// Makes sure that the file is at its path. A file that was removed or moved away is written there again: it is still
    /// open, so nothing is lost. A file with other content belongs to somebody else, and the run ends.
    fn find(&mut self) -> Result<(), Error> {
        let ours = self.file.metadata().map_err(|e| cannot_write(&self.path, e))?;
        let path = self.path.display();
        match fs::metadata(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let copy = make(&self.dir, &self.path)?;
                self.file = self.copied(copy).map_err(|e| cannot_write(&self.path, e))?;
                say(format!(
                    "{path} was removed or moved while the run went on; all that was measured so far was written there \
                     again"
                ));
                Ok(())
            }
            Err(e) => Err(cannot_write(&self.path, e)),
            Ok(there) if (there.dev(), there.ino()) != (ours.dev(), ours.ino()) => {
                // A copy, or the same file on a file system that gives it another inode number: either serves.
                if let Some(copy) = self.same_content() {
                    self.file = copy;
                    return Ok(());
                }
                let beside = self.dir.join("rounds-until-replaced.jsonl");
                let saved = make(&self.dir, &beside)
                    .and_then(|copy| self.copied(copy).map_err(|e| cannot_write(&beside, e)));
                let beside = beside.display();
                Err(Error::Journal(match saved {
                    Ok(_) => format!(
                        "{path} was replaced by another file while the run went on; all that was measured so far is in \
                         {beside}, and `lockbench report {beside}` reads it"
                    ),
                    Err(e) => format!("{path} was replaced by another file while the run went on, and {e}"),
                }))
            }
            Ok(there) if there.len() != self.written => Err(Error::Journal(format!(
                "{path} has {} bytes where this run wrote {}: somebody else writes to it",
                there.len(),
                self.written
            ))),
            Ok(_) => Ok(()),
        }
    }

    /// The file at the path, if it holds just what was written so far.
    fn same_content(&self) -> Option<File> {
        let there = OpenOptions::new().read(true).append(true).open(&self.path).ok()?;
        let read = |mut file: &File| {
            let mut content = Vec::new();
            file.seek(SeekFrom::Start(0)).ok()?;
            file.take(self.written + 1).read_to_end(&mut content).ok()?;
            Some(content)
        };
        (read(&there)? == read(&self.file)?).then_some(there)
    }

    /// A new file with all that was written so far.
    fn copied(&self, mut copy: File) -> io::Result<File> {
        let mut ours = &self.file;
        ours.seek(SeekFrom::Start(0))?;
        io::copy(&mut ours.take(self.written), &mut copy)?;
        sync(&copy, File::sync_data)?;
        Ok(copy)
    }
}

/// Makes a new file in a directory, and makes sure that both names outlast a power cut.
fn make(dir: &Path, path: &Path) -> Result<File, Error> {
    fs::create_dir_all(dir).map_err(|e| cannot_write(dir, e))?;
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create_new(true)
        .open(path)
        .map_err(|e| cannot_write(path, e))?;
    for dir in [Some(dir), dir.parent()].into_iter().flatten() {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        // A directory that can be written to but not read cannot be forced onto the disk; it is used all the same.
        if let Ok(open) = File::open(dir) {
            sync(&open, File::sync_all).map_err(|e| cannot_write(dir, e))?;
        }
    }
    Ok(file)
}

/// Forces a file or directory onto its disk; a file system without a disk refuses that, which is no error.
fn sync(file: &File, force: fn(&File) -> io::Result<()>) -> io::Result<()> {
    match force(file) {
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        forced => forced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end() -> Line {
        Line::End { interrupted: false, wall_seconds: 1.0, measuring_share: 0.5, stopped: None }
    }

    /// A journal with two lines in it.
    fn journal(out: &Path) -> Journal {
        let mut journal = Journal::create(out, "run").unwrap();
        journal.append(&end()).unwrap();
        journal.append(&end()).unwrap();
        journal
    }

    fn lines(path: &Path) -> usize {
        let text = fs::read_to_string(path).unwrap();
        text.lines().for_each(|line| _ = serde_json::from_str::<Line>(line).unwrap());
        text.lines().count()
    }

    #[test]
    fn rounds_that_were_removed_or_moved_are_written_again() {
        let out = tempfile::tempdir().unwrap();
        let mut journal = journal(out.path());
        let path = journal.path.clone();
        fs::remove_file(&path).unwrap();
        journal.append(&end()).unwrap();
        assert_eq!(lines(&path), 3);
        fs::rename(journal.dir(), out.path().join("elsewhere")).unwrap();
        journal.append(&end()).unwrap();
        journal.append(&end()).unwrap();
        assert_eq!(lines(&path), 5);
        assert_eq!(lines(&out.path().join("elsewhere").join(ROUNDS)), 3, "and stay where they are");
        fs::remove_dir_all(out.path().join("run")).unwrap();
        journal.append(&end()).unwrap();
        assert_eq!(lines(&path), 6);
    }

    #[test]
    fn rounds_that_were_replaced_are_saved_beside_and_end_the_run() {
        let out = tempfile::tempdir().unwrap();
        let mut journal = journal(out.path());
        let other = out.path().join("other");
        fs::write(&other, "somebody else's").unwrap();
        fs::rename(&other, &journal.path).unwrap();
        let said = journal.append(&end()).unwrap_err().to_string();
        assert!(said.contains("was replaced by another file"), "{said}");
        assert_eq!(fs::read_to_string(&journal.path).unwrap(), "somebody else's");
        assert_eq!(lines(&journal.dir().join("rounds-until-replaced.jsonl")), 2);
    }

    #[test]
    fn rounds_that_were_replaced_by_a_copy_go_on_in_it() {
        let out = tempfile::tempdir().unwrap();
        let mut journal = journal(out.path());
        let copy = out.path().join("copy");
        fs::copy(&journal.path, &copy).unwrap();
        fs::rename(&copy, &journal.path).unwrap();
        journal.append(&end()).unwrap();
        assert_eq!(lines(&journal.path), 3);
    }

    #[test]
    fn rounds_that_somebody_else_writes_to_end_the_run() {
        let out = tempfile::tempdir().unwrap();
        let mut journal = journal(out.path());
        fs::write(&journal.path, "").unwrap();
        let said = journal.append(&end()).unwrap_err().to_string();
        assert!(said.contains("somebody else writes to it"), "{said}");
    }
}
