//! Random faults, and which bytes are still where they were.

use std::cell::OnceCell;
use std::ops::Range;

use crate::random::Random;

/// A file after some faults.
#[derive(Clone, Debug)]
pub(crate) struct Damaged {
    pub(crate) bytes: Vec<u8>,
    /// Where each byte was written; `None` for one that was changed or put in.
    origins: Vec<Option<usize>>,
    /// Where each byte that was written is now, once that is asked.
    places: OnceCell<Vec<Option<usize>>>,
    /// The faults that were put in, for the reader of a failure.
    pub(crate) faults: Vec<String>,
}

impl Damaged {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            origins: (0..bytes.len()).map(Some).collect(),
            places: OnceCell::new(),
            faults: Vec::new(),
        }
    }

    /// Where the bytes written at `range` are now, if all of them are left and in a row.
    pub(crate) fn place_of(&self, range: &Range<usize>) -> Option<usize> {
        let places = self.places.get_or_init(|| {
            let last = self.origins.iter().flatten().max();
            let mut places = vec![None; last.map_or(0, |last| last + 1)];
            for (at, origin) in self.origins.iter().enumerate() {
                if let Some(origin) = origin {
                    places[*origin] = Some(at);
                }
            }
            places
        });
        let first = (*places.get(range.start)?)?;
        let now = self.origins.get(first..first + range.len())?;
        let is_whole = now.iter().copied().eq(range.clone().map(Some));
        is_whole.then_some(first)
    }

    /// Whether every byte that is left is where it was written.
    pub(crate) fn is_in_place(&self) -> bool {
        let mut origins = self.origins.iter().enumerate();
        origins.all(|(at, origin)| origin.is_none_or(|origin| origin == at))
    }

    /// One to four faults; `parts` are the ranges of what stands or falls together.
    pub(crate) fn random(bytes: &[u8], parts: &[Range<usize>], random: &mut Random) -> Self {
        let mut damaged = Self::new(bytes);
        for _ in 0..1 + random.below(4) {
            if damaged.bytes.is_empty() {
                break;
            }
            let length = damaged.bytes.len();
            let at = random.below(length);
            match random.below(10) {
                0..=2 => damaged.flip(at, 1 << random.below(8)),
                3 => damaged.zero(at / 512 * 512, 512),
                4 => damaged.zero(at, 1 + random.below(6000)),
                5 => damaged.truncate(at.max(length / 3)),
                6 => {
                    let length = random.pick(&[1, 7, 64, 512, 4096]);
                    damaged.insert(at, &random.bytes(length));
                }
                7 => damaged.remove(at, random.pick(&[1, 7, 64, 512, 4096])),
                8 => damaged.swap_sectors(at, random.below(length), random.pick(&[512, 4096])),
                _ => {
                    let one = &parts[random.below(parts.len())];
                    damaged.swap_parts(one, &parts[random.below(parts.len())]);
                }
            }
        }
        damaged
    }

    /// What is done now, by which the places change.
    fn note(&mut self, fault: String) {
        self.faults.push(fault);
        self.places.take();
    }

    pub(crate) fn flip(&mut self, at: usize, bits: u8) {
        self.note(format!("flip {bits:#04x} at {at}"));
        self.bytes[at] ^= bits;
        self.origins[at] = None;
    }

    pub(crate) fn zero(&mut self, at: usize, length: usize) {
        let end = self.bytes.len().min(at + length);
        self.note(format!("zero {at}..{end}"));
        let bytes = self.bytes[at..end].iter_mut();
        for (byte, origin) in bytes.zip(&mut self.origins[at..end]) {
            // Bytes that were zero are as they were.
            if *byte != 0 {
                *byte = 0;
                *origin = None;
            }
        }
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.note(format!("cut at {length}"));
        self.bytes.truncate(length);
        self.origins.truncate(length);
    }

    pub(crate) fn insert(&mut self, at: usize, bytes: &[u8]) {
        self.note(format!("insert {} bytes at {at}", bytes.len()));
        self.bytes.splice(at..at, bytes.iter().copied());
        self.origins
            .splice(at..at, bytes.iter().map(|_| None::<usize>));
    }

    pub(crate) fn remove(&mut self, at: usize, length: usize) {
        let end = self.bytes.len().min(at + length);
        self.note(format!("remove {at}..{end}"));
        self.bytes.drain(at..end);
        self.origins.drain(at..end);
    }

    pub(crate) fn swap_sectors(&mut self, one: usize, other: usize, length: usize) {
        let (one, other) = (one.min(other) / length, one.max(other) / length);
        let (one, other) = (one * length, other * length);
        if one == other || other + length > self.bytes.len() {
            return;
        }
        self.swap(one..one + length, other..other + length);
    }

    fn swap_parts(&mut self, one: &Range<usize>, other: &Range<usize>) {
        let (Some(first), Some(second)) = (self.place_of(one), self.place_of(other)) else {
            return;
        };
        let (one, other) = (first..first + one.len(), second..second + other.len());
        match one.start.cmp(&other.start) {
            std::cmp::Ordering::Less => self.swap(one, other),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => self.swap(other, one),
        }
    }

    /// Two ranges, of which the first ends before the second begins, change places.
    fn swap(&mut self, one: Range<usize>, other: Range<usize>) {
        self.note(format!("swap {one:?} with {other:?}"));
        swap(&mut self.bytes, &one, &other);
        swap(&mut self.origins, &one, &other);
    }
}

fn swap<T: Clone>(items: &mut Vec<T>, one: &Range<usize>, other: &Range<usize>) {
    let swapped = [
        &items[other.clone()],
        &items[one.end..other.start],
        &items[one.clone()],
    ]
    .concat();
    items.splice(one.start..other.end, swapped);
}

#[test]
fn what_was_moved_is_found_and_what_was_changed_is_not() {
    let bytes: Vec<u8> = (0..100).collect();
    let mut damaged = Damaged::new(&bytes);
    damaged.swap_parts(&(20..30), &(50..70));
    assert_eq!(damaged.place_of(&(50..70)), Some(20));
    assert_eq!(damaged.place_of(&(20..30)), Some(60));
    assert_eq!(damaged.place_of(&(45..70)), None);
    assert!(!damaged.is_in_place());
    damaged.insert(0, b"xyz");
    damaged.flip(30, 1);
    assert_eq!(damaged.place_of(&(0..20)), Some(3));
    assert_eq!(damaged.place_of(&(50..70)), None);
    assert_eq!(damaged.place_of(&(80..100)), Some(83));
    damaged.truncate(102);
    assert_eq!(damaged.place_of(&(80..100)), None);
}
