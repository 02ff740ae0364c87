//! The skip list, holding keys and nothing else, beside a B-tree behind a lock.

use benches::{Contestant, KeyShape, LockedBTreeSet, Suite, Workload, criterion};
use strata_dbformat::SequenceNumber;
use strata_skiplist::{Bytewise, Numeric, SkipList};

fn main() {
    let mut criterion = criterion();
    let usual = Workload::new(KeyShape::Decimal, 100_000, 0);
    Suite::<Bytes>::new(&mut criterion, &usual)
        .fill_seq()
        .fill_random()
        .read_random()
        .read_missing()
        .read_seq()
        .read_reverse()
        .seek_random();
    Suite::<LockedBTreeSet>::new(&mut criterion, &usual)
        .fill_seq()
        .fill_random()
        .read_random()
        .read_missing()
        .read_seq()
        .read_reverse()
        .seek_random();

    let prefixed = Workload::new(KeyShape::UserOrder, 100_000, 0);
    Suite::<Bytes>::new(&mut criterion, &prefixed)
        .fill_random()
        .read_random();
    Suite::<LockedBTreeSet>::new(&mut criterion, &prefixed)
        .fill_random()
        .read_random();

    let short = Workload::new(KeyShape::BigEndian, 100_000, 0);
    Suite::<Bytes>::new(&mut criterion, &short)
        .fill_random()
        .read_random();
    Suite::<Integers>::new(&mut criterion, &short)
        .fill_random()
        .read_random();
    criterion.final_summary();
}

/// A list of byte strings.
#[derive(Default)]
struct Bytes(SkipList<[u8], Bytewise>);

impl Contestant for Bytes {
    const NAME: &'static str = "skiplist";

    fn insert(&self, user_key: &[u8], _: SequenceNumber, _: &[u8]) {
        self.0.insert_bytes(user_key).unwrap();
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        _: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        self.0.get(user_key).map(|_| found(&[]))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0.iter().for_each(|key| visit(key, &[]));
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0.iter().rev().for_each(|key| visit(key, &[]));
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.0.cursor();
        cursor.seek(user_key);
        for _ in 0..=nexts {
            let Some(key) = cursor.key() else { return };
            visit(key, &[]);
            cursor.next();
        }
    }
}

/// A list of integers, which have no length to be read and are compared at once.
#[derive(Default)]
struct Integers(SkipList<u64, Numeric>);

impl Integers {
    fn key(user_key: &[u8]) -> u64 {
        u64::from_be_bytes(user_key.try_into().unwrap())
    }
}

impl Contestant for Integers {
    const NAME: &'static str = "skiplist-u64";

    fn insert(&self, user_key: &[u8], _: SequenceNumber, _: &[u8]) {
        self.0.insert(Self::key(user_key)).unwrap();
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        _: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        self.0.get(&Self::key(user_key)).map(|_| found(&[]))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0.iter().for_each(|key| visit(&key.to_be_bytes(), &[]));
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0
            .iter()
            .rev()
            .for_each(|key| visit(&key.to_be_bytes(), &[]));
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0
            .range(Self::key(user_key)..)
            .take(1 + nexts)
            .for_each(|key| visit(&key.to_be_bytes(), &[]));
    }
}
