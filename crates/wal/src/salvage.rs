//! Where a block's records go on after one that is bad.
//!
//! A checksum proves that bytes are a record, but not that the writer put a record there: a value
//! may hold a log, and each record of that passes. So what the block's own framing says comes
//! first, and finding records by their checksums comes last and asks for more:
//!
//! 1. The length alone is damaged, by one bit: the bad record's checksum holds under the length
//!    that differs in that bit, and a header or the end of the block follows. The record is mended.
//! 2. The length is right: where it says the next record begins there is one whose checksum holds,
//!    or one that is bad too but whose length leads to such. Records go on there. If the lengths
//!    lead to the end of the block instead, nothing is left to recover in it.
//! 3. The lengths lead nowhere. Every later position is tried for a record that has a payload, a
//!    checksum that holds, and from which the lengths lead to the end of the block: this is what
//!    records inside a value lack, unless the value's last bytes are whole records.
//!
//! Only a [`Full`](RecordType::Full) fragment, and a [`First`](RecordType::First) that ends with
//! its block, count as records after the bad one: the writer puts the other types only where a
//! block begins.

use crate::format::Header;
use crate::{BLOCK_SIZE, HEADER_SIZE, RecordType};

/// How a block goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// With the same fragment: this is the length of its payload.
    Mended(u16),
    /// With the fragment at this position.
    At(usize),
    /// Not at all.
    Nothing,
}

/// Where `block` goes on after the fragment at `bad`, whose header is whole.
///
/// `block` is shorter than [`BLOCK_SIZE`] only if the file ends with it.
///
/// Step 1 computes at most 16 checksums for a bad fragment, of which a block that is made to be
/// slow has some two thousand; step 3 at most one for each position, over all bad fragments of a
/// block. That is 70 000 checksums of less than a block each: some tenths of a second at worst.
pub(crate) fn after_bad_fragment(block: &[u8], bad: usize, header: Header) -> Next {
    let block = Block::new(block);
    if let Some(length) = block.mended_length(bad, header) {
        return Next::Mended(length);
    }
    let end = bad + header.extent();
    if end <= block.bytes.len() {
        match block.follow_lengths(end) {
            Followed::Proved(at) => return Next::At(at),
            Followed::End => return Next::Nothing,
            Followed::Broken => {}
        }
    } else if end <= BLOCK_SIZE && block.bytes.len() < BLOCK_SIZE {
        // The writer died here, and what it left of the payload may be part of somebody's log.
        return Next::Nothing;
    }
    block
        .find_record(bad + HEADER_SIZE)
        .map_or(Next::Nothing, Next::At)
}

/// What there is at a position where a fragment could begin.
enum Step {
    /// A fragment that can stand there, by its type and its length.
    Fragment { header: Header, end: usize },
    /// The end of the block: a trailer, zeros, or a fragment that the end of the file cuts.
    End,
    /// Neither.
    Broken,
}

/// Where lengths lead.
enum Followed {
    /// To a record whose checksum holds.
    Proved(usize),
    /// To the end of the block, without one.
    End,
    /// To bytes that are no header.
    Broken,
}

struct Block<'a> {
    bytes: &'a [u8],
    /// Where the zeros begin that the block ends with.
    zeros: usize,
}

impl<'a> Block<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let last = bytes.iter().rposition(|&byte| byte != 0);
        Self {
            bytes,
            zeros: last.map_or(0, |last| last + 1),
        }
    }

    fn step(&self, at: usize) -> Step {
        if at >= self.zeros {
            return Step::End;
        }
        let Some(header) = Header::parse(&self.bytes[at..]) else {
            return Step::End;
        };
        let end = at + header.extent();
        let stands = match RecordType::from_byte(header.kind) {
            Some(RecordType::Full) => end <= BLOCK_SIZE,
            Some(RecordType::First) => end == BLOCK_SIZE,
            _ => false,
        };
        match stands {
            true if end <= self.bytes.len() => Step::Fragment { header, end },
            true => Step::End,
            false => Step::Broken,
        }
    }

    /// The one length that differs from the header's in a bit and under which the checksum holds.
    fn mended_length(&self, bad: usize, header: Header) -> Option<u16> {
        if RecordType::from_byte(header.kind)? == RecordType::Zero {
            return None;
        }
        let start = bad + HEADER_SIZE;
        let holds = |&length: &u16| {
            let end = start + usize::from(length);
            self.bytes
                .get(start..end)
                .is_some_and(|payload| header.proves(payload))
                && !matches!(self.step(end), Step::Broken)
        };
        (0..u16::BITS)
            .map(|bit| header.length ^ (1 << bit))
            .find(holds)
    }

    /// Where the lengths lead from a position that the length of a bad record gave.
    fn follow_lengths(&self, mut at: usize) -> Followed {
        loop {
            match self.step(at) {
                Step::Fragment { header, end } => {
                    if header.proves(&self.bytes[at + HEADER_SIZE..end]) {
                        return Followed::Proved(at);
                    }
                    at = end;
                }
                Step::End => return Followed::End,
                Step::Broken => return Followed::Broken,
            }
        }
    }

    /// Whether lengths lead from a position to the end of the block.
    fn leads_to_end(&self, mut at: usize) -> bool {
        loop {
            match self.step(at) {
                Step::Fragment { end, .. } => at = end,
                Step::End => return true,
                Step::Broken => return false,
            }
        }
    }

    /// The first position from `from` on of a record that is one by all that can be asked of it.
    fn find_record(&self, from: usize) -> Option<usize> {
        (from..self.zeros).find(|&at| match self.step(at) {
            // A checksum over no payload says nothing that the type does not.
            Step::Fragment { header, end } => {
                header.length > 0
                    && self.leads_to_end(end)
                    && header.proves(&self.bytes[at + HEADER_SIZE..end])
            }
            Step::End | Step::Broken => false,
        })
    }
}
