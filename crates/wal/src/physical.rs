//! Fragments, one after the other, by LevelDB's rules for bytes that are none.

use std::io::{self, Read};
use std::ops::Range;

use crate::blocks::Blocks;
use crate::format::Header;
use crate::reporter::{Reporter, Sink};
use crate::salvage::Search;
use crate::{BLOCK_SIZE, Dropped, HEADER_SIZE, Reason, Report};

/// The last offset in a block at which LevelDB still looks for a record in that block. A header
/// would not fit there, but that is where it draws the line.
const LAST_SEARCHED: u64 = BLOCK_SIZE as u64 - 6;

/// What comes next in the log.
#[derive(Debug)]
pub(crate) enum Physical {
    Fragment(Fragment),
    /// Something that is no fragment, or none to be returned. A record does not go on across it.
    Bad {
        /// Where it begins.
        offset: u64,
    },
    /// The end of the file.
    End(Tail),
}

/// A fragment whose length fits its block and, if checksums are verified, whose checksum holds.
#[derive(Debug)]
pub(crate) struct Fragment {
    /// Its type, which may be none that is known.
    pub(crate) kind: u8,
    /// The file offset of its header.
    pub(crate) offset: u64,
    /// The file offset after it.
    pub(crate) end: u64,
    /// Where its payload is in the block.
    pub(crate) payload: Range<usize>,
    /// Whether it was reached by a search since the last block began as blocks do.
    pub(crate) searched: bool,
}

/// How a file ends.
#[derive(Debug)]
pub(crate) enum Tail {
    /// With a whole fragment, or the trailer of a block.
    Clean,
    /// With zeros, too few for a header, that begin at this offset.
    Zeros(u64),
    /// With part of a fragment that begins at this offset.
    Torn(u64),
}

/// The fragments of a source.
pub(crate) struct Fragments<R> {
    pub(crate) blocks: Blocks<R>,
    pub(crate) reporter: Reporter,
    pub(crate) verify_checksums: bool,
    /// How salvage goes, if it is asked for.
    pub(crate) salvage: Option<Box<Search>>,
    started: bool,
}

impl<R> Fragments<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            blocks: Blocks::new(source),
            reporter: Reporter::default(),
            verify_checksums: true,
            salvage: None,
            started: false,
        }
    }

    /// What the bytes behind a whole header are.
    fn take(&mut self, header: Header, sink: &mut Sink<'_>) -> Physical {
        let rest = self.blocks.rest();
        let Some(payload) = rest.get(HEADER_SIZE..header.extent()) else {
            return self.take_bad(Reason::BadRecordLength, sink);
        };
        if header.kind == 0 && header.length == 0 {
            if rest.iter().any(|&byte| byte != 0) {
                return self.take_bad(Reason::DataBehindZeroHeader, sink);
            }
            let (offset, end) = (self.blocks.offset(), self.blocks.end_offset());
            self.reporter.zeros(offset..end, sink);
            self.consume_block();
            return Physical::Bad { offset };
        }
        if self.verify_checksums && !header.proves(payload) {
            return self.take_bad(Reason::ChecksumMismatch, sink);
        }
        self.take_fragment(header, sink)
    }

    /// The fragment at the position.
    pub(crate) fn take_fragment(&mut self, header: Header, sink: &mut Sink<'_>) -> Physical {
        let offset = self.blocks.offset();
        let start = self.blocks.position();
        let end = start + header.extent();
        self.blocks.consume_to(end);
        if offset < self.reporter.initial_offset() {
            return Physical::Bad { offset };
        }
        self.reporter.settle(sink);
        Physical::Fragment(Fragment {
            kind: header.kind,
            offset,
            end: self.blocks.offset(),
            payload: start + HEADER_SIZE..end,
            searched: self.salvage.as_ref().is_some_and(|search| search.searched),
        })
    }

    /// Gives up the rest of a block after a bad fragment.
    fn take_bad(&mut self, reason: Reason, sink: &mut Sink<'_>) -> Physical {
        let offset = self.blocks.offset();
        self.consume_block();
        // In the last block a length that reaches too far is one whose payload was not written to
        // the end; in any other it is wrong.
        if reason == Reason::BadRecordLength && self.blocks.ended() {
            return Physical::End(Tail::Torn(offset));
        }
        self.drop_from(offset, reason, sink)
    }

    /// Drops what has been consumed since `offset`.
    pub(crate) fn drop_from(
        &mut self,
        offset: u64,
        reason: Reason,
        sink: &mut Sink<'_>,
    ) -> Physical {
        let end = self.blocks.offset();
        let dropped = Dropped {
            offset,
            end,
            bytes: end - offset,
            reason,
        };
        self.reporter.dropped(dropped, sink);
        Physical::Bad { offset }
    }

    pub(crate) fn consume_block(&mut self) {
        self.blocks.consume_to(self.blocks.block().len());
    }

    /// What the bytes after the last whole header are.
    fn tail(&self) -> Tail {
        let (rest, offset) = (self.blocks.rest(), self.blocks.offset());
        if rest.is_empty() || self.blocks.position() > BLOCK_SIZE - HEADER_SIZE {
            Tail::Clean
        } else if rest.iter().all(|&byte| byte == 0) {
            Tail::Zeros(offset)
        } else {
            Tail::Torn(offset)
        }
    }
}

impl<R: Read> Fragments<R> {
    /// The next fragment, or what is there instead. After an end or an error there is no next.
    pub(crate) fn next(&mut self, sink: &mut Sink<'_>) -> io::Result<Physical> {
        if !self.started {
            self.started = true;
            self.skip_to_initial_block()?;
        }
        if self.salvage.is_some() {
            return self.next_salvaged(sink);
        }
        loop {
            if let Some(header) = Header::parse(self.blocks.rest()) {
                return Ok(self.take(header, sink));
            }
            if self.blocks.ended() {
                return Ok(Physical::End(self.tail()));
            }
            // What is left of the block is its trailer.
            self.blocks
                .next_block()
                .inspect_err(|error| self.report_read_error(error, sink))?;
        }
    }

    /// Skips the blocks that lie wholly before the initial offset.
    fn skip_to_initial_block(&mut self) -> io::Result<()> {
        let initial_offset = self.reporter.initial_offset();
        let in_block = initial_offset % BLOCK_SIZE as u64;
        let mut start = initial_offset - in_block;
        if in_block > LAST_SEARCHED {
            start = start.saturating_add(BLOCK_SIZE as u64);
        }
        self.blocks.skip(start)
    }

    /// LevelDB counts a whole block for a read error, for want of knowing better.
    pub(crate) fn report_read_error(&mut self, error: &io::Error, sink: &mut Sink<'_>) {
        let offset = self.blocks.offset();
        self.reporter.settle(sink);
        sink(Report::Dropped(Dropped {
            offset,
            end: offset.saturating_add(BLOCK_SIZE as u64),
            bytes: BLOCK_SIZE as u64,
            reason: Reason::ReadError(error.kind()),
        }));
    }
}
