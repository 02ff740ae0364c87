//! The cursor against a list, in blocks with restart points near and far.

use quickcheck::{Arbitrary, Gen, QuickCheck};
use strata_block::{Block, BlockCursor, Compression};

use crate::support::{Entry, list, only, source, write};

/// A move of the cursor.
#[derive(Clone, Debug)]
enum Step {
    Advance,
    Retreat,
    Rewind,
    Last,
    Seek(Vec<u8>),
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 8 {
            0..=2 => Self::Advance,
            3..=5 => Self::Retreat,
            6 if bool::arbitrary(g) => Self::Rewind,
            6 => Self::Last,
            _ => Self::Seek(key(g)),
        }
    }
}

/// Keys of few letters, which share a lot.
fn key(g: &mut Gen) -> Vec<u8> {
    let length = usize::arbitrary(g) % 6;
    (0..length).map(|_| b'a' + u8::arbitrary(g) % 3).collect()
}

#[derive(Clone, Debug)]
struct Walk {
    entries: Vec<Entry>,
    interval: usize,
    steps: Vec<Step>,
}

impl Arbitrary for Walk {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut entries: Vec<Entry> = (0..usize::arbitrary(g) % 60)
            .map(|_| (key(g), Vec::arbitrary(g)))
            .collect();
        entries.sort();
        entries.dedup_by(|a, b| a.0 == b.0);
        Self {
            entries,
            interval: [0, 1, 2, 3, 16, 1 << 20][usize::arbitrary(g) % 6],
            steps: Vec::arbitrary(g),
        }
    }
}

fn block(entries: &[Entry], interval: usize) -> Block {
    let file = write(entries, interval, Compression::None);
    source(&file).read_block(only(&file)).unwrap()
}

/// Before the entry of this number, and at the one before it if there was a move to that.
fn walk(
    Walk {
        entries,
        interval,
        steps,
    }: Walk,
) -> bool {
    let block = block(&entries, interval);
    assert_eq!(list(&block).unwrap(), entries);
    let mut cursor = BlockCursor::default();
    // Where the next entry is that `advance` gives, and whether there is a current one before it.
    let (mut next, mut is_at_entry) = (0, false);
    for step in steps {
        let expected = match &step {
            Step::Advance if next < entries.len() => Some(next),
            Step::Retreat if is_at_entry => next.checked_sub(2),
            Step::Retreat => next.checked_sub(1),
            Step::Seek(key) => {
                let first = entries.partition_point(|entry| entry.0 < *key);
                (first < entries.len()).then_some(first)
            }
            _ => None,
        };
        let found = match &step {
            Step::Advance => cursor.advance(&block).unwrap(),
            Step::Retreat => cursor.retreat(&block).unwrap(),
            Step::Seek(key) => cursor.seek(&block, |it| it < &key[..]).unwrap(),
            Step::Rewind => {
                cursor.rewind();
                (next, is_at_entry) = (0, false);
                continue;
            }
            Step::Last => {
                cursor.move_after_last(&block);
                (next, is_at_entry) = (entries.len(), false);
                continue;
            }
        };
        assert_eq!(found, expected.is_some(), "{step:?}");
        if let Some(at) = expected {
            let entry = (cursor.key().to_vec(), cursor.value(&block).to_vec());
            assert_eq!(entry, entries[at], "{step:?}");
            (next, is_at_entry) = (at + 1, true);
        } else if matches!(step, Step::Seek(_)) {
            cursor.rewind();
            (next, is_at_entry) = (0, false);
        }
    }
    true
}

#[test]
fn the_cursor_moves_as_in_a_list() {
    QuickCheck::new()
        .tests(1000)
        .quickcheck(walk as fn(Walk) -> bool);
}

/// What is said then is unspecified, but said.
fn stray(a: Walk, b: Walk) -> bool {
    let blocks = [block(&a.entries, a.interval), block(&b.entries, b.interval)];
    let mut cursor = BlockCursor::default();
    for (i, step) in a.steps.iter().chain(&b.steps).enumerate() {
        let block = &blocks[i % 2];
        let _ = match step {
            Step::Advance => cursor.advance(block),
            Step::Retreat => cursor.retreat(block),
            Step::Seek(key) => cursor.seek(block, |it| it < &key[..]),
            Step::Rewind => {
                cursor.skip_to_restart(block);
                Ok(false)
            }
            Step::Last => cursor.handle(block).map(|_| true),
        };
        let _ = (cursor.key(), cursor.value(block), cursor.position());
    }
    true
}

#[test]
fn a_cursor_that_is_given_another_block_does_not_panic() {
    QuickCheck::new()
        .tests(1000)
        .quickcheck(stray as fn(Walk, Walk) -> bool);
}
