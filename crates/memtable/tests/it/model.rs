//! Arbitrary programs of additions, lookups at snapshots, seeks and steps against a sorted map.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::ops::Bound;

use quickcheck::{Arbitrary, Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, LookupKey, Tag, ValueType};
use strata_memtable::{AddError, Entry, Lookup, MemTable};

use crate::sequence;

#[derive(Clone, Debug)]
enum Step {
    Add(u64, bool, Vec<u8>, Vec<u8>),
    AddBatch(u64, Vec<(bool, Vec<u8>)>),
    Get(Vec<u8>, u64),
    SeekTo(Vec<u8>, u64),
    SeekForPrev(Vec<u8>, u64),
    SeekToFirst,
    SeekToLast,
    Next,
    NextUserKey,
    Prev,
    Range(Bound<Vec<u8>>, Bound<Vec<u8>>, Vec<bool>),
}

fn user_key(g: &mut Gen) -> Vec<u8> {
    (0..u8::arbitrary(g) % 3)
        .map(|_| *g.choose(b"\0ab\xff").unwrap())
        .collect()
}

fn number(g: &mut Gen) -> u64 {
    u64::from(u8::arbitrary(g) % 32)
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 16 {
            0..4 => Self::Add(
                number(g),
                bool::arbitrary(g),
                user_key(g),
                Vec::arbitrary(g),
            ),
            4 => {
                let entries = (0..number(g) % 5).map(|_| (bool::arbitrary(g), user_key(g)));
                Self::AddBatch(7, entries.collect()).with_first(number(g))
            }
            5 | 6 => Self::Get(user_key(g), number(g)),
            7 => Self::SeekTo(user_key(g), number(g)),
            8 => Self::SeekForPrev(user_key(g), number(g)),
            9 => Self::SeekToFirst,
            10 => Self::SeekToLast,
            11 => Self::NextUserKey,
            12 => Self::Next,
            13 | 14 => Self::Prev,
            _ => {
                let mut bound = || match u8::arbitrary(g) % 3 {
                    0 => Bound::Included(user_key(g)),
                    1 => Bound::Excluded(user_key(g)),
                    _ => Bound::Unbounded,
                };
                Self::Range(bound(), bound(), Vec::arbitrary(g))
            }
        }
    }
}

impl Step {
    fn with_first(self, first: u64) -> Self {
        match self {
            Self::AddBatch(_, entries) => Self::AddBatch(first, entries),
            other => other,
        }
    }
}

fn value_type(is_value: bool) -> ValueType {
    if is_value {
        ValueType::Value
    } else {
        ValueType::Deletion
    }
}

/// Internal keys in their order, and the values.
type Model = BTreeMap<(Vec<u8>, Reverse<Tag>), Vec<u8>>;

type Pair<'a> = (&'a (Vec<u8>, Reverse<Tag>), &'a Vec<u8>);

fn assert_is(entry: Option<Entry<'_>>, expected: Option<Pair<'_>>, step: &Step) {
    let found = entry.map(|entry| (entry.user_key(), entry.tag(), entry.value()));
    let expected = expected.map(|((key, Reverse(tag)), value)| (&key[..], *tag, &value[..]));
    assert_eq!(found, expected, "after {step:?}");
}

fn seek_tag(number: u64) -> Tag {
    Tag::for_seek(sequence(number))
}

struct Run {
    memtable: MemTable<BytewiseComparator>,
    model: Model,
    at: Option<(Vec<u8>, Reverse<Tag>)>,
}

impl Run {
    fn add(&mut self, number: u64, is_value: bool, user_key: &[u8], value: &[u8]) {
        let tag = Tag::new(sequence(number), value_type(is_value));
        let key = (user_key.to_vec(), Reverse(tag));
        let expected = match self.model.entry(key) {
            Slot::Occupied(_) => Err(AddError::Duplicate {
                sequence: tag.sequence(),
                value_type: tag.value_type(),
            }),
            Slot::Vacant(slot) => {
                slot.insert(value.to_vec());
                Ok(())
            }
        };
        let added = self
            .memtable
            .add(tag.sequence(), tag.value_type(), user_key, value);
        assert_eq!(added, expected);
    }

    fn add_batch(&mut self, first: u64, entries: &[(bool, Vec<u8>)]) {
        let keys = (first..)
            .zip(entries)
            .map(|(number, (is_value, user_key))| {
                (
                    user_key.clone(),
                    Reverse(Tag::new(sequence(number), value_type(*is_value))),
                )
            });
        let keys: Vec<_> = keys.collect();
        let duplicate = keys
            .iter()
            .find(|key| self.model.contains_key(key))
            .map(|(_, tag)| AddError::Duplicate {
                sequence: tag.0.sequence(),
                value_type: tag.0.value_type(),
            });
        if duplicate.is_none() {
            self.model
                .extend(keys.into_iter().map(|key| (key, b"batch".to_vec())));
        }
        let entries = entries
            .iter()
            .map(|(is_value, key)| (value_type(*is_value), &key[..], &b"batch"[..]));
        let added = self.memtable.add_batch(sequence(first), entries);
        assert_eq!(added.err(), duplicate);
    }

    fn check_get(&self, user_key: &[u8], snapshot: u64) {
        let from = (user_key.to_vec(), Reverse(seek_tag(snapshot)));
        let expected = self
            .model
            .range(from..)
            .next()
            .filter(|((key, _), _)| key == user_key);
        let entry = self.memtable.get_entry(user_key, sequence(snapshot));
        let step = Step::Get(user_key.to_vec(), snapshot);
        assert_is(entry, expected, &step);
        let lookup = match expected {
            None => Lookup::Absent,
            Some(((_, Reverse(tag)), _)) if tag.value_type().is_tombstone() => Lookup::Tombstone,
            Some((_, value)) => Lookup::Value(value),
        };
        assert_eq!(self.memtable.get_at(user_key, sequence(snapshot)), lookup);
        let key = LookupKey::new(user_key, sequence(snapshot)).unwrap();
        assert_eq!(self.memtable.get(&key), lookup);
        let owned = self.memtable.get_owned(user_key, sequence(snapshot));
        assert_is(owned.as_ref().map(|entry| entry.entry()), expected, &step);
    }

    fn check_range(
        &self,
        start: &Bound<Vec<u8>>,
        end: &Bound<Vec<u8>>,
        fronts: &[bool],
        step: &Step,
    ) {
        let within = |key: &[u8]| {
            let after_start = match start {
                Bound::Included(start) => key >= &start[..],
                Bound::Excluded(start) => key > &start[..],
                Bound::Unbounded => true,
            };
            after_start
                && match end {
                    Bound::Included(end) => key <= &end[..],
                    Bound::Excluded(end) => key < &end[..],
                    Bound::Unbounded => true,
                }
        };
        let mut expected = self.model.iter().filter(|((key, _), _)| within(key));
        let bounds = (
            start.as_ref().map(|key| &key[..]),
            end.as_ref().map(|key| &key[..]),
        );
        let mut found = self.memtable.range(bounds);
        let mut owned = self.memtable.owned_range(bounds);
        for &front in fronts.iter().chain([true; 4].iter()) {
            let (expected, found, owned) = match front {
                true => (expected.next(), found.next(), owned.next()),
                false => (expected.next_back(), found.next_back(), owned.next_back()),
            };
            assert_is(found, expected, step);
            assert_is(owned.as_ref().map(|entry| entry.entry()), expected, step);
        }
    }
}

fn run(steps: &[Step]) {
    let mut run = Run {
        memtable: MemTable::new(BytewiseComparator),
        model: Model::new(),
        at: None,
    };
    let mut cursor = run.memtable.owned_cursor();
    for step in steps {
        let at = run.at.take();
        run.at = at.clone();
        let model = &run.model;
        let first_from = |key: (Vec<u8>, Reverse<Tag>)| model.range(key..).next();
        let after = |bound: Bound<(Vec<u8>, Reverse<Tag>)>| {
            model
                .range((bound, Bound::Unbounded))
                .next()
                .map(|(key, _)| key.clone())
        };
        match step {
            Step::Add(number, is_value, user_key, value) => {
                run.add(*number, *is_value, user_key, value);
            }
            Step::AddBatch(first, entries) => run.add_batch(*first, entries),
            Step::Get(user_key, snapshot) => run.check_get(user_key, *snapshot),
            Step::SeekTo(user_key, snapshot) => {
                cursor.seek_to(user_key, sequence(*snapshot));
                let key = (user_key.clone(), Reverse(seek_tag(*snapshot)));
                run.at = first_from(key).map(|(key, _)| key.clone());
            }
            Step::SeekForPrev(user_key, snapshot) => {
                cursor.seek_for_prev(user_key, sequence(*snapshot));
                let key = (user_key.clone(), Reverse(seek_tag(*snapshot)));
                run.at = model.range(..=key).next_back().map(|(key, _)| key.clone());
            }
            Step::SeekToFirst => {
                cursor.seek_to_first();
                run.at = model.keys().next().cloned();
            }
            Step::SeekToLast => {
                cursor.seek_to_last();
                run.at = model.keys().next_back().cloned();
            }
            Step::Next => {
                cursor.next();
                run.at = at.and_then(|key| after(Bound::Excluded(key)));
            }
            Step::NextUserKey => {
                cursor.next_user_key();
                run.at = at.and_then(|(key, _)| after(Bound::Excluded((key, Reverse(Tag::MIN)))));
            }
            Step::Prev => {
                cursor.prev();
                run.at =
                    at.and_then(|key| model.range(..key).next_back().map(|(key, _)| key.clone()));
            }
            Step::Range(start, end, fronts) => run.check_range(start, end, fronts, step),
        }
        let expected = run.at.as_ref().and_then(|key| run.model.get_key_value(key));
        assert_is(cursor.entry(), expected, step);
        check_stats(&run);
    }
    assert_eq!(run.memtable.iter().count(), run.model.len());
    assert_eq!(run.memtable.iter().rev().count(), run.model.len());
}

fn check_stats(run: &Run) {
    let (memtable, model) = (&run.memtable, &run.model);
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
    let user_key = |key: Option<&(Vec<u8>, Reverse<Tag>)>| key.map(|(key, _)| key.clone());
    let first = memtable.first().map(|entry| entry.user_key().to_vec());
    let last = memtable.last().map(|entry| entry.user_key().to_vec());
    assert_eq!(first, user_key(model.keys().next()));
    assert_eq!(last, user_key(model.keys().next_back()));
}

#[test]
fn any_program_does_what_a_sorted_map_does() {
    fn holds(steps: Vec<Step>) -> bool {
        run(&steps);
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(150, 5))
        .tests(3000)
        .quickcheck(holds as fn(_) -> _);
}
