//! The kinds of the blocks that were found, told by each other.

use std::io;
use std::vec;

use strata_block::{BlockHandle, BlockSource};

use super::carve::Found;
use super::index::Index;
use super::kind::Kind;
use super::{KeyRange, or_damage};
use crate::ReadAt;

/// The kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Data,
    /// The index, the metaindex, filters.
    Other,
    /// Data or the index.
    Unknown,
}

/// The blocks of a table that were found, in the order of the file.
#[derive(Default)]
pub(super) struct Layout {
    items: vec::IntoIter<(BlockHandle, Role)>,
    index: Option<Index>,
}

impl Layout {
    /// Tells what the blocks are. Reads the indexes among them. `footer` is where one begins.
    pub(super) fn new<R: ReadAt>(
        source: &BlockSource<R>,
        found: Vec<Found>,
        footer: Option<u64>,
    ) -> io::Result<Self> {
        let mut items = Vec::with_capacity(found.len());
        let mut index: Option<Index> = None;
        for block in &found {
            let role = match block.kind {
                Kind::Data => Role::Data,
                Kind::Meta | Kind::Filter => Role::Other,
                Kind::Handles => {
                    let read = or_damage(Index::read(source, block.handle))?.ok();
                    let names_some =
                        |read: &Index| read.handles().iter().any(|it| is_found(&found, it));
                    let named = read.as_ref().is_some_and(names_some);
                    let role = match named {
                        true => Role::Other,
                        false => by_neighbours(&found, &items, read.as_ref(), footer),
                    };
                    // The index of the table is its last block.
                    if role == Role::Other && (named || index.is_none()) {
                        index = read.filter(Index::ascends);
                    }
                    role
                }
            };
            items.push((block.handle, role));
        }
        if let Some(index) = &index {
            // Of tables that were stored as values, blocks are found that this index doesn't know.
            items.retain(|(handle, role)| *role == Role::Other || index.has_length(handle.length));
        }
        Ok(Self {
            items: items.into_iter(),
            index,
        })
    }

    pub(super) fn next(&mut self) -> Option<(BlockHandle, Role)> {
        self.items.next()
    }

    /// Between which keys blocks are missing that the index has before this one; and between which
    /// those of this one are, if it is data whose last user key is given.
    pub(super) fn keys_around(
        &mut self,
        handle: BlockHandle,
        last_key: Option<&[u8]>,
    ) -> (Option<KeyRange>, Option<KeyRange>) {
        let Some(index) = &mut self.index else {
            return (None, None);
        };
        match last_key.and_then(|last_key| index.find(handle, last_key)) {
            Some(entry) => (index.take_until(entry), index.take_until(entry + 1)),
            None => {
                let end = index.first_not_before(handle.offset);
                (index.take_until(end), None)
            }
        }
    }

    /// Whether the index has a block like this one, whose last user key is given.
    pub(super) fn knows(&self, handle: BlockHandle, last_key: &[u8]) -> bool {
        let index = self.index.as_ref();
        index.is_some_and(|index| index.knows(handle, last_key))
    }

    pub(super) fn missing_at_the_end(&mut self) -> Option<KeyRange> {
        let index = self.index.as_mut()?;
        index.take_until(index.handles().len())
    }
}

fn is_found(found: &[Found], handle: &BlockHandle) -> bool {
    let at = found.binary_search_by_key(&handle.offset, Found::start);
    at.is_ok_and(|at| found.get(at).is_some_and(|found| found.handle == *handle))
}

/// What the block behind those `before` is, whose values are handles, by what is next to it: an
/// index comes behind the metaindex, nothing but the footer comes behind it, and its last handle
/// is of the last data block.
fn by_neighbours(
    found: &[Found],
    before: &[(BlockHandle, Role)],
    handles: Option<&Index>,
    footer: Option<u64>,
) -> Role {
    let i = before.len();
    let Some(block) = found.get(i) else {
        return Role::Unknown;
    };
    let last = i.checked_sub(1).and_then(|last| found.get(last));
    let last = last.filter(|last| last.end() == block.start());
    if last.is_some_and(|last| last.kind == Kind::Meta) || footer == Some(block.end()) {
        return Role::Other;
    }
    let last_length = handles.and_then(|it| Some(it.handles().last()?.length));
    if last.is_some_and(|last| Some(last.handle.length) == last_length) {
        return Role::Unknown;
    }
    let is_behind_data = last.is_some() && matches!(before.last(), Some((_, Role::Data)));
    let next = found.get(i + 1);
    let is_before_data =
        next.is_some_and(|next| next.start() == block.end() && next.kind.may_be_data());
    match is_behind_data || is_before_data {
        true => Role::Data,
        false => Role::Unknown,
    }
}
