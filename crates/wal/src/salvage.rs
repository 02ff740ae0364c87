//! Where records go on after one that is bad, and where blocks no longer begin where they should.
//!
//! A checksum proves that bytes are a record, but not that the writer put a record there: a value
//! may hold a log, and each record of that passes. So what lengths say comes first, and nothing is
//! looked for inside a fragment whose own checksum holds:
//!
//! 1. The length alone is damaged, by one bit: the bad record's checksum holds under the length
//!    that differs in that bit, and a header or the end of the block follows. The record is mended.
//! 2. The length is right: where it says the next record begins there is one whose checksum holds,
//!    or one that is bad too but whose length leads to such. Records go on there. If the lengths
//!    lead to the very end of the block, and the next one begins as it should, or of the file,
//!    nothing is left to recover in it.
//! 3. The lengths lead nowhere. Every position of the block is tried for a fragment whose checksum
//!    holds, the bad one's own included, which may reach into the next block. If that one follows
//!    the bad record, by the bad one's checksum, the bad record is mended.
//!
//! A fragment reaches into the next block where bytes were inserted into the log, or removed from
//! it: all blocks after them are shifted. From there on fragments are taken where the one before
//! them ends, or behind up to six zeros, a trailer, wherever that is, until one begins where a
//! block does. What the reader would find there without salvage comes before it.
//!
//! The checksums of all parts of the window are at hand in constant time ([`Prefixes`]), so that a
//! position costs the same whatever its length says.

use std::io::{self, Read};

use strata_checksum::Prefixes;

use crate::format::Header;
use crate::physical::{Fragments, Physical, Tail};
use crate::reporter::Sink;
use crate::window::{Followed, Window};
use crate::{BLOCK_SIZE, HEADER_SIZE, Mended, Reason, Report};

/// How many bytes ahead are needed: a position in the rest of a block, the fragment there, and one
/// that follows it.
const AHEAD: usize = 3 * BLOCK_SIZE + HEADER_SIZE;

/// The state of a salvage.
#[derive(Debug)]
pub(crate) struct Search {
    /// Blocks do not begin where they should: fragments are taken one behind the other.
    shifted: bool,
    /// A fragment was found by its checksum since a block began where it should.
    pub(crate) searched: bool,
    prefixes: Prefixes,
    /// The file offsets of what the prefixes are of.
    covered: (u64, u64),
}

impl Default for Search {
    fn default() -> Self {
        Self {
            shifted: false,
            searched: false,
            prefixes: Prefixes::new(&[]),
            covered: (0, 0),
        }
    }
}

/// How a block goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// With the same fragment: this is the length of its payload.
    Mended(u16),
    /// With the fragment at this position, to which lengths lead.
    At(usize),
    /// With the fragment at this position, which was searched.
    Found(usize),
    /// Not at all.
    Nothing,
}

impl<R: Read> Fragments<R> {
    /// As [`next`](Self::next), in salvage.
    pub(crate) fn next_salvaged(&mut self, sink: &mut Sink<'_>) -> io::Result<Physical> {
        loop {
            self.blocks.have(AHEAD);
            if self.blocks.offset().is_multiple_of(BLOCK_SIZE as u64) {
                self.set_shifted(false);
            }
            let before = self.blocks.position();
            self.skip_trailer();
            let Some(header) = Header::parse(self.blocks.rest()) else {
                return self.end(before, sink);
            };
            match self.take_salvaged(before, header, sink) {
                Some(Physical::End(_)) if self.blocks.has_failed() => {
                    return self.end(before, sink);
                }
                Some(next) => return Ok(next),
                None => {}
            }
        }
    }

    fn is_shifted(&self) -> bool {
        self.salvage.as_ref().is_some_and(|search| search.shifted)
    }

    fn set_shifted(&mut self, shifted: bool) {
        if let Some(search) = &mut self.salvage {
            search.shifted = shifted;
        }
    }

    fn set_searched(&mut self, searched: bool) {
        if let Some(search) = &mut self.salvage {
            search.searched = searched;
        }
    }

    /// Consumes what is too short for a header at the end of a block: its length, or up to six zeros
    /// before a fragment if blocks are shifted.
    fn skip_trailer(&mut self) {
        let at = self.blocks.position();
        let length = if self.is_shifted() {
            self.window().trailer_before_fragment(at)
        } else {
            match self.window().block_end(at) - at {
                room if room < HEADER_SIZE => room.min(self.blocks.rest().len()),
                _ => 0,
            }
        };
        self.blocks.consume_to(at + length);
    }

    /// What follows the last fragment; a trailer begins at `before`.
    fn end(&mut self, before: usize, sink: &mut Sink<'_>) -> io::Result<Physical> {
        if let Some(error) = self.blocks.take_failure() {
            self.report_read_error(&error, sink);
            self.blocks.consume_all();
            return Err(error);
        }
        let (rest, offset) = (self.blocks.rest(), self.blocks.offset());
        Ok(Physical::End(if rest.is_empty() {
            self.blocks.consume_to(before);
            Tail::Clean
        } else if rest.iter().all(|&byte| byte == 0) {
            Tail::Zeros(offset)
        } else {
            Tail::Torn(offset)
        }))
    }

    /// What the bytes behind a whole header are; `None` if there is another way to read them. Before
    /// the header there is a trailer, from `before` on.
    fn take_salvaged(
        &mut self,
        before: usize,
        header: Header,
        sink: &mut Sink<'_>,
    ) -> Option<Physical> {
        let (at, shifted) = (self.blocks.position(), self.is_shifted());
        let end = at + header.extent();
        let window = self.window();
        let limit = window.limit(at, shifted);
        if header.kind == 0 && header.length == 0 && end <= limit {
            return self.take_zeros(before, header, limit, sink);
        }
        let Some(payload) = window.bytes[..limit].get(at + HEADER_SIZE..end) else {
            return self.take_bad_salvaged(before, header, Reason::BadRecordLength, sink);
        };
        if (self.verify_checksums || shifted) && !header.proves(payload) {
            return self.take_bad_salvaged(before, header, Reason::ChecksumMismatch, sink);
        }
        let block_end = window.block_end(at);
        if block_end < end && window.default_takes(block_end) {
            // Without salvage a fragment begins there.
            let offset = self.blocks.offset();
            self.blocks.consume_to(block_end);
            return Some(self.drop_from(offset, Reason::BadRecordLength, sink));
        }
        if self.blocks.offset().is_multiple_of(BLOCK_SIZE as u64) {
            self.set_searched(false);
        }
        Some(self.take_fragment(header, sink))
    }

    /// A header of zeros. The rest of the block should be zeros, too.
    fn take_zeros(
        &mut self,
        before: usize,
        header: Header,
        limit: usize,
        sink: &mut Sink<'_>,
    ) -> Option<Physical> {
        let at = self.blocks.position();
        let limit = limit.min(self.window().block_end(at));
        if self.blocks.block()[at..limit].iter().any(|&byte| byte != 0) {
            return self.take_bad_salvaged(before, header, Reason::DataBehindZeroHeader, sink);
        }
        let offset = self.blocks.offset();
        self.blocks.consume_to(limit);
        self.reporter.zeros(offset..self.blocks.offset(), sink);
        Some(Physical::Bad { offset })
    }

    /// Goes on after a bad fragment.
    fn take_bad_salvaged(
        &mut self,
        before: usize,
        mut header: Header,
        reason: Reason,
        sink: &mut Sink<'_>,
    ) -> Option<Physical> {
        self.cover();
        let (at, offset) = (self.blocks.position(), self.blocks.offset());
        let window = self.window();
        let block_end = window.block_end(at);
        let is_cut = window.ended && window.bytes.len() < block_end;
        match self.after_bad_fragment(before, header) {
            Next::Mended(length) => {
                let mended = Mended {
                    offset,
                    stored_length: header.length,
                    length,
                };
                self.reporter.report(offset, Report::Mended(mended), sink);
                header.length = length;
                return Some(self.take_fragment(header, sink));
            }
            Next::At(next) => self.blocks.consume_to(next),
            Next::Found(next) => {
                self.set_searched(true);
                self.set_shifted(self.is_shifted() || self.window().crosses_block_end(next));
                self.blocks.consume_to(next);
                if next <= at && next == before {
                    // Nothing is lost: this fragment is not where blocks should begin or end.
                    return None;
                }
                if next < at {
                    return Some(Physical::Bad { offset });
                }
            }
            Next::Nothing => {
                self.blocks
                    .consume_to(block_end.min(self.blocks.block().len()));
                // A length that reaches past the file is one whose payload was not written.
                if reason == Reason::BadRecordLength && is_cut {
                    return Some(Physical::End(Tail::Torn(offset)));
                }
            }
        }
        let lost = &self.blocks.block()[at..self.blocks.position()];
        if lost.len() < HEADER_SIZE && lost.iter().all(|&byte| byte == 0) {
            self.reporter.zeros(offset..self.blocks.offset(), sink);
            return Some(Physical::Bad { offset });
        }
        Some(self.drop_from(offset, reason, sink))
    }

    fn after_bad_fragment(&self, before: usize, header: Header) -> Next {
        let (window, at) = (self.window(), self.blocks.position());
        let limit = window.limit(at, self.is_shifted());
        if let Some(length) = window.mended_length(at, header, limit) {
            return Next::Mended(length);
        }
        match window.follow_lengths(header, at + header.extent(), limit) {
            Followed::Proved(at) => return Next::At(at),
            Followed::End => return Next::Nothing,
            Followed::Broken => {}
        }
        let Some(found) = window.find_fragment(before, window.block_end(at)) else {
            return Next::Nothing;
        };
        // The place of the found record may say how long the bad one is.
        let length = found.checked_sub(at + HEADER_SIZE);
        match length.and_then(|length| u16::try_from(length).ok()) {
            Some(length) if header.is_fragment() && window.holds(at, header, length) => {
                Next::Mended(length)
            }
            _ => Next::Found(found),
        }
    }

    /// Has the prefixes cover the window.
    fn cover(&mut self) {
        let start = self.blocks.offset_of(0);
        let covered = (start, self.blocks.end_offset());
        if let Some(search) = &mut self.salvage
            && search.covered != covered
        {
            search.prefixes.refill(self.blocks.block());
            search.covered = covered;
        }
    }

    fn window(&self) -> Window<'_> {
        let start = self.blocks.offset_of(0);
        let in_block = start % BLOCK_SIZE as u64;
        let search = self.salvage.as_ref();
        let covering = search.filter(|s| s.covered == (start, self.blocks.end_offset()));
        Window {
            bytes: self.blocks.block(),
            prefixes: covering.map(|search| &search.prefixes),
            in_block: usize::try_from(in_block).unwrap_or(0),
            ended: self.blocks.ended(),
            verify_checksums: self.verify_checksums,
        }
    }
}
