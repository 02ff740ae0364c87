//! The memtable, beside a B-tree behind a lock that holds versions as well.

use benches::{Contestant, KeyShape, LockedBTreeMap, Suite, Workload, criterion};
use criterion::Criterion;
use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::MemTable;

fn main() {
    let mut criterion = criterion();
    compete::<Strata>(&mut criterion);
    compete::<LockedBTreeMap>(&mut criterion);
    criterion.final_summary();
}

fn compete<C: Contestant>(criterion: &mut Criterion) {
    let usual = Workload::new(KeyShape::Decimal, 100_000, 100);
    Suite::<C>::new(criterion, &usual)
        .fill_seq()
        .fill_random()
        .overwrite()
        .read_random()
        .read_missing()
        .read_seq()
        .read_reverse()
        .seek_random();
    let short = Workload::new(KeyShape::BigEndian, 100_000, 8);
    let prefixed = Workload::new(KeyShape::UserOrder, 100_000, 100);
    let versions = Workload::new(KeyShape::Decimal, 10_000, 100).versions(10);
    for workload in [short, prefixed, versions] {
        Suite::<C>::new(criterion, &workload)
            .fill_random()
            .read_random();
    }
}

#[derive(Default)]
struct Strata(MemTable<BytewiseComparator>);

impl Contestant for Strata {
    const NAME: &'static str = "memtable";

    fn insert(&self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        self.0
            .add(sequence, ValueType::Value, user_key, value)
            .unwrap();
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        self.0.get_at(user_key, snapshot).value().map(found)
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0
            .iter()
            .for_each(|entry| visit(entry.user_key(), entry.value()));
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0
            .iter()
            .rev()
            .for_each(|entry| visit(entry.user_key(), entry.value()));
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.0.cursor();
        cursor.seek_to(user_key, SequenceNumber::MAX);
        for _ in 0..=nexts {
            let Some(entry) = cursor.entry() else { return };
            visit(entry.user_key(), entry.value());
            cursor.next();
        }
    }
}
