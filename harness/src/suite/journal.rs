//! `rounds.jsonl`: every finished window, written at once.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use lockbench_reports::record::Line;

use super::cannot_write;
use crate::Error;
use crate::refusal::words;

/// A run's directory and its growing `rounds.jsonl`.
pub(crate) struct Journal {
    dir: PathBuf,
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Makes `out/run_id/` and the file in it.
    pub(crate) fn create(out: &Path, run_id: &str) -> Result<Self, Error> {
        let dir = out.join(run_id);
        fs::create_dir_all(&dir).map_err(|e| cannot_write(&dir, &e))?;
        let path = dir.join("rounds.jsonl");
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(|e| cannot_write(&path, &e))?;
        Ok(Self { dir, path, file })
    }

    /// The run's directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends one line. A line that did not fit is taken back, so that the file ends with a whole one.
    pub(crate) fn append(&mut self, line: &Line) -> Result<(), Error> {
        let mut text = serde_json::to_vec(line).map_err(|e| cannot_write(&self.path, &e.into()))?;
        text.push(b'\n');
        let before = self.file.metadata().map(|metadata| metadata.len());
        self.file.write_all(&text).map_err(|e| {
            if let Ok(before) = before {
                let _ = self.file.set_len(before);
            }
            Error::new(format!(
                "cannot write {}: {}; what was measured before is in it, and `lockbench report {}` reads it",
                self.path.display(),
                words(&e),
                self.dir.display()
            ))
        })
    }
}
