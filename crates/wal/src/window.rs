//! Bytes of a log that lie in memory, and what can be said of them.

use strata_checksum::{Prefixes, unmask};

use crate::format::Header;
use crate::{BLOCK_SIZE, HEADER_SIZE, RecordType};

/// How many bad records lengths are followed through.
const MOST_STEPS: usize = 64;

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
pub(crate) enum Followed {
    /// To a record whose checksum holds.
    Proved(usize),
    /// To the end of the block, without one.
    End,
    /// To bytes that are no header, or too far.
    Broken,
}

/// Bytes of the log that lie in memory.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) bytes: &'a [u8],
    /// Of these bytes, once a bad fragment was met.
    pub(crate) prefixes: Option<&'a Prefixes>,
    /// Where in a block the bytes begin.
    pub(crate) in_block: usize,
    /// The file ends with the bytes.
    pub(crate) ended: bool,
    pub(crate) verify_checksums: bool,
}

impl Window<'_> {
    /// Where the block ends that a position is in, be it behind the bytes.
    pub(crate) fn block_end(&self, at: usize) -> usize {
        at + BLOCK_SIZE - (self.in_block + at) % BLOCK_SIZE
    }

    /// Where a fragment at a position must end.
    pub(crate) fn limit(&self, at: usize, shifted: bool) -> usize {
        let most = if shifted {
            at + BLOCK_SIZE
        } else {
            self.block_end(at)
        };
        most.min(self.bytes.len())
    }

    pub(crate) fn crosses_block_end(&self, at: usize) -> bool {
        Header::parse(&self.bytes[at..])
            .is_some_and(|header| at + header.extent() > self.block_end(at))
    }

    fn is_zero(&self, from: usize, to: usize) -> bool {
        self.bytes[from..to].iter().all(|&byte| byte == 0)
    }

    /// Whether the reader would take a fragment at the beginning of a block without salvage.
    pub(crate) fn default_takes(&self, block: usize) -> bool {
        let Some(header) = self.bytes.get(block..).and_then(Header::parse) else {
            return false;
        };
        let end = block + header.extent();
        if header.kind == 0 && header.length == 0 || end > self.limit(block, false) {
            return false;
        }
        !self.verify_checksums
            || match self.prefixes {
                Some(_) => self.holds(block, header, header.length),
                None => header.proves(&self.bytes[block + HEADER_SIZE..end]),
            }
    }

    /// How many zeros there are before a fragment, fewer than a header takes; 0 if there is none.
    pub(crate) fn trailer_before_fragment(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        let zeros = rest
            .iter()
            .take(HEADER_SIZE)
            .take_while(|&&byte| byte == 0)
            .count();
        let proves = |&length: &usize| {
            let rest = &rest[length..];
            Header::parse(rest).is_some_and(|header| {
                header.kind != 0
                    && rest
                        .get(HEADER_SIZE..header.extent())
                        .is_some_and(|payload| header.proves(payload))
            })
        };
        (0..=zeros.min(HEADER_SIZE - 1)).find(proves).unwrap_or(0)
    }

    /// Whether the header's checksum holds for a payload of `length` bytes behind it.
    pub(crate) fn holds(&self, at: usize, header: Header, length: u16) -> bool {
        let end = at + HEADER_SIZE + usize::from(length);
        end <= self.bytes.len()
            && self.prefixes.is_some_and(|prefixes| {
                // The type is the header's last byte.
                prefixes.checksum(at + HEADER_SIZE - 1..end) == unmask(header.masked_checksum)
            })
    }

    /// A fragment of a known type at a position, wherever blocks begin: its type and its end.
    fn fragment_at(&self, at: usize) -> Option<(RecordType, usize)> {
        let header = Header::parse(self.bytes.get(at..)?)?;
        let kind = RecordType::from_byte(header.kind)?;
        let end = at + header.extent();
        (header.is_fragment()
            && header.extent() <= BLOCK_SIZE
            && self.holds(at, header, header.length))
        .then_some((kind, end))
    }

    /// What can stand at a position where the lengths of a block lead, which ends at `limit`.
    fn step(&self, at: usize, limit: usize) -> Step {
        if at > limit {
            return Step::Broken;
        }
        if self.is_zero(at, limit) {
            return Step::End;
        }
        let Some(header) = Header::parse(&self.bytes[at..limit]) else {
            return Step::End;
        };
        let end = at + header.extent();
        let block_end = self.block_end(at);
        let stands = match RecordType::from_byte(header.kind) {
            Some(RecordType::Full) => end <= block_end,
            Some(RecordType::First) => end == block_end,
            _ => false,
        };
        match stands {
            true if end <= limit => Step::Fragment { header, end },
            true => Step::End,
            false => Step::Broken,
        }
    }

    /// The one length that differs from the header's in a bit and under which the checksum holds.
    pub(crate) fn mended_length(&self, bad: usize, header: Header, limit: usize) -> Option<u16> {
        if !header.is_fragment() {
            return None;
        }
        let holds = |&length: &u16| {
            let end = bad + HEADER_SIZE + usize::from(length);
            end <= limit
                && self.holds(bad, header, length)
                && !matches!(self.step(end, limit), Step::Broken)
        };
        (0..u16::BITS)
            .map(|bit| header.length ^ (1 << bit))
            .find(holds)
    }

    /// Where the lengths lead from a position that the length of a bad record gave.
    pub(crate) fn follow_lengths(&self, mut last: Header, mut at: usize, limit: usize) -> Followed {
        for _ in 0..MOST_STEPS {
            if at <= limit && self.ends_exactly(last, at, limit) {
                return Followed::End;
            }
            match self.step(at, limit) {
                Step::Fragment { header, end } => {
                    if self.holds(at, header, header.length) {
                        return Followed::Proved(at);
                    }
                    (last, at) = (header, end);
                }
                Step::End | Step::Broken => return Followed::Broken,
            }
        }
        Followed::Broken
    }

    /// Whether records end exactly at `at`, with a fragment that has the header `last`: the file
    /// ends, or the block does and the next one begins as blocks should, or there are zeros up to
    /// there and the byte before them is none.
    fn ends_exactly(&self, last: Header, at: usize, limit: usize) -> bool {
        let block_ends = limit == self.block_end(at - 1);
        let is_exact = at == limit
            || self.is_zero(at, limit)
                && (self.bytes[at - 1] != 0 || block_ends && limit - at < HEADER_SIZE);
        if !is_exact || limit == self.bytes.len() {
            return is_exact && self.ended;
        }
        match RecordType::from_byte(last.kind) {
            // Their lengths lead to the end of the block whatever happened to the log.
            Some(RecordType::First | RecordType::Middle) => block_ends && self.goes_on_at(limit),
            _ => block_ends && self.default_takes(limit),
        }
    }

    /// The first position from `from` on, in the block that ends at `block_end`, of a fragment that
    /// is one by its checksum and whose record may be whole.
    pub(crate) fn find_fragment(&self, from: usize, block_end: usize) -> Option<usize> {
        let taken = self.default_takes(block_end);
        let mut at = from;
        while at < block_end {
            let header = Header::parse(self.bytes.get(at..)?)?;
            match self.fragment_at(at) {
                Some((_, end)) if end > block_end && taken => at += 1,
                // This part goes on with the record before it.
                Some(_) if at == from => return Some(at),
                // A checksum over no payload says nothing that the type does not.
                Some((RecordType::Full, _)) if header.length > 0 => return Some(at),
                Some((RecordType::First, end)) if self.goes_on_at(end) => return Some(at),
                // Its record has no beginning, and there is none in it.
                Some((RecordType::Middle | RecordType::Last, end)) if header.length > 0 => {
                    at = end;
                    if at >= block_end {
                        return Some(at);
                    }
                }
                _ => at += 1,
            }
        }
        None
    }

    /// Whether the next fragment of a record is at a position.
    fn goes_on_at(&self, at: usize) -> bool {
        matches!(
            self.fragment_at(at),
            Some((RecordType::Middle | RecordType::Last, _))
        )
    }
}
