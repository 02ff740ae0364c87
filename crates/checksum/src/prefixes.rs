//! Checksums of parts of a buffer.

use std::ops::Range;

use crate::polynomial::{ONE, multiply, take, times_x8};

/// How far apart the coarse powers are, in bytes.
const STRIDE: usize = 256;

/// Checksums of any part of a buffer, in constant time each after one pass over it.
///
/// Takes 4 bytes of memory for each byte of the buffer and 2.5 ns a byte to make. A checksum of a part
/// is then two multiplications of polynomials, some 50 ns, however long the part is.
///
/// ```
/// use strata_checksum::{Prefixes, crc32c};
///
/// let bytes = b"the quick brown fox";
/// let prefixes = Prefixes::new(bytes);
/// assert_eq!(prefixes.checksum(4..9), crc32c(b"quick"));
/// assert_eq!(prefixes.checksum(7..7), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Prefixes {
    /// The register, beginning with 0, after each number of bytes.
    registers: Vec<u32>,
    /// x^(8·n) for each n below [`STRIDE`].
    fine: [u32; STRIDE],
    /// x^(8·n) for each n that is a multiple of [`STRIDE`].
    coarse: Vec<u32>,
}

impl Prefixes {
    /// The checksums of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut power = ONE;
        let fine = std::array::from_fn(|_| {
            let this = power;
            power = times_x8(power);
            this
        });
        let mut prefixes = Self {
            registers: Vec::new(),
            fine,
            coarse: vec![ONE, power],
        };
        prefixes.refill(bytes);
        prefixes
    }

    /// Makes these the checksums of `bytes`, in the memory of those before.
    ///
    /// ```
    /// use strata_checksum::{Prefixes, crc32c};
    ///
    /// let mut prefixes = Prefixes::new(b"one");
    /// prefixes.refill(b"another");
    /// assert_eq!(prefixes.checksum(2..7), crc32c(b"other"));
    /// ```
    pub fn refill(&mut self, bytes: &[u8]) {
        self.registers.clear();
        self.registers.reserve(bytes.len() + 1);
        self.registers.push(0);
        let mut register = 0;
        self.registers.extend(bytes.iter().map(|&byte| {
            register = take(register, byte);
            register
        }));
        let stride = self.coarse[1];
        while self.coarse.len() <= bytes.len() / STRIDE {
            let last = self.coarse[self.coarse.len() - 1];
            self.coarse.push(multiply(last, stride));
        }
    }

    /// The CRC-32C of a part of the buffer.
    ///
    /// # Panics
    ///
    /// If the part does not lie in the buffer, or ends before it begins.
    #[inline]
    #[must_use]
    pub fn checksum(&self, part: Range<usize>) -> u32 {
        let length = part.end - part.start;
        let power = multiply(self.coarse[length / STRIDE], self.fine[length % STRIDE]);
        // A register that begins with ones is one that begins with zeros and took them before.
        let before = !self.registers[part.start];
        !(self.registers[part.end] ^ multiply(before, power))
    }
}
