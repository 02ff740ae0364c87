//! Blocks where the index says they are, or near.

use std::collections::VecDeque;
use std::io;

use super::block::read_scanned;
use super::carve::{Finder, report_gap};
use super::index::Index;
use super::{Damage, KeyRange, ScannedBlock, or_damage};
use crate::ReadAt;
use crate::TableError;
use crate::block_reader::Block;
use crate::format::BlockHandle;
use crate::source::Source;

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
    /// What comes before the block at `next`.
    queue: VecDeque<Step>,
}

enum Step {
    Damage(Damage),
    Found(BlockHandle),
    Read(ScannedBlock),
}

impl Indexed {
    pub(super) fn new(index: Block) -> Result<Self, TableError> {
        Ok(Self {
            index: Index::new(index)?,
            next: 0,
            damaged: Vec::new(),
            damaged_from: 0,
            queue: VecDeque::new(),
        })
    }

    pub(super) fn next<R: ReadAt>(
        &mut self,
        source: &Source<R>,
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
                    let is_done = self.queue.is_empty() && self.damaged.is_empty();
                    if is_done && self.next == self.index.handles().len() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads the next block that the index has: gives it, or queues what comes of it.
    fn read_next<R: ReadAt>(&mut self, source: &Source<R>) -> io::Result<Option<ScannedBlock>> {
        let Some(&handle) = self.index.handles().get(self.next) else {
            self.look_for_damaged(source, self.damaged_end())?;
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

    /// Looks for blocks as long as those that are damaged, which something may have moved, up to
    /// `end`; queues what is found, and what is not.
    fn look_for_damaged<R: ReadAt>(&mut self, source: &Source<R>, end: u64) -> io::Result<()> {
        if self.damaged.is_empty() {
            return Ok(());
        }
        let damaged = std::mem::take(&mut self.damaged);
        let trailer = crate::format::TRAILER_LENGTH as u64;
        let mut lengths: Vec<u64> = damaged.iter().map(|it| it.bytes - trailer).collect();
        lengths.sort_unstable();
        let mut at = self.damaged_from;
        let found =
            Finder::new(at..end).find(source, |length| lengths.binary_search(&length).is_ok())?;
        let queue = &mut self.queue;
        if !found.iter().any(|found| found.kind.may_be_data()) {
            queue.extend(damaged.into_iter().map(Step::Damage));
            return Ok(());
        }
        for found in found.iter().filter(|found| found.kind.may_be_data()) {
            let keys = keys_in(&damaged, at, found.start());
            report_gap(at..found.start(), keys, &mut |it| {
                queue.push_back(Step::Damage(it))
            });
            queue.push_back(Step::Found(found.handle));
            at = found.end();
        }
        let keys = keys_in(&damaged, at, end);
        report_gap(at..end, keys, &mut |it| queue.push_back(Step::Damage(it)));
        Ok(())
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
