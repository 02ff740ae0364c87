//! Blocks where the index says they are, or near.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

use strata_block::{Block, BlockHandle, BlockSource};

use super::block::read_scanned;
use super::carve::{Finder, Found, report_gap};
use super::index::Index;
use super::{Damage, KeyRange, ScannedBlock, or_damage};
use crate::{ReadAt, TableError};

/// So many damaged blocks in a row are looked for together.
const MOST_DAMAGED: usize = 1 << 12;

/// The blocks of a table with a usable index.
pub(super) struct Indexed {
    index: Index,
    next: usize,
    /// The blocks before `next` that are damaged, back to one that is not.
    damaged: Vec<Damage>,
    /// Where that one ends.
    damaged_from: u64,
    /// The steps to take before the block at `next`.
    queue: VecDeque<Step>,
    /// Whether a block is damaged, and what lies between the last one and the index not yet searched:
    /// filter and metaindex, or what they were overwritten with.
    has_tail: bool,
    /// Where the index begins.
    end: u64,
}

enum Step {
    Damage(Damage),
    Found(BlockHandle),
    Read(ScannedBlock),
}

impl Indexed {
    /// Of an index that begins at `end`.
    pub(super) fn new(index: Block, end: u64) -> Result<Self, TableError> {
        Ok(Self {
            index: Index::new(index)?,
            next: 0,
            damaged: Vec::new(),
            damaged_from: 0,
            queue: VecDeque::new(),
            has_tail: false,
            end,
        })
    }

    /// Skips the blocks for whose user key in the index `is_before` holds.
    pub(super) fn skip_while(&mut self, is_before: impl FnMut(&[u8]) -> bool) {
        self.next = self.index.take_while(is_before);
        if let Some(last) = self.next.checked_sub(1)
            && let Some(handle) = self.index.handles().get(last)
        {
            self.damaged_from = handle.end();
        }
    }

    pub(super) fn next<R: ReadAt>(
        &mut self,
        source: &BlockSource<R>,
        report: &mut dyn FnMut(Damage),
    ) -> io::Result<Option<ScannedBlock>> {
        loop {
            match self.queue.pop_front() {
                Some(Step::Damage(damage)) => report(damage),
                Some(Step::Read(block)) => return Ok(Some(block)),
                Some(Step::Found(handle)) => match or_damage(read_scanned(source, handle, None))? {
                    Ok(block) => return Ok(Some(block)),
                    Err(fault) => report(Damage::of(handle, fault, None)),
                },
                None => {
                    if let Some(block) = self.read_next(source)? {
                        return Ok(Some(block));
                    }
                    let is_done =
                        self.queue.is_empty() && self.damaged.is_empty() && !self.has_tail;
                    if is_done && self.next == self.index.handles().len() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads the next block that the index has: gives it, or queues what comes of it.
    fn read_next<R: ReadAt>(
        &mut self,
        source: &BlockSource<R>,
    ) -> io::Result<Option<ScannedBlock>> {
        let Some(&handle) = self.index.handles().get(self.next) else {
            // A block can have been moved to where it reaches into what follows the last.
            self.has_tail &= self.damaged.is_empty();
            self.look_for_damaged(source, self.end)?;
            self.look_in_tail(source)?;
            return Ok(None);
        };
        self.next += 1;
        let keys = self.index.take_until(self.next);
        match or_damage(read_scanned(source, handle, keys.clone()))? {
            Ok(block) if self.damaged.is_empty() => {
                self.damaged_from = handle.end();
                return Ok(Some(block));
            }
            Ok(block) => {
                self.look_for_damaged(source, handle.offset)?;
                self.damaged_from = handle.end();
                self.queue.push_back(Step::Read(block));
            }
            Err(fault) => {
                self.has_tail = true;
                self.damaged.push(Damage::of(handle, fault, keys));
                if self.damaged.len() == MOST_DAMAGED {
                    self.look_for_damaged(source, handle.end())?;
                    self.damaged_from = handle.end();
                }
            }
        }
        Ok(None)
    }

    fn damaged_end(&self) -> u64 {
        self.damaged
            .last()
            .map_or(0, |last| last.offset + last.bytes)
    }

    /// Looks for blocks as long as the index has them up to `end`, where those are that are damaged:
    /// something may have moved them, from another such place, too. Queues what is found, and what
    /// is not.
    fn look_for_damaged<R: ReadAt>(&mut self, source: &BlockSource<R>, end: u64) -> io::Result<()> {
        if self.damaged.is_empty() {
            return Ok(());
        }
        let damaged_end = self.damaged_end();
        let damaged = std::mem::take(&mut self.damaged);
        let mut at = self.damaged_from;
        let found = self.find(source, at..end)?;
        if found.is_empty() {
            self.queue.extend(damaged.into_iter().map(Step::Damage));
            return Ok(());
        }
        // Between blocks that touch each other nothing is missing if there are as many as there were.
        let is_one_missing = found.len() < damaged.len();
        let note_gap = |gap: Range<u64>, queue: &mut VecDeque<Step>| {
            let keys = keys_in(&damaged, gap.start, gap.end);
            if is_one_missing || !gap.is_empty() {
                report_gap(gap, keys, &mut |it| queue.push_back(Step::Damage(it)));
            }
        };
        for found in found {
            note_gap(at..found.start(), &mut self.queue);
            self.queue.push_back(Step::Found(found.handle));
            at = found.end();
        }
        note_gap(at..damaged_end.max(at), &mut self.queue);
        Ok(())
    }

    /// Looks for blocks that were moved to where no block was.
    fn look_in_tail<R: ReadAt>(&mut self, source: &BlockSource<R>) -> io::Result<()> {
        if std::mem::take(&mut self.has_tail) {
            let data_end = self.index.handles().last().map_or(0, |last| last.end());
            let found = self.find(source, data_end..self.end)?;
            let found = found.into_iter().map(|found| Step::Found(found.handle));
            self.queue.extend(found);
        }
        Ok(())
    }

    fn find<R: ReadAt>(
        &self,
        source: &BlockSource<R>,
        range: Range<u64>,
    ) -> io::Result<Vec<Found>> {
        let mut found = Finder::new(range).find(source, |length| self.index.has_length(length))?;
        found.retain(|found| found.kind.may_be_data());
        Ok(found)
    }
}

/// Between which keys those of the damaged blocks are that overlap a part of the file.
fn keys_in(damaged: &[Damage], start: u64, end: u64) -> Option<KeyRange> {
    let overlaps = |it: &&Damage| it.offset < end && start < it.offset + it.bytes;
    let first = damaged.iter().find(overlaps)?.keys.as_ref()?;
    let last = damaged.iter().rfind(overlaps)?.keys.as_ref()?;
    Some(KeyRange {
        after: first.after.clone(),
        upto: last.upto.clone(),
    })
}
