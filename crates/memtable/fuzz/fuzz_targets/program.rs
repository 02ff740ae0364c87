//! Any program of additions, lookups at snapshots, seeks and steps does to a memtable what it does
//! to a sorted map, whether or not the memtable runs out of memory or is frozen on the way: an
//! addition that is refused leaves no trace, and the same entries come from the front and the back.

#![no_main]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, Tag, ValueType};
use strata_memtable::{AddError, Entry, Lookup, MemTable, MemTableOptions, OwnedCursor};

/// One of a few user keys, so that programs come back to them.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Key(u8);

impl Key {
    fn bytes(self) -> &'static [u8] {
        const KEYS: [&[u8]; 11] = [
            b"",
            b"\0",
            b"\0\0",
            b"a",
            b"aa",
            b"a\xff",
            b"b",
            b"\xff",
            b"\xff\xff",
            &[b'a'; 200],
            &[b'b'; 20_000],
        ];
        KEYS[usize::from(self.0) % KEYS.len()]
    }
}

/// One of the least or of the last sequence numbers.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Number(u8);

impl Number {
    fn sequence(self) -> SequenceNumber {
        let number = match self.0 {
            0..240 => u64::from(self.0 % 32),
            _ => SequenceNumber::MAX.get() - u64::from(255 - self.0),
        };
        SequenceNumber::new(number).unwrap()
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Version {
    key: Key,
    is_value: bool,
}

impl Version {
    fn value_type(self) -> ValueType {
        if self.is_value {
            ValueType::Value
        } else {
            ValueType::Deletion
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Limit {
    Included(Key),
    Excluded(Key),
    Unbounded,
}

impl Limit {
    fn bound(self) -> Bound<&'static [u8]> {
        match self {
            Self::Included(key) => Bound::Included(key.bytes()),
            Self::Excluded(key) => Bound::Excluded(key.bytes()),
            Self::Unbounded => Bound::Unbounded,
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Add(Number, Version, &'a [u8]),
    AddBatch(Number, Vec<Version>),
    Get(Key, Number),
    Seek(Key, Number, bool),
    SeekToBytes(&'a [u8]),
    SeekForPrev(Key, Number),
    SeekToFirst,
    SeekToLast,
    Next,
    NextUserKey,
    Prev,
    Range(Limit, Limit, Vec<bool>),
    Freeze,
}

#[derive(Arbitrary, Debug)]
struct Program<'a> {
    /// In units of 64 bytes; none if 0.
    memory_limit: u16,
    steps: Vec<Step<'a>>,
}

/// Internal keys in their order, and the values.
type Model = BTreeMap<(Vec<u8>, Reverse<Tag>), Vec<u8>>;

type Place = (Vec<u8>, Reverse<Tag>);

fn place(user_key: &[u8], tag: Tag) -> Place {
    (user_key.to_vec(), Reverse(tag))
}

fn assert_is(entry: Option<Entry<'_>>, expected: Option<(&Place, &Vec<u8>)>) {
    let found = entry.map(|entry| (entry.user_key(), entry.tag(), entry.value()));
    let expected = expected.map(|((key, Reverse(tag)), value)| (&key[..], *tag, &value[..]));
    assert_eq!(found, expected);
}

struct Run {
    memtable: MemTable<BytewiseComparator>,
    model: Model,
    cursor: OwnedCursor<BytewiseComparator>,
    /// Where the cursor should be.
    at: Option<Place>,
    frozen: bool,
    /// Whether a memory limit is set, and so an addition may be refused for it.
    limited: bool,
}

impl Run {
    fn new(program: &Program<'_>) -> Self {
        let mut options = MemTableOptions::default();
        if program.memory_limit > 0 {
            options.memory_limit_bytes = usize::from(program.memory_limit) * 64;
        }
        let memtable = MemTable::with_options(BytewiseComparator, options);
        Self {
            cursor: memtable.owned_cursor(),
            memtable,
            model: Model::new(),
            at: None,
            frozen: false,
            limited: program.memory_limit > 0,
        }
    }

    /// Checks the outcome of adding `entries`, and adds them to the model if they were added.
    fn added(&mut self, result: Result<(), AddError>, entries: Vec<(Place, Vec<u8>)>) {
        let duplicate = entries
            .iter()
            .find(|(place, _)| self.model.contains_key(place));
        match result {
            Ok(()) => {
                assert!(!self.frozen && duplicate.is_none());
                self.model.extend(entries);
            }
            Err(AddError::Frozen) => assert!(self.frozen),
            Err(AddError::Full(_)) => assert!(self.limited),
            Err(AddError::Duplicate {
                sequence,
                value_type,
            }) => {
                let ((_, Reverse(tag)), _) = duplicate.unwrap();
                assert_eq!(*tag, Tag::new(sequence, value_type));
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn add(&mut self, sequence: SequenceNumber, version: Version, value: &[u8]) {
        let (user_key, value_type) = (version.key.bytes(), version.value_type());
        let result = self.memtable.add(sequence, value_type, user_key, value);
        let place = place(user_key, Tag::new(sequence, value_type));
        self.added(result, vec![(place, value.to_vec())]);
    }

    fn add_batch(&mut self, first: SequenceNumber, versions: &[Version]) {
        let entries = versions
            .iter()
            .map(|version| (version.value_type(), version.key.bytes(), &b"batch"[..]));
        let result = self.memtable.add_batch(first, entries);
        let places: Result<Vec<_>, _> = (0..)
            .zip(versions)
            .map(|(distance, version)| {
                let tag = Tag::new(first.checked_add(distance)?, version.value_type());
                Ok((place(version.key.bytes(), tag), b"batch".to_vec()))
            })
            .collect();
        match places {
            Ok(entries) => self.added(result, entries),
            Err(error) => assert_eq!(result, Err(AddError::SequenceOutOfRange(error))),
        }
    }

    fn get(&self, user_key: &[u8], snapshot: SequenceNumber) {
        let from = place(user_key, Tag::for_seek(snapshot));
        let next = self.model.range(from..).next();
        let expected = next.filter(|((key, _), _)| key == user_key);
        assert_is(self.memtable.get_entry(user_key, snapshot), expected);
        let owned = self.memtable.get_owned(user_key, snapshot);
        assert_is(owned.as_ref().map(|entry| entry.entry()), expected);
        let lookup = match expected {
            None => Lookup::Absent,
            Some(((_, Reverse(tag)), _)) if tag.value_type().is_tombstone() => Lookup::Tombstone,
            Some((_, value)) => Lookup::Value(value),
        };
        assert_eq!(self.memtable.get_at(user_key, snapshot), lookup);
    }

    fn range(&self, start: Limit, end: Limit, fronts: &[bool]) {
        let bounds = (start.bound(), end.bound());
        let mut expected = self.model.iter().filter(|((key, _), _)| {
            let key = &key[..];
            (match start {
                Limit::Included(start) => start.bytes() <= key,
                Limit::Excluded(start) => start.bytes() < key,
                Limit::Unbounded => true,
            }) && match end {
                Limit::Included(end) => key <= end.bytes(),
                Limit::Excluded(end) => key < end.bytes(),
                Limit::Unbounded => true,
            }
        });
        let mut found = self.memtable.range(bounds);
        let mut owned = self.memtable.owned_range(bounds);
        for front in fronts.iter().copied().chain([true; 4]) {
            let (expected, found, owned) = if front {
                (expected.next(), found.next(), owned.next())
            } else {
                (expected.next_back(), found.next_back(), owned.next_back())
            };
            assert_is(found, expected);
            assert_is(owned.as_ref().map(|entry| entry.entry()), expected);
        }
    }

    /// Moves the cursor to the first entry of the model that is not before `place`.
    fn seek(&mut self, user_key: &[u8], tag: Tag) {
        let next = self.model.range(place(user_key, tag)..).next();
        self.at = next.map(|(place, _)| place.clone());
    }

    fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Add(number, version, value) => self.add(number.sequence(), *version, value),
            Step::AddBatch(first, versions) => self.add_batch(first.sequence(), versions),
            Step::Get(key, snapshot) => self.get(key.bytes(), snapshot.sequence()),
            Step::Range(start, end, fronts) => self.range(*start, *end, fronts),
            Step::Freeze => {
                assert_eq!(self.memtable.freeze().len(), self.model.len() as u64);
                self.frozen = true;
            }
            _ => self.move_cursor(step),
        }
    }

    fn move_cursor(&mut self, step: &Step<'_>) {
        let after = |model: &Model, place: Place| {
            let mut range = model.range((Bound::Excluded(place), Bound::Unbounded));
            range.next().map(|(place, _)| place.clone())
        };
        match step {
            Step::Seek(key, number, is_value) => {
                let version = Version {
                    key: *key,
                    is_value: *is_value,
                };
                let tag = Tag::new(number.sequence(), version.value_type());
                let key = InternalKey::new(key.bytes(), tag.sequence(), tag.value_type());
                self.cursor.seek(key.encode()).unwrap();
                self.seek(version.key.bytes(), tag);
            }
            Step::SeekToBytes(bytes) => match strata_dbformat::split_internal_key(bytes) {
                Ok((user_key, tag)) => {
                    self.cursor.seek(bytes).unwrap();
                    self.seek(user_key, tag);
                }
                Err(error) => assert_eq!(self.cursor.seek(bytes), Err(error)),
            },
            Step::SeekForPrev(key, snapshot) => {
                self.cursor.seek_for_prev(key.bytes(), snapshot.sequence());
                let place = place(key.bytes(), Tag::for_seek(snapshot.sequence()));
                let last = self.model.range(..=place).next_back();
                self.at = last.map(|(place, _)| place.clone());
            }
            Step::SeekToFirst => {
                self.cursor.seek_to_first();
                self.at = self.model.keys().next().cloned();
            }
            Step::SeekToLast => {
                self.cursor.seek_to_last();
                self.at = self.model.keys().next_back().cloned();
            }
            Step::Next => {
                self.cursor.next();
                self.at = self.at.take().and_then(|place| after(&self.model, place));
            }
            Step::NextUserKey => {
                self.cursor.next_user_key();
                let last = self.at.take().map(|(key, _)| (key, Reverse(Tag::MIN)));
                self.at = last.and_then(|place| after(&self.model, place));
            }
            Step::Prev => {
                self.cursor.prev();
                let at = self.at.take();
                let before = at.and_then(|place| self.model.range(..place).next_back());
                self.at = before.map(|(place, _)| place.clone());
            }
            _ => unreachable!("not a step of the cursor"),
        }
    }

    fn check_cursor(&self) {
        let expected = self
            .at
            .as_ref()
            .map(|place| self.model.get_key_value(place).unwrap());
        assert_is(self.cursor.entry(), expected);
    }

    fn check_whole(&self) {
        let (memtable, model) = (&self.memtable, &self.model);
        let mut found = memtable.iter();
        let mut backwards = memtable.iter().rev();
        for expected in model {
            assert_is(found.next(), Some(expected));
        }
        for expected in model.iter().rev() {
            assert_is(backwards.next(), Some(expected));
        }
        assert_eq!((found.next(), backwards.next()), (None, None));

        let tags = || model.keys().map(|(_, Reverse(tag))| tag);
        let tombstones = tags().filter(|tag| tag.value_type().is_tombstone()).count();
        assert_eq!(memtable.len(), model.len() as u64);
        assert_eq!(memtable.tombstones(), tombstones as u64);
        assert_eq!(
            memtable.smallest_sequence(),
            tags().map(|tag| tag.sequence()).min()
        );
        assert_eq!(
            memtable.largest_sequence(),
            tags().map(|tag| tag.sequence()).max()
        );
        assert!(memtable.used_bytes() <= memtable.approximate_memory_usage());
    }
}

fuzz_target!(|program: Program<'_>| {
    let mut run = Run::new(&program);
    for step in &program.steps {
        run.step(step);
        run.check_cursor();
    }
    run.check_whole();
    if run.limited {
        let limit = usize::from(program.memory_limit) * 64;
        assert!(run.memtable.approximate_memory_usage() <= limit);
    }
});
