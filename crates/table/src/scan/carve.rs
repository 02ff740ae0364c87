//! Blocks found by their checksums.

use std::io;
use std::ops::Range;

use strata_block::{BlockHandle, BlockSource};
use strata_checksum::{Sealed, SealedSearch};

use super::block::read_scanned;
use super::kind::{Kind, is_plausible};
use super::layout::{Layout, Role};
use super::peek::may_be_block;
use super::{Damage, KeyRange, ScannedBlock, or_damage};
use crate::{Fault, ReadAt, TableError};

/// The longest that a block may be to be found, in bytes as they are stored.
const LONGEST: u32 = 16 << 20;

/// How many blocks are found before any is given out.
const MOST_FOUND: usize = 1 << 20;

/// A block that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) handle: BlockHandle,
    pub(super) kind: Kind,
}

impl Found {
    pub(super) fn start(&self) -> u64 {
        self.handle.offset
    }

    pub(super) fn end(&self) -> u64 {
        self.handle.end()
    }
}

/// Looks for the blocks in a part of a file.
///
/// Of blocks that overlap it takes the one that begins first, and of those the longest: a table can
/// be stored as a value in another one, and a run of blocks leaves no room for accidents.
pub(super) struct Finder {
    search: SealedSearch<fn([u8; 4], u8) -> bool>,
    part: Range<u64>,
    /// What was given out ends here.
    floor: u64,
    /// How many bytes of candidates were looked at, and where the last of them ended.
    looked_at: u64,
    furthest: u64,
}

impl Finder {
    pub(super) fn new(part: Range<u64>) -> Self {
        let length = part.end.saturating_sub(part.start);
        Self {
            search: SealedSearch::new(length, LONGEST, is_plausible),
            floor: part.start,
            looked_at: 0,
            furthest: part.start,
            part,
        }
    }

    /// The next blocks, in the order of the file, whose stored length is `wanted`; none at the end.
    pub(super) fn find<R: ReadAt>(
        &mut self,
        source: &BlockSource<R>,
        wanted: impl Fn(u64) -> bool,
    ) -> io::Result<Vec<Found>> {
        let mut found: Vec<Found> = Vec::new();
        let part_start = self.part.start;
        let reader = source.reader();
        let mut read =
            |offset: u64, buffer: &mut [u8]| reader.read_exact_at(buffer, part_start + offset);
        while found.len() < MOST_FOUND
            && let Some(Sealed { start, end }) = self.search.next(&mut read)?
        {
            let handle = BlockHandle {
                offset: part_start + start,
                length: end - start,
            };
            if handle.offset < self.floor || !wanted(handle.length) {
                continue;
            }
            let within = found.partition_point(|found| found.start() < handle.offset);
            let overlapped = within.checked_sub(1).and_then(|before| found.get(before));
            if overlapped.is_some_and(|before| before.end() > handle.offset)
                || !may_be_block(source, handle)?
                || !self.may_look_at(handle)
            {
                continue;
            }
            let Ok(contents) = or_damage(source.read(handle))? else {
                continue;
            };
            // Only what has values has room for other blocks.
            let has_room = |kind: &Kind| kind.may_be_data() || within == found.len();
            if let Some(kind) = Kind::of(contents).filter(has_room) {
                found.truncate(within);
                found.push(Found { handle, kind });
            }
        }
        self.floor = found.last().map_or(self.floor, Found::end);
        Ok(found)
    }

    /// Whether a candidate may be looked at: so that all that are take time in proportion to the
    /// file, when they are many and overlap, only those that overlap none before.
    fn may_look_at(&mut self, handle: BlockHandle) -> bool {
        const TIMES: u64 = 8;
        const AT_LEAST: u64 = 64 << 20;
        let length = self.part.end - self.part.start;
        let most = length.saturating_mul(TIMES).max(AT_LEAST);
        if self.looked_at > most && handle.offset < self.furthest {
            return false;
        }
        self.looked_at = self.looked_at.saturating_add(handle.length);
        self.furthest = self.furthest.max(handle.end());
        true
    }
}

/// The blocks of a table without a usable index.
pub(super) struct Carved {
    finder: Finder,
    layout: Layout,
    /// Everything before this has been given out or reported.
    done: u64,
    file_bytes: u64,
    /// Where the footer begins, if there is one.
    footer: Option<u64>,
    begun: bool,
    finished: bool,
}

impl Carved {
    pub(super) fn new(file_bytes: u64, footer: Option<u64>) -> Self {
        Self {
            finder: Finder::new(0..file_bytes),
            layout: Layout::default(),
            done: 0,
            file_bytes,
            footer,
            begun: false,
            finished: false,
        }
    }

    /// Reports, the first time, why the index is not used.
    pub(super) fn begin(&mut self, because: &TableError, report: &mut dyn FnMut(Damage)) {
        if let TableError::Corrupt { offset, fault } = because
            && !self.begun
        {
            report(Damage {
                // A wrong handle is in the footer, wherever it points.
                offset: (*offset).min(self.end()),
                bytes: 0,
                fault: fault.clone(),
                keys: None,
            });
        }
        self.begun = true;
    }

    /// Where the footer begins, or else the file ends.
    fn end(&self) -> u64 {
        self.footer.unwrap_or(self.file_bytes)
    }

    pub(super) fn next<R: ReadAt>(
        &mut self,
        source: &BlockSource<R>,
        report: &mut dyn FnMut(Damage),
    ) -> io::Result<Option<ScannedBlock>> {
        while !self.finished {
            let Some((handle, role)) = self.layout.next() else {
                let found = self.finder.find(source, |_| true)?;
                match found.is_empty() {
                    true => self.finish(report),
                    false => self.layout = Layout::new(source, found, self.footer)?,
                }
                continue;
            };
            let block = match role {
                Role::Data | Role::Unknown => Some(or_damage(read_scanned(source, handle, None))?),
                Role::Other => None,
            };
            let last_key = match &block {
                Some(Ok(block)) => block.last_user_key(),
                _ => None,
            };
            let is_known = |key: &Vec<u8>| self.layout.knows(handle, key);
            let is_data = role == Role::Data || last_key.as_ref().is_some_and(is_known);
            let last_key = last_key.filter(|_| is_data);
            let (missing, keys) = self.layout.keys_around(handle, last_key.as_deref());
            report_gap(self.done..handle.offset, missing, report);
            self.done = handle.end();
            match block {
                Some(Ok(mut block)) if is_data => {
                    block.keys = keys;
                    return Ok(Some(block));
                }
                Some(Ok(_)) => report(Damage::of(handle, Fault::MaybeIndex, None)),
                // The source has changed since it was found.
                Some(Err(fault)) => report(Damage::of(handle, fault, keys)),
                None => {}
            }
        }
        Ok(None)
    }

    fn finish(&mut self, report: &mut dyn FnMut(Damage)) {
        self.finished = true;
        let missing = self.layout.missing_at_the_end();
        report_gap(self.done..self.end(), missing, report);
    }
}

/// Reports bytes that are in no block, if there are any, and the keys that are missing there.
pub(super) fn report_gap(gap: Range<u64>, keys: Option<KeyRange>, report: &mut dyn FnMut(Damage)) {
    let bytes = gap.end.saturating_sub(gap.start);
    if bytes > 0 || keys.is_some() {
        report(Damage {
            offset: gap.start,
            bytes,
            fault: Fault::NoBlock,
            keys,
        });
    }
}
