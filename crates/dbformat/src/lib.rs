#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod comparator;
mod error;
mod escape;
mod indexed_db;
mod indexed_db_key;
mod internal_comparator;
mod internal_key;
mod lookup_key;
mod sequence;
mod tag;
mod value_type;

pub use comparator::{
    BytewiseComparator, Comparator, ReverseBytewiseComparator, comparator_by_name,
};
pub use error::{InternalKeyError, SequenceOutOfRange, UnknownValueType, UserKeyTooLong};
pub use escape::{Escaped, escape};
pub use indexed_db::IndexedDbComparator;
pub use internal_comparator::InternalKeyComparator;
pub use internal_key::{
    DebugInternalKey, InternalKey, ParsedInternalKey, append_internal_key, extract_user_key,
    split_internal_key,
};
pub use lookup_key::LookupKey;
pub use sequence::SequenceNumber;
pub use tag::Tag;
pub use value_type::ValueType;
