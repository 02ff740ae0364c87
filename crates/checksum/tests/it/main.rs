//! Checksums held against a bit-by-bit one, and the search against a quadratic one.

mod prefixes;
mod search;
mod support;
