//! Memtables in huge pages hold what others hold, and with a limit as much.

use strata_dbformat::{BytewiseComparator, ValueType};
use strata_memtable::{Lookup, MemTable, MemTableOptions};

use crate::sequence;

/// Whether the option has an effect.
const HAS_EFFECT: bool = cfg!(all(feature = "huge-pages", target_os = "linux", not(miri)));

fn filled(memory_limit_bytes: usize, huge_pages: bool) -> MemTable<BytewiseComparator> {
    let options = MemTableOptions {
        memory_limit_bytes,
        huge_pages,
        ..MemTableOptions::default()
    };
    let memtable = MemTable::with_options(BytewiseComparator, options);
    for number in 0..60_000u32 {
        let key = number.reverse_bits().to_be_bytes();
        let added = memtable.add(sequence(number.into()), ValueType::Value, &key, &[7; 100]);
        if added.is_err() {
            break;
        }
    }
    memtable
}

#[test]
fn a_memtable_in_huge_pages_holds_what_another_holds() {
    let (huge, plain) = (filled(usize::MAX, true), filled(usize::MAX, false));
    assert_eq!((huge.len(), plain.len()), (60_000, 60_000));
    assert!(huge.iter().eq(plain.iter()));
    let key = 59_999u32.reverse_bits().to_be_bytes();
    assert_eq!(
        huge.get_at(&key, sequence(60_000)),
        Lookup::Value(&[7; 100])
    );
    let usage = [&huge, &plain].map(|memtable| memtable.approximate_memory_usage());
    assert_eq!(usage[0] != usage[1], HAS_EFFECT, "{usage:?}");
    // One for entries and one for nodes may not be full.
    assert!(usage[0] <= usage[1] + 2 * (2 << 20), "{usage:?}");
}

#[test]
fn huge_pages_leave_little_of_a_limit_unused() {
    for limit in [1 << 20, 3 << 20, 5 << 20] {
        let (huge, plain) = (filled(limit, true), filled(limit, false));
        let entries = (huge.len(), plain.len());
        assert!(
            entries.1 < 60_000 && entries.0 > entries.1 / 100 * 95,
            "{entries:?}"
        );
    }
}
