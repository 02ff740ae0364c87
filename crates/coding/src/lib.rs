#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod error;
mod fixed;
mod length_prefixed;
mod varint;
mod words;

pub use error::{DecodeError, SliceTooLong};
pub use fixed::{get_fixed32, get_fixed64, put_fixed32, put_fixed64};
pub use length_prefixed::{get_length_prefixed_slice, put_length_prefixed_slice};
pub use varint::{
    MAX_VARINT32_LENGTH, MAX_VARINT64_LENGTH, encode_varint32, encode_varint64, get_varint32,
    get_varint64, put_varint32, put_varint64, varint_length,
};
pub use words::{compare_after, leading_words};
