//! The entries of a table, whatever is damaged.

use std::fs::File;
use std::io;

use strata_dbformat::{Comparator, split_internal_key};
use strata_table::{self as table, Damage, Scan, ScannedBlock};

use crate::manifest_state::{is_out_of_files, open_file};
use crate::merge::Source;
use crate::order::Order;
use crate::read::{KeySelection, Progress};
use crate::report::Sink;
use crate::{DatabaseError, Entry, Loss, LossReason, Origin, ReadOptions, Report, StoredFile};

/// No block may be longer than this, decompressed, in bytes; or than so many times its file.
const LONGEST_BLOCK: u64 = 64 << 20;
const EXPANSION: u64 = 64;

/// After so many blocks in a row that the system can't read, the rest of a file is given up.
const MOST_UNREADABLE: u32 = 64;

/// The entries of a table, as they lie in it.
pub(crate) struct TableSource {
    file: u32,
    stored: StoredFile,
    state: State,
    block: Option<ScannedBlock>,
    /// Which keys are wanted, if the table is trusted to be sorted: then what lies outside is not
    /// read.
    wanted: Option<(KeySelection, Order)>,
    options: table::ReadOptions,
    progress: Option<Progress>,
    /// Where the last block ends that was read.
    read_to: u64,
    unreadable: u32,
}

enum State {
    Unopened,
    Open(Box<Scan<File>>),
    Done,
}

impl TableSource {
    /// Reads all of a table.
    pub(crate) fn new(file: u32, stored: &StoredFile, read: &ReadOptions) -> Self {
        Self {
            file,
            stored: stored.clone(),
            state: State::Unopened,
            block: None,
            wanted: None,
            options: read_options(stored, read),
            progress: read.progress.clone(),
            read_to: 0,
            unreadable: 0,
        }
    }

    /// Reads a table that is sorted in this order, as far as it has keys that are wanted.
    pub(crate) fn sorted(file: u32, stored: &StoredFile, read: &ReadOptions, order: Order) -> Self {
        Self {
            wanted: Some((read.keys.clone(), order)),
            ..Self::new(file, stored, read)
        }
    }

    fn open(&self) -> io::Result<Scan<File>> {
        let mut scan = Scan::with_options(open_file(&self.stored.path)?, &self.options)?;
        if let Some((keys, order)) = &self.wanted
            && let Some(from) = keys.first(*order)
        {
            scan.skip_while(|upto| order.compare(upto, from).is_lt());
        }
        Ok(scan)
    }

    /// Reads the next block; `false` after the last.
    fn next_block(&mut self, report: &mut Sink<'_>) -> io::Result<bool> {
        let scan = match &mut self.state {
            State::Done => return Ok(false),
            State::Open(scan) => scan,
            State::Unopened => {
                self.state = State::Done;
                self.state = State::Open(Box::new(self.open()?));
                return Ok(true);
            }
        };
        let name = &self.stored.name;
        self.block = scan.next_block(&mut |damage| report(lost(name, damage)))?;
        self.unreadable = 0;
        let Some(block) = &self.block else {
            self.state = State::Done;
            return Ok(false);
        };
        let end = block.offset() + block.stored_bytes();
        if let Some(progress) = &self.progress {
            progress.read(name, end.saturating_sub(self.read_to));
        }
        self.read_to = end;
        Ok(true)
    }

    /// Whether the entry, and so every later one, is behind what is wanted.
    fn is_behind(&self) -> bool {
        let (Some((keys, order)), Some(entry)) = (&self.wanted, self.entry()) else {
            return false;
        };
        keys.ends_before(entry.user_key, *order)
    }

    fn give_up(&mut self, error: &io::Error, report: &mut Sink<'_>) {
        self.unreadable += 1;
        let is_given_up = self.unreadable == MOST_UNREADABLE || matches!(self.state, State::Done);
        if is_given_up {
            self.state = State::Done;
        }
        report(Report::Lost(Loss {
            file: self.stored.name.clone(),
            offset: self.read_to,
            bytes: match is_given_up {
                true => self.stored.bytes.saturating_sub(self.read_to),
                // How long the block is that could not be read, the table does not say.
                false => 0,
            },
            reason: LossReason::Unreadable(error.to_string()),
            keys: None,
        }));
    }
}

/// How the tables of a database are read. Blocks are bounded, for a small file that was made for it
/// could take gigabytes.
fn read_options(stored: &StoredFile, read: &ReadOptions) -> table::ReadOptions {
    let mut options = table::ReadOptions::default();
    let table::ReadOptions {
        longest_block,
        verify_checksums,
        ..
    } = &mut options;
    *longest_block = LONGEST_BLOCK.max(stored.bytes.saturating_mul(EXPANSION));
    *verify_checksums = !read.ignore_checksums;
    options
}

fn lost(file: &str, damage: Damage) -> Report {
    Report::Lost(Loss {
        file: file.to_owned(),
        offset: damage.offset,
        bytes: damage.bytes,
        reason: LossReason::Table(damage.fault),
        keys: damage.keys,
    })
}

impl Source for TableSource {
    fn entry(&self) -> Option<Entry<'_>> {
        let block = self.block.as_ref()?;
        let entry = block.entry()?;
        // A scan's entries have internal keys.
        let (user_key, tag) = split_internal_key(entry.internal_key).ok()?;
        Some(Entry {
            user_key,
            tag,
            value: entry.value,
            origin: Origin {
                file: self.file,
                offset: block.offset(),
            },
        })
    }

    fn advance(&mut self, report: &mut Sink<'_>) -> Result<(), DatabaseError> {
        while !self.block.as_mut().is_some_and(ScannedBlock::advance) {
            self.block = None;
            match self.next_block(report) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) if is_out_of_files(&error) => {
                    return Err(DatabaseError::Io {
                        action: "open",
                        path: self.stored.path.clone(),
                        source: error,
                    });
                }
                Err(error) => self.give_up(&error, report),
            }
        }
        if self.is_behind() {
            self.block = None;
            self.state = State::Done;
        }
        Ok(())
    }
}
