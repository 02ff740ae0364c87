//! Fragments, one after the other, by LevelDB's rules for bytes that are none.

use std::io::{self, Read};
use std::ops::Range;

use crate::blocks::Blocks;
use crate::format::Header;
use crate::reporter::{Reporter, Sink};
use crate::salvage::{Next, after_bad_fragment};
use crate::{BLOCK_SIZE, Dropped, HEADER_SIZE, Mended, Reason, Report};

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
    pub(crate) salvage: bool,
    started: bool,
}

impl<R> Fragments<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            blocks: Blocks::new(source),
            reporter: Reporter::default(),
            verify_checksums: true,
            salvage: false,
            started: false,
        }
    }

    /// What the bytes behind a whole header are.
    fn take(&mut self, header: Header, sink: &mut Sink<'_>) -> Physical {
        let rest = self.blocks.rest();
        let Some(payload) = rest.get(HEADER_SIZE..header.extent()) else {
            return self.take_bad(header, Reason::BadRecordLength, sink);
        };
        if header.kind == 0 && header.length == 0 {
            if rest.iter().any(|&byte| byte != 0) {
                return self.take_bad(header, Reason::DataBehindZeroHeader, sink);
            }
            let (offset, end) = (self.blocks.offset(), self.blocks.end_offset());
            self.reporter.zeros(offset..end, sink);
            self.consume_block();
            return Physical::Bad { offset };
        }
        if self.verify_checksums && !header.proves(payload) {
            return self.take_bad(header, Reason::ChecksumMismatch, sink);
        }
        self.take_fragment(header, sink)
    }

    fn take_fragment(&mut self, header: Header, sink: &mut Sink<'_>) -> Physical {
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
        })
    }

    /// Goes on after a bad fragment: with the next block, or where salvage finds a record.
    fn take_bad(&mut self, mut header: Header, reason: Reason, sink: &mut Sink<'_>) -> Physical {
        let (offset, position) = (self.blocks.offset(), self.blocks.position());
        let next = if self.salvage {
            after_bad_fragment(self.blocks.block(), position, header)
        } else {
            Next::Nothing
        };
        match next {
            Next::Mended(length) => {
                let mended = Mended {
                    offset,
                    stored_length: header.length,
                    length,
                };
                self.reporter.report(offset, Report::Mended(mended), sink);
                header.length = length;
                return self.take_fragment(header, sink);
            }
            Next::At(position) => self.blocks.consume_to(position),
            // In the last block a length that reaches too far is one whose payload was not
            // written to the end; in any other it is wrong.
            Next::Nothing if reason == Reason::BadRecordLength && self.blocks.ended() => {
                self.consume_block();
                return Physical::End(Tail::Torn(offset));
            }
            Next::Nothing => self.consume_block(),
        }
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

    fn consume_block(&mut self) {
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
    fn report_read_error(&mut self, error: &io::Error, sink: &mut Sink<'_>) {
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
