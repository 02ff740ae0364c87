//! The search for blocks that end with a checksum of themselves.
//!
//! A register that begins with ones and takes `bytes[s..n]` is `R(n) + (R(s) + F)·x^(8(n-s))`,
//! where `R(i)` is the register that began with zeros and took all bytes before `i`, and `F` is all
//! ones. It is to equal the inverse `S` of the checksum stored at `n`. Multiplied by x^(-8n) that is
//!
//! ```text
//! (R(n) + S)·x^(-8n)  =  (R(s) + F)·x^(-8s)
//! ```
//!
//! one value of the end against one of the start. So the ends are put into a table, and each
//! position is looked up in it as a start. Any constant factor, and any constant that is added to
//! all R·x^(-8i), leaves the equality as it is, so that a batch of ends can begin with zeros
//! anywhere in the file.

use std::fmt;

use crate::ends::Ends;
use crate::polynomial::{ONE, X24, multiply, over_x8, take, times_byte, times_x8};
use crate::unmask;

/// How many bytes are read at once.
const WINDOW: u64 = 256 << 10;

/// How many ends are looked for together.
const MOST_ENDS: usize = 1 << 19;

/// How far the ends that are looked for together may be apart, in bytes, so that 32 bits tell them.
const MOST_APART: u64 = 1 << 30;

/// How many blocks are found at most for the ends of a batch.
const MOST_FOUND: usize = 1 << 20;

/// How many blocks are found at most for one start.
const MOST_FOR_START: usize = 16;

/// How many bytes of its contents decide on whether a block may end there.
const LOOK_BACK: u64 = 4;

/// How many bytes the stored checksum takes.
const STORED: u64 = 4;

/// Where a block is: contents, a byte that says their kind, and the masked checksum of both.
///
/// ```text
/// contents | kind, 1 byte | fixed32 masked CRC-32C of contents and kind
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sealed {
    /// The file offset where the contents begin.
    pub start: u64,
    /// The file offset after the contents, where the kind is.
    pub end: u64,
}

impl Sealed {
    /// How many bytes the kind and the checksum take.
    pub const TRAILER_LENGTH: u64 = 1 + STORED;

    /// The file offset after the checksum.
    #[must_use]
    pub const fn end_of_trailer(&self) -> u64 {
        self.end + Self::TRAILER_LENGTH
    }
}

/// Finds all blocks in a file that end with a checksum of themselves, wherever they begin.
///
/// Found is every `start..end` of at least 4 and at most `longest` bytes for which
/// `plausible(last four bytes of the contents, kind)` holds and the four bytes behind the kind are
/// the masked checksum of contents and kind. They come in the order of their ends, and those with
/// one end in the order of their starts. They may overlap: one of 2^32 pairs of a start and an end matches
/// by accident, which is 230 pairs in a file of 10 MB in which one position of 50 may be an end. The
/// caller knows by the contents which of them are blocks, and tells the search with
/// [`leave_out_before`](Self::leave_out_before) up to where it has found its blocks.
///
/// The file is read in windows of at most 256 KiB, through what is given to [`next`](Self::next).
/// The search holds at most 16 MB, and the time it takes is proportional to the file: it looks at
/// each byte once as an end, and once as a start for each batch of half a million ends that is less
/// than `longest` bytes after it. Where one position of 50 may be an end and `longest` is 32 MiB,
/// that takes 27 ms for 2 MB and 45 ns a byte for a large file of which nothing is left out; less if
/// blocks are found and left out. If every position may be an end it is a microsecond a byte.
///
/// # Limits
///
/// - A stored checksum of four zeros is not looked at, so that space that was never written costs
///   little; one block in 2^32 has it.
/// - For each start the first 16 ends are found, and for each half million of ends a million
///   blocks. No file has more by accident, but one can be made that has; then
///   [`is_exhaustive`](Self::is_exhaustive) says no.
///
/// ```
/// use strata_checksum::{Sealed, SealedSearch, crc32c, mask};
///
/// let mut file = b"garbage".to_vec();
/// let block = b"contents and kind\x01";
/// file.extend_from_slice(block);
/// file.extend_from_slice(&mask(crc32c(block)).to_le_bytes());
/// file.extend_from_slice(b"more garbage");
///
/// let mut search = SealedSearch::new(file.len() as u64, 1 << 20, |_, kind| kind <= 1);
/// let mut read = |offset: u64, buffer: &mut [u8]| {
///     let offset = usize::try_from(offset)?;
///     buffer.copy_from_slice(&file[offset..offset + buffer.len()]);
///     Ok::<(), std::num::TryFromIntError>(())
/// };
/// assert_eq!(search.next(&mut read)?, Some(Sealed { start: 7, end: 24 }));
/// assert_eq!(search.next(&mut read)?, None);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
pub struct SealedSearch<P> {
    length: u64,
    longest: u32,
    plausible: P,
    /// No block that begins before this is wanted.
    floor: u64,
    /// The first offset behind a kind that has not been looked at.
    next_end: u64,
    ends: Ends,
    /// The first of the offsets behind kinds of this batch; what was found is relative to it.
    base: u64,
    /// The blocks that were found and not given out, the last first.
    found: Vec<Found>,
    window: Vec<u8>,
    exhaustive: bool,
}

/// A block that was found, relative to its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    /// How far the offset behind the kind is from the base.
    end: u32,
    /// How long contents and kind are.
    length: u32,
}

/// The registers at a position.
#[derive(Clone, Copy, Debug)]
struct Registers {
    /// R, which took all bytes of the batch before it.
    register: u32,
    /// x^(-8i), i being how far the position is from the base.
    scale: u32,
}

impl<P: Fn([u8; 4], u8) -> bool> SealedSearch<P> {
    /// A search of a file of `length` bytes for blocks whose contents are at most `longest` bytes.
    ///
    /// `plausible` is asked at every position whether a block may end there, by the last four bytes
    /// of its contents and its kind. The fewer it allows, the faster.
    #[must_use]
    pub fn new(length: u64, longest: u32, plausible: P) -> Self {
        Self {
            length,
            longest: longest.min(u32::MAX - 1),
            plausible,
            floor: 0,
            next_end: LOOK_BACK + 1,
            ends: Ends::default(),
            base: 0,
            found: Vec::new(),
            window: Vec::new(),
            exhaustive: true,
        }
    }

    /// Leaves out the blocks that begin before `offset` from now on. That saves looking for them.
    pub fn leave_out_before(&mut self, offset: u64) {
        self.floor = self.floor.max(offset);
    }

    /// Whether nothing was left out so far because there was too much of it.
    #[must_use]
    pub const fn is_exhaustive(&self) -> bool {
        self.exhaustive
    }

    /// The next block, or `None` after the last. `read` fills a buffer with what is at an offset.
    ///
    /// # Errors
    ///
    /// The error of `read`. The search can go on after it, and reads the same again.
    pub fn next<E>(
        &mut self,
        read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<Option<Sealed>, E> {
        loop {
            while let Some(found) = self.found.pop() {
                let behind_kind = self.base + u64::from(found.end);
                let start = behind_kind - u64::from(found.length);
                if start >= self.floor {
                    let end = behind_kind - 1;
                    return Ok(Some(Sealed { start, end }));
                }
            }
            if self.next_end.saturating_add(STORED) > self.length {
                return Ok(None);
            }
            self.search_batch(read)?;
        }
    }

    fn search_batch<E>(
        &mut self,
        read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // A block that begins at the floor ends no sooner than this.
        self.base = self.next_end.max(self.floor.saturating_add(LOOK_BACK + 1));
        self.ends.clear();
        let (end, registers) = self.collect_ends(read)?;
        if self.ends.len() > 0 {
            self.ends.sort();
            if let Err(error) = self.look_up_starts(end, registers, read) {
                self.found.clear();
                return Err(error);
            }
        }
        self.next_end = end;
        self.found.sort_unstable_by(|a, b| {
            let by_start = a.length.cmp(&b.length);
            b.end.cmp(&a.end).then(by_start)
        });
        Ok(())
    }

    /// Puts ends into the table, from the base on. Returns where it stopped, and the registers
    /// there.
    fn collect_ends<E>(
        &mut self,
        read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<(u64, Registers), E> {
        let last = self.length.saturating_sub(STORED);
        let stop = last.saturating_add(1).min(self.base + MOST_APART);
        let mut registers = Registers {
            register: 0,
            scale: ONE,
        };
        let mut at = self.base;
        while at < stop && self.ends.len() < MOST_ENDS {
            let until = stop.min(at + WINDOW);
            // With the contents and the kind before the first, and the checksum behind the last.
            let from = at - LOOK_BACK - 1;
            fill(&mut self.window, from, (until - 1 + STORED) - from, read)?;
            for bytes in self.window.windows(9) {
                let &[a, b, c, d, kind, p, q, r, s] = bytes else {
                    break;
                };
                let stored = u32::from_le_bytes([p, q, r, s]);
                if stored != 0 && (self.plausible)([a, b, c, d], kind) {
                    let key = multiply(registers.register ^ !unmask(stored), registers.scale);
                    self.ends.push(key, distance(self.base, at));
                }
                registers = Registers {
                    register: take(registers.register, p),
                    scale: over_x8(registers.scale),
                };
                at += 1;
                if self.ends.len() == MOST_ENDS {
                    break;
                }
            }
        }
        Ok((at, registers))
    }

    /// Looks up each position before `end`, backwards, as a start.
    fn look_up_starts<E>(
        &mut self,
        end: u64,
        registers: Registers,
        read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let longest = u64::from(self.longest) + 1;
        let lowest = self.base.saturating_sub(longest).max(self.floor);
        // R·x^(-8i), x^(24-8i) and F·x^(-8i).
        let mut sum = multiply(registers.register, registers.scale);
        let mut scale = multiply(registers.scale, X24);
        let mut ones = multiply(registers.scale, !0);
        let mut window = std::mem::take(&mut self.window);
        let mut at = end;
        while at > lowest {
            let from = lowest.max(at.saturating_sub(WINDOW));
            fill(&mut window, from, at - from, read)?;
            for &byte in window.iter().rev() {
                at -= 1;
                scale = times_x8(scale);
                ones = times_x8(ones);
                sum ^= times_byte(scale, u32::from(byte));
                let key = sum ^ ones;
                if self.ends.may_have(key) {
                    self.note(key, at);
                }
            }
        }
        self.window = window;
        Ok(())
    }

    /// Notes the blocks that begin at `start`, whose key this is.
    fn note(&mut self, key: u32, start: u64) {
        let first = (start + LOOK_BACK + 1).max(self.base);
        let last = start.saturating_add(u64::from(self.longest) + 1);
        let ends = self.ends.with_key(key, distance(self.base, first));
        for (i, end) in ends.enumerate() {
            let length = self.base + u64::from(end) - start;
            if start + length > last {
                break;
            }
            if i == MOST_FOR_START || self.found.len() == MOST_FOUND {
                self.exhaustive = false;
                break;
            }
            let length = distance(0, length);
            self.found.push(Found { end, length });
        }
    }
}

/// How far `offset` is from `base`: less than 2^32 wherever it is asked, for blocks and batches
/// are shorter.
fn distance(base: u64, offset: u64) -> u32 {
    u32::try_from(offset - base).unwrap_or(u32::MAX)
}

/// Makes `window` the `length` bytes at `offset`.
fn fill<E>(
    window: &mut Vec<u8>,
    offset: u64,
    length: u64,
    read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    window.resize(length, 0);
    read(offset, window)
}

impl<P> fmt::Debug for SealedSearch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSearch")
            .field("length", &self.length)
            .field("longest", &self.longest)
            .field("floor", &self.floor)
            .field("next_end", &self.next_end)
            .finish_non_exhaustive()
    }
}
