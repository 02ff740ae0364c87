#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod ends;
mod masked;
mod polynomial;
mod prefixes;
mod sealed;

pub use masked::{append, crc32c, mask, unmask};
pub use prefixes::Prefixes;
pub use sealed::{Sealed, SealedSearch};
