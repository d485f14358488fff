//! One spool file: the answers of one page that is not committed yet. Written as they arrive, emptied by the commit.
//!
//! Nothing here may fail a run: the spool saves requests, never data. What cannot be written is given up with a warning.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::frame::{self, Begin, Frame};

/// What was found in a file after a kill.
pub(crate) struct LeftPage {
    pub(crate) begin: Begin,
    /// Bytes of whole frames: a torn tail is cut off before more is written.
    pub(crate) whole: u64,
}

/// One file, open for as long as the run lasts.
pub(crate) struct Slot {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
    bytes_max: u64,
}

impl Slot {
    pub(crate) fn new(path: PathBuf, bytes_max: u64) -> Self {
        Self { path, file: None, bytes: 0, bytes_max }
    }

    /// What a killed run left: the last page that was begun in it.
    pub(crate) fn find(&self) -> Option<LeftPage> {
        let file = File::open(&self.path).ok()?;
        let mut begin = None;
        let whole = frame::read_all(BufReader::new(file), self.bytes_max, |frame| {
            if let Frame::Begin(found) = frame {
                begin = Some(found);
            }
        });
        begin.map(|begin| LeftPage { begin, whole })
    }

    /// The answers in it, in the order in which they came.
    pub(crate) fn answers(&self) -> Vec<([u8; 16], Vec<u8>)> {
        let Ok(file) = File::open(&self.path) else { return Vec::new() };
        let mut answers = Vec::new();
        frame::read_all(BufReader::new(file), self.bytes_max, |frame| {
            if let Frame::Answer { key, packed } = frame {
                answers.push((key, packed));
            }
        });
        answers
    }

    /// Begins a page. `keep` holds on to that many bytes of answers found earlier; none empties the file.
    pub(crate) fn begin(&mut self, begin: &Begin, keep: Option<u64>) {
        if let Err(error) = self.open_at(keep.unwrap_or(0)) {
            self.give_up(&error);
            return;
        }
        self.write(&frame::begin(begin));
    }

    /// Remembers an answer. Beyond the cap it is let go: a kill then costs that request again.
    pub(crate) fn append(&mut self, key: &[u8; 16], packed: &[u8]) {
        if self.file.is_some() && self.bytes.saturating_add(packed.len() as u64) <= self.bytes_max {
            self.write(&frame::answer(key, packed));
        }
    }

    /// The page is committed: what it read is of no more use here.
    pub(crate) fn clear(&mut self) {
        let there = self.file.is_some() || self.path.exists();
        if let Some(Err(error)) = there.then(|| self.open_at(0)) {
            // A file that can neither be emptied nor removed would be taken for a killed page.
            tracing::warn!(%error, "Failed to empty a resume spool file");
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// The run is over.
    pub(crate) fn remove(&mut self) {
        self.file = None;
        self.bytes = 0;
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "Failed to remove a resume spool file");
            }
            _ => {}
        }
    }

    fn open_at(&mut self, keep: u64) -> std::io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => private(OpenOptions::new().write(true).create(true).truncate(false)).open(&self.path)?,
        };
        file.set_len(keep)?;
        file.seek(SeekFrom::Start(keep))?;
        self.bytes = keep;
        self.file = Some(file);
        Ok(())
    }

    fn write(&mut self, frame: &[u8]) {
        let Some(file) = self.file.as_mut() else { return };
        match file.write_all(frame) {
            Ok(()) => self.bytes += frame.len() as u64,
            Err(error) => self.give_up(&error),
        }
    }

    fn give_up(&mut self, error: &std::io::Error) {
        tracing::warn!(%error, "Failed to write the resume spool: after a kill, the page in progress would be fetched again");
        self.file = None;
    }
}

/// What vendors answered is personal data: no other user of the machine may read it.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
