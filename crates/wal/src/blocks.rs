//! A source, taken block by block, or through a window of several blocks.

use std::io::{self, ErrorKind, Read};

use crate::BLOCK_SIZE;

/// How many bytes a window holds at most.
const WINDOW: usize = 8 * BLOCK_SIZE;

/// The block or the window that is being read, and where in the file and in the block that is.
pub(crate) struct Blocks<R> {
    source: R,
    /// Empty until something is read, then as long as a block or a window.
    buffer: Vec<u8>,
    /// How much of the buffer is the block: all of it, but in the last block of a file.
    filled: usize,
    /// How much of the block has been consumed.
    position: usize,
    /// The file offset of the block.
    offset: u64,
    /// The source has nothing after this block, or failed.
    ended: bool,
    /// What the source failed with, if what was read before it is still to be consumed.
    failure: Option<io::Error>,
}

impl<R> Blocks<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            filled: 0,
            position: 0,
            offset: 0,
            ended: false,
            failure: None,
        }
    }

    pub(crate) fn into_source(self) -> R {
        self.source
    }

    pub(crate) fn block(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// What has not been consumed of the block.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.block()[self.position..]
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Consumes the block up to `position`.
    pub(crate) fn consume_to(&mut self, position: usize) {
        self.position = position;
    }

    /// The file offset of what has not been consumed.
    pub(crate) fn offset(&self) -> u64 {
        self.offset_of(self.position)
    }

    /// The file offset of a position in the block.
    pub(crate) fn offset_of(&self, position: usize) -> u64 {
        self.offset + position as u64
    }

    /// The file offset after the block.
    pub(crate) fn end_offset(&self) -> u64 {
        self.offset_of(self.filled)
    }

    pub(crate) fn consume_all(&mut self) {
        self.position = self.filled;
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Whether the source ended because of an error that was not told.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Why the source ended, if that is an error. It is told once.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }
}

impl<R: Read> Blocks<R> {
    /// Begins `bytes` further on in the source. If it has no more than that, it has ended.
    pub(crate) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.source.by_ref().take(bytes), &mut io::sink())
            .inspect_err(|_| self.ended = true)?;
        self.offset += skipped;
        self.ended = skipped < bytes;
        Ok(())
    }

    /// Reads the next block, however many reads that takes: a source may give less than it is
    /// asked for anywhere, and only nothing at all means that it has ended.
    ///
    /// After an error the block is empty and the source has ended.
    pub(crate) fn next_block(&mut self) -> io::Result<()> {
        self.offset = self.end_offset();
        self.position = 0;
        self.filled = 0;
        self.fill(BLOCK_SIZE).inspect_err(|_| self.filled = 0)
    }

    /// Has at least `ahead` bytes to consume in the window, if the source has so many.
    ///
    /// An error of the source is [kept](Self::take_failure) until what came before it is consumed.
    pub(crate) fn have(&mut self, ahead: usize) {
        if self.ended || self.filled - self.position >= ahead {
            return;
        }
        self.offset = self.offset();
        self.buffer.copy_within(self.position..self.filled, 0);
        self.filled -= self.position;
        self.position = 0;
        self.failure = self.fill(WINDOW).err();
    }

    /// Reads until there are `length` bytes in the buffer, or the source ends or fails.
    fn fill(&mut self, length: usize) -> io::Result<()> {
        self.buffer.resize(length, 0);
        while self.filled < length {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}
