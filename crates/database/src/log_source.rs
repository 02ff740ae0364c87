//! The entries of a log.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use strata_dbformat::Tag;
use strata_write_buffer::{LogBatch, LogBatches, LogReport};

use crate::manifest_state::{is_out_of_files, open_file};
use crate::merge::Source;
use crate::read::{Progress, ReadOptions};
use crate::report::Sink;
use crate::{Content, DatabaseError, Entry, Loss, LossReason, Origin, Report, StoredFile};

/// The entries of a log, as they lie in it.
pub(crate) struct LogSource {
    file: u32,
    stored: StoredFile,
    state: State,
    /// The keys and values of the batch that the source is in.
    bytes: Vec<u8>,
    /// Its entries, where in `bytes` they are, the last one first.
    entries: Vec<(Tag, Range<usize>, Range<usize>)>,
    /// The file offset of its record.
    offset: u64,
    read: ReadOptions,
}

enum State {
    Unopened,
    Open(Box<LogBatches<Reading>>),
    Done,
}

impl LogSource {
    pub(crate) fn new(file: u32, stored: &StoredFile, read: &ReadOptions) -> Self {
        Self {
            file,
            stored: stored.clone(),
            state: State::Unopened,
            bytes: Vec::new(),
            entries: Vec::new(),
            offset: 0,
            read: read.clone(),
        }
    }

    fn open(&self) -> io::Result<LogBatches<Reading>> {
        let source = Reading {
            file: open_file(&self.stored.path)?,
            name: self.stored.name.clone(),
            progress: self.read.progress.clone(),
        };
        Ok(LogBatches::new(self.stored.name.as_str(), source)
            .salvage(self.read.salvage)
            .verify_checksums(!self.read.ignore_checksums))
    }

    /// Whether a file without a record is a log all the same: an empty one, or one of zeros, as a
    /// crash leaves it.
    fn looks_like_log(&self) -> bool {
        matches!(
            self.stored.content,
            Content::Log | Content::Empty | Content::Zeros
        )
    }

    /// Takes the entries of the next batch; `false` at the end of the log.
    fn next_batch(&mut self, report: &mut Sink<'_>) -> io::Result<bool> {
        let batches = match &mut self.state {
            State::Done => return Ok(false),
            State::Open(batches) => batches,
            State::Unopened => {
                self.state = State::Open(Box::new(self.open()?));
                return Ok(true);
            }
        };
        let mut heard = |event: LogReport| report(event.into());
        let Some(LogBatch { batch, offset, .. }) = batches.next_batch(&mut heard)? else {
            if batches.records() == 0 && !self.looks_like_log() {
                report(Report::Lost(Loss {
                    file: self.stored.name.clone(),
                    offset: 0,
                    bytes: self.stored.bytes,
                    reason: LossReason::Foreign {
                        expected: "a log",
                        found: self.stored.content.to_string(),
                    },
                    keys: None,
                }));
            }
            self.state = State::Done;
            return Ok(false);
        };
        self.offset = offset;
        self.bytes.clear();
        let Ok(mut sequence) = batch.sequence() else {
            return Ok(true);
        };
        for operation in batch.operations().map_while(Result::ok) {
            let tag = Tag::new(sequence, operation.value_type());
            let key = append(&mut self.bytes, operation.user_key());
            let value = append(&mut self.bytes, operation.value());
            self.entries.push((tag, key, value));
            match sequence.checked_add(1) {
                Ok(next) => sequence = next,
                Err(_) => break,
            }
        }
        self.entries.reverse();
        Ok(true)
    }
}

fn append(bytes: &mut Vec<u8>, part: &[u8]) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(part);
    start..bytes.len()
}

impl Source for LogSource {
    fn entry(&self) -> Option<Entry<'_>> {
        let (tag, key, value) = self.entries.last()?;
        Some(Entry {
            user_key: self.bytes.get(key.clone())?,
            tag: *tag,
            value: self.bytes.get(value.clone())?,
            origin: Origin {
                file: self.file,
                offset: self.offset,
            },
        })
    }

    fn advance(&mut self, report: &mut Sink<'_>) -> Result<(), DatabaseError> {
        self.entries.pop();
        while self.entries.is_empty() {
            match self.next_batch(report) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if is_out_of_files(&error) => {
                    return Err(DatabaseError::Io {
                        action: "open",
                        path: self.stored.path.clone(),
                        source: error,
                    });
                }
                Err(error) => {
                    self.state = State::Done;
                    report(Report::Lost(Loss {
                        file: self.stored.name.clone(),
                        offset: self.offset,
                        bytes: self.stored.bytes.saturating_sub(self.offset),
                        reason: LossReason::Unreadable(error.to_string()),
                        keys: None,
                    }));
                }
            }
        }
        Ok(())
    }
}

/// A file that tells how much of it has been read.
struct Reading {
    file: File,
    name: String,
    progress: Option<Progress>,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        if let Some(progress) = &self.progress {
            progress.read(&self.name, bytes as u64);
        }
        Ok(bytes)
    }
}
