//! Those who take part, each as its users use it.

mod arenaskiplist;
mod bare;
mod btree;
mod congee;
mod crossbeam;
mod ferntree;
mod fjall;
mod inline;
mod masstree;
mod offsets;
mod skl;
mod strata;
mod tree_index;

pub(crate) use arenaskiplist::ArenaSkiplist;
pub(crate) use bare::BareEntries;
pub(crate) use btree::LockedBTree;
pub(crate) use congee::Congee;
pub(crate) use crossbeam::Crossbeam;
pub(crate) use ferntree::{Ferntree, Value};
pub(crate) use fjall::Fjall;
pub(crate) use inline::Inline;
pub(crate) use masstree::{Masstree, MasstreeInline, MasstreeVersions};
pub(crate) use offsets::Offsets;
pub(crate) use skl::Skl;
pub(crate) use strata::Strata;
pub(crate) use tree_index::ScTreeIndex;

use std::cmp::Ordering;

use strata_dbformat::{Comparator, SequenceNumber, Tag, ValueType};

/// A comparator that says nothing but how two keys compare: as bytes, but nobody can know that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opaque;

impl Comparator for Opaque {
    #[inline]
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn name(&self) -> &str {
        "contest.Opaque"
    }
}

/// The sequence number and the type of a value, in 64 bits: greater for a newer version.
fn tag(sequence: SequenceNumber) -> u64 {
    u64::from_le_bytes(Tag::new(sequence, ValueType::Value).to_bytes())
}

/// A key whose bytes sort as versions do, for what compares bytes: the user key and the tag's
/// complement, big-endian.
///
/// That is so among user keys of one length only, which those of a workload are.
#[derive(Debug)]
struct VersionedKey {
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl VersionedKey {
    /// Enough for every shape of key.
    const ROOM: usize = 64;

    #[inline]
    fn new(user_key: &[u8], tag: u64) -> Self {
        let mut bytes = [0; Self::ROOM];
        let length = user_key.len() + Tag::LENGTH;
        bytes[..user_key.len()].copy_from_slice(user_key);
        bytes[user_key.len()..length].copy_from_slice(&(!tag).to_be_bytes());
        Self { bytes, length }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    #[inline]
    fn user_key(bytes: &[u8]) -> &[u8] {
        &bytes[..bytes.len() - Tag::LENGTH]
    }
}
