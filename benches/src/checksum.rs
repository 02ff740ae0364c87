//! One number for all that was found.

/// What outcomes are folded into, so that one number tells whether all are right, in their order.
///
/// ```
/// use benches::Checksum;
///
/// let (mut found, mut expected) = (Checksum::default(), Checksum::default());
/// found.add_entry(b"key", b"value");
/// expected.add(b"key");
/// expected.add(b"value");
/// assert_eq!(found, expected);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum(u64);

impl Checksum {
    /// Adds a value that was found, by its last byte: to read it is to have touched the value.
    #[inline]
    pub fn add(&mut self, bytes: &[u8]) {
        let byte = bytes.last().copied().map_or(0, u64::from);
        self.0 = self
            .0
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(1 + byte);
    }

    /// Adds an entry.
    #[inline]
    pub fn add_entry(&mut self, user_key: &[u8], value: &[u8]) {
        self.add(user_key);
        self.add(value);
    }
}
