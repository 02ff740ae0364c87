//! What the tests of the cursors share: sources of several kinds, models, and programs of moves.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::{Bound, RangeBounds};
use std::rc::Rc;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use strata_dbformat::{BytewiseComparator, SequenceNumber, Tag, ValueType};
use strata_memtable::{MemTable, OwnedCursor};
use strata_write_buffer::{EntryRef, InternalCursor};

pub(crate) type MemTableCursor = OwnedCursor<BytewiseComparator>;
pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);
/// A user key, a tag and a value.
pub(crate) type Owned = (Vec<u8>, Tag, Vec<u8>);

pub(crate) fn number(number: u64) -> SequenceNumber {
    SequenceNumber::new(number).unwrap()
}

pub(crate) fn value_tag(sequence: u64) -> Tag {
    Tag::new(number(sequence), ValueType::Value)
}

pub(crate) fn owned(entry: Option<EntryRef<'_>>) -> Option<Owned> {
    entry.map(|entry| (entry.user_key.to_vec(), entry.tag, entry.value.to_vec()))
}

pub(crate) fn borrowed(bounds: &Bounds) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (
        bounds.0.as_ref().map(Vec::as_slice),
        bounds.1.as_ref().map(Vec::as_slice),
    )
}

/// A memtable of values, each the text of its sequence number; `!` makes a tombstone of one.
pub(crate) fn memtable(entries: &[(&str, u64)]) -> MemTable<BytewiseComparator> {
    let memtable = MemTable::new(BytewiseComparator);
    for (key, sequence) in entries {
        let (key, value_type, value) = match key.strip_suffix('!') {
            Some(key) => (key, ValueType::Deletion, String::new()),
            None => (*key, ValueType::Value, sequence.to_string()),
        };
        memtable
            .add(
                number(*sequence),
                value_type,
                key.as_bytes(),
                value.as_bytes(),
            )
            .unwrap();
    }
    memtable
}

/// Entries, each with the set of sources that have it; its value says which source it is from.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    entries: BTreeMap<(Vec<u8>, Reverse<Tag>), u8>,
    sources: usize,
}

pub(crate) const LARGEST: u64 = 40;

fn user_key(g: &mut Gen) -> Vec<u8> {
    (0..u8::arbitrary(g) % 3)
        .map(|_| *g.choose(b"\0ab\xff").unwrap())
        .collect()
}

impl Arbitrary for Shelf {
    fn arbitrary(g: &mut Gen) -> Self {
        let sources = usize::arbitrary(g) % 5 + 1;
        let mut entries = BTreeMap::new();
        // Few user keys have many versions, so that some are passed by seeking.
        let popular = [user_key(g), user_key(g), user_key(g)];
        for _ in 0..usize::arbitrary(g) % (g.size() + 1) {
            let key = match u8::arbitrary(g) % 3 {
                0 => user_key(g),
                _ => g.choose(&popular).unwrap().clone(),
            };
            let value_type = match u8::arbitrary(g) % 3 {
                0 => ValueType::Deletion,
                _ => ValueType::Value,
            };
            let tag = Tag::new(number(u64::arbitrary(g) % (LARGEST + 1)), value_type);
            // Most entries are in one source.
            let mut has = 1 << (usize::arbitrary(g) % sources);
            if u8::arbitrary(g).is_multiple_of(3) {
                has |= u8::arbitrary(g) & ((1 << sources) - 1);
            }
            entries.insert((key, Reverse(tag)), has);
        }
        Self { entries, sources }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let whole = self.clone();
        let keys: Vec<_> = self.entries.keys().cloned().collect();
        Box::new(keys.into_iter().map(move |key| {
            let mut smaller = whole.clone();
            smaller.entries.remove(&key);
            smaller
        }))
    }
}

impl Shelf {
    pub(crate) fn memtables(&self) -> Vec<Arc<MemTable<BytewiseComparator>>> {
        (0..self.sources)
            .map(|source| {
                let memtable = MemTable::new(BytewiseComparator);
                for ((user_key, Reverse(tag)), has) in &self.entries {
                    if has & (1 << source) != 0 {
                        let value = source.to_string();
                        memtable
                            .add(tag.sequence(), tag.value_type(), user_key, value.as_bytes())
                            .unwrap();
                    }
                }
                Arc::new(memtable)
            })
            .collect()
    }

    pub(crate) fn cursors(&self) -> Vec<MemTableCursor> {
        let memtables = self.memtables();
        memtables
            .iter()
            .map(|memtable| memtable.reader().owned_cursor())
            .collect()
    }

    /// Every entry in order, once, from the first source that has it.
    pub(crate) fn merged(&self) -> Vec<Owned> {
        let entries = self.entries.iter();
        let entries = entries.map(|((user_key, Reverse(tag)), has)| {
            let value = has.trailing_zeros().to_string();
            (user_key.clone(), *tag, value.into_bytes())
        });
        entries.collect()
    }

    /// Every entry that a snapshot sees within bounds.
    pub(crate) fn seen(&self, snapshot: u64, bounds: &Bounds) -> Vec<Owned> {
        let mut seen = self.merged();
        seen.retain(|(user_key, tag, _)| {
            tag.sequence().get() <= snapshot && borrowed(bounds).contains(&&user_key[..])
        });
        seen
    }

    /// The newest version of each user key that a snapshot sees within bounds, if it is a value.
    pub(crate) fn visible(&self, snapshot: u64, bounds: &Bounds) -> Vec<Owned> {
        let mut visible = self.seen(snapshot, bounds);
        visible.dedup_by(|later, first| later.0 == first.0);
        visible.retain(|(_, tag, _)| tag.value_type() == ValueType::Value);
        visible
    }
}

/// A snapshot, bounds, and moves.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) snapshot: u64,
    pub(crate) bounds: Bounds,
    pub(crate) moves: Vec<Move>,
}

impl Arbitrary for Walk {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut bound = || match u8::arbitrary(g) % 4 {
            0 => Bound::Included(user_key(g)),
            1 => Bound::Excluded(user_key(g)),
            _ => Bound::Unbounded,
        };
        Self {
            bounds: (bound(), bound()),
            snapshot: u64::arbitrary(g) % (LARGEST + 1),
            moves: Vec::arbitrary(g),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let whole = self.clone();
        Box::new(self.moves.shrink().map(move |moves| Self {
            moves,
            ..whole.clone()
        }))
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Move {
    SeekToFirst,
    SeekToLast,
    Seek(Vec<u8>, u64),
    SeekForPrev(Vec<u8>),
    Next,
    Prev,
}

impl Arbitrary for Move {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 16 {
            0 => Self::SeekToFirst,
            1 => Self::SeekToLast,
            2 | 3 => Self::Seek(user_key(g), u64::arbitrary(g) % (LARGEST + 1)),
            4 => Self::SeekForPrev(user_key(g)),
            5..11 => Self::Next,
            _ => Self::Prev,
        }
    }
}

impl Move {
    /// Where the move leads among entries in order, from `at`.
    pub(crate) fn model(&self, entries: &[Owned], at: Option<usize>) -> Option<usize> {
        let at = match self {
            Self::SeekToFirst => Some(0),
            Self::SeekToLast => entries.len().checked_sub(1),
            Self::Seek(user_key, snapshot) => {
                let sought = (&user_key[..], Reverse(Tag::for_seek(number(*snapshot))));
                let is_before = |entry: &Owned| (&entry.0[..], Reverse(entry.1)) < sought;
                Some(entries.partition_point(is_before))
            }
            Self::SeekForPrev(user_key) => entries
                .partition_point(|entry| entry.0 <= *user_key)
                .checked_sub(1),
            Self::Next => at.map(|at| at + 1),
            Self::Prev => at.and_then(|at| at.checked_sub(1)),
        };
        at.filter(|&at| at < entries.len())
    }

    /// Makes the move, but that an internal cursor knows no [`Move::SeekForPrev`].
    pub(crate) fn make<S: InternalCursor>(&self, cursor: &mut S) -> Result<(), S::Error> {
        match self {
            Self::SeekToFirst => cursor.seek_to_first(),
            Self::SeekToLast => cursor.seek_to_last(),
            Self::Seek(user_key, snapshot) => cursor.seek(user_key, number(*snapshot)),
            Self::SeekForPrev(_) => unreachable!("{self:?} is for visible cursors"),
            Self::Next => cursor.next(),
            Self::Prev => cursor.prev(),
        }
    }
}

/// Makes the moves an internal cursor knows, and compares where each leads.
pub(crate) fn check_internal<S>(cursor: &mut S, entries: &[Owned], moves: &[Move])
where
    S: InternalCursor<Error = Infallible>,
{
    let mut at = None;
    assert_eq!(cursor.entry(), None, "a new cursor is at none");
    for step in moves {
        if matches!(step, Move::SeekForPrev(_)) {
            continue;
        }
        let Ok(()) = step.make(cursor);
        at = step.model(entries, at);
        assert_eq!(
            owned(cursor.entry()),
            at.map(|at| entries[at].clone()),
            "after {step:?}"
        );
    }
}

/// Counts the calls that move a cursor.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    source: S,
    calls: Rc<Cell<u64>>,
}

impl<S> Counted<S> {
    pub(crate) fn new(source: S) -> (Self, Rc<Cell<u64>>) {
        let calls = Rc::new(Cell::new(0));
        let counted = Self {
            source,
            calls: Rc::clone(&calls),
        };
        (counted, calls)
    }

    fn source(&mut self) -> &mut S {
        self.calls.set(self.calls.get() + 1);
        &mut self.source
    }
}

impl<S: InternalCursor> InternalCursor for Counted<S> {
    type Error = S::Error;

    fn entry(&self) -> Option<EntryRef<'_>> {
        self.source.entry()
    }

    fn seek_to_first(&mut self) -> Result<(), S::Error> {
        self.source().seek_to_first()
    }

    fn seek_to_last(&mut self) -> Result<(), S::Error> {
        self.source().seek_to_last()
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), S::Error> {
        self.source().seek(user_key, snapshot)
    }

    fn next(&mut self) -> Result<(), S::Error> {
        self.source().next()
    }

    fn prev(&mut self) -> Result<(), S::Error> {
        self.source().prev()
    }
}

/// What a [`Failing`] cursor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// Fails once, at a call that is chosen; several may share the choice.
#[derive(Debug)]
pub(crate) struct Failing<S> {
    source: S,
    is_at_none: bool,
    calls_left: Rc<Cell<Option<u64>>>,
}

impl<S> Failing<S> {
    pub(crate) fn new(source: S, calls_left: &Rc<Cell<Option<u64>>>) -> Self {
        let calls_left = Rc::clone(calls_left);
        Self {
            source,
            is_at_none: false,
            calls_left,
        }
    }

    fn source(&mut self) -> Result<&mut S, Failed> {
        let left = self.calls_left.get();
        self.calls_left
            .set(left.and_then(|left| left.checked_sub(1)));
        self.is_at_none = left == Some(0);
        match self.is_at_none {
            true => Err(Failed),
            false => Ok(&mut self.source),
        }
    }
}

impl<S: InternalCursor<Error = Infallible>> InternalCursor for Failing<S> {
    type Error = Failed;

    fn entry(&self) -> Option<EntryRef<'_>> {
        self.source.entry().filter(|_| !self.is_at_none)
    }

    fn seek_to_first(&mut self) -> Result<(), Failed> {
        let Ok(()) = self.source()?.seek_to_first();
        Ok(())
    }

    fn seek_to_last(&mut self) -> Result<(), Failed> {
        let Ok(()) = self.source()?.seek_to_last();
        Ok(())
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), Failed> {
        let Ok(()) = self.source()?.seek(user_key, snapshot);
        Ok(())
    }

    fn next(&mut self) -> Result<(), Failed> {
        let Ok(()) = self.source()?.next();
        Ok(())
    }

    fn prev(&mut self) -> Result<(), Failed> {
        let Ok(()) = self.source()?.prev();
        Ok(())
    }
}

/// A cursor over a memtable to which entries newer than [`LARGEST`] are added before each move: at
/// random, and most often next to where the cursor is.
pub(crate) struct Growing {
    source: MemTableCursor,
    memtable: Arc<MemTable<BytewiseComparator>>,
    next_sequence: u64,
    random: Gen,
}

impl Growing {
    pub(crate) fn new(memtable: Arc<MemTable<BytewiseComparator>>, seed: u64) -> Self {
        Self {
            source: memtable.reader().owned_cursor(),
            memtable,
            next_sequence: LARGEST + 1,
            random: Gen::from_size_and_seed(10, seed),
        }
    }

    fn grow(&mut self) {
        let g = &mut self.random;
        for _ in 0..u8::arbitrary(g) % 3 {
            let mut key = match self.source.entry() {
                Some(entry) if u8::arbitrary(g) % 4 != 0 => entry.user_key().to_vec(),
                _ => user_key(g),
            };
            match u8::arbitrary(g) % 4 {
                0 => key.push(0),
                1 => drop(key.pop()),
                _ => {}
            }
            let value_type = match bool::arbitrary(g) {
                true => ValueType::Value,
                false => ValueType::Deletion,
            };
            let sequence = number(self.next_sequence);
            self.memtable
                .add(sequence, value_type, &key, b"new")
                .unwrap();
            self.next_sequence += 1;
        }
    }
}

impl InternalCursor for Growing {
    type Error = Infallible;

    fn entry(&self) -> Option<EntryRef<'_>> {
        InternalCursor::entry(&self.source)
    }

    fn seek_to_first(&mut self) -> Result<(), Infallible> {
        self.grow();
        InternalCursor::seek_to_first(&mut self.source)
    }

    fn seek_to_last(&mut self) -> Result<(), Infallible> {
        self.grow();
        InternalCursor::seek_to_last(&mut self.source)
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), Infallible> {
        self.grow();
        InternalCursor::seek(&mut self.source, user_key, snapshot)
    }

    fn next(&mut self) -> Result<(), Infallible> {
        self.grow();
        InternalCursor::next(&mut self.source)
    }

    fn prev(&mut self) -> Result<(), Infallible> {
        self.grow();
        InternalCursor::prev(&mut self.source)
    }
}
