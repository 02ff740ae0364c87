//! Tables of which parts are damaged: what is whole is read, nothing is wrong, all else is told.

use std::collections::BTreeMap;

use strata_dbformat::BytewiseComparator;
use strata_table::{
    BlockFault, Compression, Damage, Entry, Fault, KeyRange, Scan, Table, TableOptions,
};

use crate::craft::{Craft, Handle, block, encode, ikey, raw_entry, table, with_restarts};
use crate::support::{
    Random, available, entry, longest_block, open, options, small, small_tables, write,
};

/// What a scan gives.
struct Scanned {
    entries: Vec<Entry>,
    damage: Vec<Damage>,
    is_carved: bool,
}

fn scan(bytes: &[u8]) -> Scanned {
    let mut scan = Scan::new(bytes).unwrap();
    let (mut entries, mut damage) = (Vec::new(), Vec::new());
    let mut last = 0;
    while let Some(block) = scan.next_block(&mut |it| damage.push(it)).unwrap() {
        assert!(block.offset() >= last, "in the order of the file");
        last = block.offset() + block.stored_bytes();
        assert!(scan.compressions().contains(block.compression()));
        let mut block = block;
        let mut any = false;
        while block.advance() {
            let found = block.entry().unwrap();
            entries.push(Entry {
                internal_key: strata_dbformat::InternalKey::decode(found.internal_key).unwrap(),
                value: found.value.to_vec(),
            });
            any = true;
        }
        assert!(any, "a block with entries");
    }
    assert!(scan.next_block(&mut |it| panic!("{it}")).unwrap().is_none());
    for damage in &damage {
        assert!(
            damage.offset + damage.bytes <= bytes.len() as u64,
            "{damage}"
        );
    }
    assert_eq!(scan.is_carved(), scan.carved_because().is_some());
    Scanned {
        entries,
        damage,
        is_carved: scan.is_carved(),
    }
}

/// The entries of each data block of a whole table, by where it is.
fn blocks(bytes: &[u8]) -> BTreeMap<u64, Vec<Entry>> {
    let table = open(bytes, BytewiseComparator).unwrap();
    let mut cursor = table.cursor();
    let mut blocks = BTreeMap::<u64, Vec<Entry>>::new();
    cursor.seek_to_first().unwrap();
    for entry in table.entries() {
        let offset = cursor.block_offset().unwrap();
        blocks.entry(offset).or_default().push(entry.unwrap());
        cursor.next().unwrap();
    }
    blocks
}

/// Where the data blocks end.
fn data_end(bytes: &[u8]) -> usize {
    let metaindex = strata_coding::get_varint64(&bytes[bytes.len() - 48..])
        .unwrap()
        .0;
    let filter = open(bytes, BytewiseComparator).unwrap().has_filter();
    let mut end = usize::try_from(metaindex).unwrap();
    if filter {
        // Before the metaindex; found as the only gap that `verify` knows no data block in.
        let last = *blocks(bytes).keys().last().unwrap();
        let mut scan = Scan::new(bytes).unwrap();
        while let Some(block) = scan.next_block(&mut |it| panic!("{it}")).unwrap() {
            if block.offset() == last {
                end = usize::try_from(last + block.stored_bytes() + 5).unwrap();
            }
        }
    }
    end
}

/// All entries but those of the block that has the byte at `at`.
fn without_block(blocks: &BTreeMap<u64, Vec<Entry>>, end: usize, at: usize) -> Vec<Entry> {
    let hit = blocks
        .range(..=at as u64)
        .next_back()
        .map(|(start, _)| *start);
    let hit = hit.filter(|_| at < end);
    let rest = blocks.iter().filter(|(start, _)| Some(**start) != hit);
    rest.flat_map(|(_, entries)| entries.clone()).collect()
}

#[test]
fn a_whole_table_is_all_there() {
    for bytes in small_tables() {
        let found = scan(&bytes);
        assert_eq!(found.entries, small());
        assert_eq!(found.damage, []);
        assert!(!found.is_carved);
    }
    assert!(
        scan(&write(&[], BytewiseComparator, &TableOptions::default()).0)
            .damage
            .is_empty()
    );
}

#[test]
fn every_flipped_byte_costs_the_block_it_is_in() {
    for bytes in small_tables() {
        let (blocks, end) = (blocks(&bytes), data_end(&bytes));
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                let found = scan(&damaged);
                let expected = without_block(&blocks, end, at);
                assert_eq!(found.entries, expected, "byte {at} of {}", bytes.len());
                let lost = expected.len() < small().len();
                assert_eq!(
                    found
                        .damage
                        .iter()
                        .any(|it| it.bytes > 0 && !found.is_carved),
                    lost
                );
                assert!(!found.is_carved || !found.damage.is_empty());
            }
        }
    }
}

#[test]
fn every_truncation_costs_what_is_cut_off() {
    for bytes in small_tables() {
        let (blocks, end) = (blocks(&bytes), data_end(&bytes));
        let starts: Vec<u64> = blocks.keys().copied().chain([end as u64]).collect();
        for length in 0..bytes.len() {
            let found = scan(&bytes[..length]);
            let whole = starts.windows(2).filter(|block| block[1] <= length as u64);
            let expected: Vec<Entry> = whole.flat_map(|block| blocks[&block[0]].clone()).collect();
            assert_eq!(found.entries, expected, "{length} of {} bytes", bytes.len());
            assert!(found.is_carved);
            assert!(!found.damage.is_empty());
        }
    }
}

#[test]
fn every_inserted_and_every_dropped_byte_costs_the_block_it_is_in() {
    for bytes in small_tables() {
        let (blocks, end) = (blocks(&bytes), data_end(&bytes));
        let starts: Vec<usize> = blocks
            .keys()
            .map(|it| usize::try_from(*it).unwrap())
            .collect();
        for at in 0..bytes.len() {
            let mut longer = bytes.clone();
            longer.insert(at, 0x55);
            // Between two blocks it hits neither.
            let expected = match starts.contains(&at) || at == end {
                true => small(),
                false => without_block(&blocks, end, at),
            };
            let found = scan(&longer);
            assert_eq!(
                found.entries,
                expected,
                "inserted at {at} of {}",
                bytes.len()
            );
            // Before the footer it is in nobody's way, or only changes the metaindex's handle.
            assert!(!found.damage.is_empty() || at >= bytes.len() - 48);

            let mut shorter = bytes.clone();
            shorter.remove(at);
            let found = scan(&shorter);
            assert_eq!(
                found.entries,
                without_block(&blocks, end, at),
                "dropped {at}"
            );
            assert!(!found.damage.is_empty());
        }
    }
}

fn numbered(count: usize) -> Vec<Entry> {
    (0..count)
        .map(|i| {
            let key = format!("key{i:06}");
            entry(
                key.as_bytes(),
                i as u64 + 1,
                Some(key.repeat(1 + i % 9).as_bytes()),
            )
        })
        .collect()
}

fn user_key(key: &str) -> Option<Vec<u8>> {
    Some(key.as_bytes().to_vec())
}

#[test]
fn the_keys_between_which_something_is_missing_are_told() {
    let cells: Vec<(Vec<u8>, Vec<u8>)> = ["a", "b", "c", "d"]
        .iter()
        .map(|key| (block(&[(&ikey(key, 1), key.as_bytes())]), ikey(key, 1)))
        .collect();
    let parts: Vec<(&[u8], &[u8])> = cells.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    let bytes = table(&parts);
    let length = cells[0].0.len() + 5;
    let keys = |after: Option<&str>, upto: &str| {
        let after = after.map(|key| key.as_bytes().to_vec());
        Some(KeyRange {
            after,
            upto: user_key(upto),
        })
    };
    for (lost, expected) in [
        (0..1, vec![keys(None, "a")]),
        (1..2, vec![keys(Some("a"), "b")]),
        (1..3, vec![keys(Some("a"), "b"), keys(Some("b"), "c")]),
        (3..4, vec![keys(Some("c"), "d")]),
    ] {
        let mut damaged = bytes.clone();
        for i in lost.clone() {
            damaged[i * length + 3] ^= 1;
        }
        let found = scan(&damaged);
        let told: Vec<_> = found.damage.iter().map(|it| it.keys.clone()).collect();
        assert_eq!(told, expected);
        for (damage, i) in found.damage.iter().zip(lost.clone()) {
            assert_eq!(
                (damage.offset, damage.bytes),
                ((i * length) as u64, length as u64)
            );
            assert!(matches!(
                damage.fault,
                Fault::Block(BlockFault::Checksum { .. })
            ));
        }
        // Without the footer the index is found by its checksum, and still says the keys.
        let magic = damaged.len() - 1;
        damaged[magic] ^= 1;
        let found = scan(&damaged);
        assert!(found.is_carved);
        let all = KeyRange {
            after: expected[0].as_ref().unwrap().after.clone(),
            upto: expected.last().unwrap().as_ref().unwrap().upto.clone(),
        };
        let told: Vec<_> = found.damage.iter().filter(|it| it.keys.is_some()).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].keys, Some(all));
        assert_eq!(told[0].bytes, (lost.len() * length) as u64);
        assert_eq!(found.entries.len(), 4 - lost.len());
    }
    // Blocks that are gone altogether.
    let mut shorter = bytes.clone();
    shorter.drain(length..2 * length);
    let found = scan(&shorter);
    assert_eq!(found.entries.len(), 3);
    let told: Vec<_> = found.damage.iter().filter(|it| it.keys.is_some()).collect();
    assert_eq!(told[0].keys, keys(Some("a"), "b"));
}

/// Zeroed and noisy sectors, cuts, insertions, blocks that change places: whatever is left whole
/// is read, and nothing else.
#[test]
fn any_few_faults_cost_the_blocks_they_hit() {
    let entries = numbered(3000);
    let mut random = Random::new(77);
    for compression in available() {
        let (bytes, _) = write(
            &entries,
            BytewiseComparator,
            &options(compression, Some(10), 1024),
        );
        let whole = blocks(&bytes);
        let end = data_end(&bytes);
        let starts: Vec<usize> = whole
            .keys()
            .map(|it| usize::try_from(*it).unwrap())
            .collect();
        let ends: Vec<usize> = starts[1..].iter().copied().chain([end]).collect();
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..=random.uniform(3) {
                let at = random.uniform(damaged.len());
                let length = random.uniform(3000).min(damaged.len() - at);
                match random.uniform(5) {
                    0 => damaged[at..at + length].fill(0),
                    1 => damaged[at..at + length]
                        .iter_mut()
                        .for_each(|byte| *byte = u8::try_from(random.uniform(256)).unwrap()),
                    2 => drop(damaged.drain(at..at + length)),
                    3 => drop(damaged.splice(at..at, vec![0xaa; length])),
                    _ => {
                        let i = random.uniform(starts.len() - 1);
                        let swapped = [
                            &bytes[starts[i + 1]..ends[i + 1]],
                            &bytes[starts[i]..ends[i]],
                        ]
                        .concat();
                        if let Some(place) = damaged.get_mut(starts[i]..ends[i + 1]) {
                            place.copy_from_slice(&swapped);
                        }
                    }
                }
            }
            let found = scan(&damaged);
            let all: BTreeMap<Vec<u8>, &Entry> = entries
                .iter()
                .map(|entry| (entry.internal_key.encode().to_vec(), entry))
                .collect();
            for entry in &found.entries {
                assert_eq!(all[entry.internal_key.encode()], entry, "a wrong entry");
            }
            let mut expected = 0;
            for (i, block) in whole.values().enumerate() {
                let sealed = &bytes[starts[i]..ends[i]];
                if damaged.windows(sealed.len()).any(|window| window == sealed) {
                    for entry in block {
                        assert!(
                            found.entries.contains(entry),
                            "{compression}: lost {entry:?}"
                        );
                    }
                    expected += block.len();
                }
            }
            assert!(found.entries.len() >= expected);
            assert!(expected == entries.len() || !found.damage.is_empty());
        }
    }
}

#[test]
fn a_bad_internal_key_costs_itself() {
    let bad = block(&[
        (&ikey("a", 1), b"1"),
        (b"short", b"2"),
        (&ikey("c", 1), b"3"),
    ]);
    let good = block(&[(&ikey("d", 1), b"4")]);
    let bytes = table(&[(&bad, &ikey("c", 1)), (&good, &ikey("d", 1))]);
    let found = scan(&bytes);
    let left = [("a", b"1"), ("c", b"3"), ("d", b"4")];
    assert_eq!(
        found.entries,
        left.map(|(key, value)| entry(key.as_bytes(), 1, Some(value)))
    );
    assert_eq!(found.damage.len(), 1);
    assert!(matches!(found.damage[0].fault, Fault::Key { .. }));
    let keys = found.damage[0].keys.as_ref().unwrap();
    assert_eq!(
        (keys.after.clone(), keys.upto.clone()),
        (None, user_key("c"))
    );
    assert_eq!((found.damage[0].offset, found.damage[0].bytes), (0, 9));
}

#[test]
fn an_entry_that_is_not_well_formed_costs_those_up_to_the_next_restart_point() {
    let first = raw_entry(0, &ikey("a", 1), b"1");
    let bad = raw_entry(200, &ikey("b", 1), b"2");
    let lost = raw_entry(0, &ikey("c", 1), b"3");
    let restart = raw_entry(0, &ikey("d", 1), b"4");
    let point = u32::try_from(first.len() + bad.len() + lost.len()).unwrap();
    let contents = with_restarts(&[first, bad, lost.clone(), restart].concat(), &[0, point]);
    let found = scan(&table(&[(&contents, &ikey("d", 1))]));
    let left = [("a", b"1"), ("d", b"4")];
    assert_eq!(
        found.entries,
        left.map(|(key, value)| entry(key.as_bytes(), 1, Some(value)))
    );
    assert_eq!(found.damage.len(), 1);
    assert_eq!(found.damage[0].bytes, 2 * lost.len() as u64);

    // In the last interval, up to the end.
    let contents = with_restarts(
        &[&raw_entry(0, &ikey("a", 1), b"1")[..], &[0, 200, 0]].concat(),
        &[0],
    );
    let found = scan(&table(&[(&contents, &ikey("d", 1))]));
    assert_eq!((found.entries.len(), found.damage.len()), (1, 1));
}

#[test]
fn values_that_are_block_handles_are_not_taken_for_an_index() {
    // Each a block of its own, whose only value could be a handle of something before it.
    let values: Vec<Vec<u8>> = (0..40).map(|i| encode((i, 1))).collect();
    let entries: Vec<Entry> = (0..40_u8)
        .map(|i| entry(&[b'k', i], 1, Some(&values[usize::from(i)])))
        .collect();
    let options = options(Compression::None, None, 1);
    let (bytes, _) = write(&entries, BytewiseComparator, &options);
    let without_footer = scan(&bytes[..bytes.len() - 48]);
    assert_eq!(without_footer.entries, entries);
    let without_index = scan(&bytes[..data_end(&bytes)]);
    assert_eq!(without_index.entries, entries);
}

#[test]
fn an_index_is_never_taken_for_data() {
    for bytes in small_tables() {
        let (blocks, end) = (blocks(&bytes), data_end(&bytes));
        let starts: Vec<u64> = blocks.keys().copied().collect();
        // Only the index is whole; only it and the metaindex; it and some of the data.
        for keep in 0..=starts.len() {
            for meta in [false, true] {
                let from = starts
                    .get(keep)
                    .map_or(end, |it| usize::try_from(*it).unwrap());
                let mut damaged = bytes.clone();
                let until = match meta {
                    true => end,
                    false => end + 8,
                };
                damaged[from..until.max(from)].fill(0x77);
                let length = damaged.len();
                damaged.truncate(length - 20);
                let found = scan(&damaged);
                for entry in &found.entries {
                    assert!(small().contains(entry), "{entry:?}");
                }
                let expected: usize = blocks.values().take(keep).map(Vec::len).sum();
                assert_eq!(found.entries.len(), expected);
            }
        }
    }
}

/// A table that is stored as a value is no part of the table around it, damaged or not.
#[test]
fn a_table_that_is_a_value_gives_no_entries() {
    let (inner, _) = write(
        &numbered(200),
        BytewiseComparator,
        &options(Compression::None, None, 500),
    );
    let outer = [
        entry(b"a", 1, Some(b"before")),
        entry(b"b", 2, Some(&inner)),
        entry(b"c", 3, Some(b"after")),
    ];
    let (bytes, _) = write(
        &outer,
        BytewiseComparator,
        &options(Compression::None, None, 1),
    );
    let with = |at: Option<usize>, cut: usize| {
        let mut bytes = bytes[..bytes.len() - cut].to_vec();
        if let Some(at) = at {
            bytes[at] ^= 1;
        }
        scan(&bytes).entries
    };
    let value = blocks(&bytes).keys().copied().nth(1).unwrap();
    let key = usize::try_from(value).unwrap() + 5;
    assert_eq!(with(None, 0), outer);
    assert_eq!(with(None, 1), outer, "carved");
    assert_eq!(
        with(None, bytes.len() - data_end(&bytes)),
        outer,
        "without the index"
    );
    let left = [outer[0].clone(), outer[2].clone()];
    assert_eq!(with(Some(key), 0), left);
    assert_eq!(with(Some(key), 1), left, "carved, with the index");
}

#[test]
fn what_was_never_a_table_gives_nothing_and_is_told() {
    let mut random = Random::new(5);
    let noise: Vec<u8> = (0..50_000)
        .map(|_| u8::try_from(random.uniform(256)).unwrap())
        .collect();
    let text = b"version https://git-lfs.github.com/spec/v1\n".repeat(30);
    for bytes in [&[][..], b"x", &[0; 10_000], &noise, &text] {
        let found = scan(bytes);
        assert!(found.is_carved && found.entries.is_empty());
        let told: u64 = found.damage.iter().map(|it| it.bytes).sum();
        assert_eq!(told, bytes.len() as u64);
    }
}

/// 60 000 blocks, each of which is the end of all those before it: overlapping without end.
#[test]
fn blocks_within_blocks_are_looked_at_in_proportion_to_the_file() {
    let mut bytes = Vec::new();
    let mut craft = Craft::default();
    for _ in 0..60_000 {
        let _: Handle = craft.block(&[], 0);
    }
    bytes.append(&mut craft.bytes);
    let begin = std::time::Instant::now();
    assert!(scan(&bytes).entries.is_empty());
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[test]
fn the_longest_block_bounds_a_scan_too() {
    let value = vec![0; 1 << 20];
    let entries = [entry(b"a", 1, Some(b"small")), entry(b"b", 1, Some(&value))];
    for compression in available() {
        let (bytes, _) = write(&entries, BytewiseComparator, &options(compression, None, 1));
        let options = longest_block(1 << 16);
        let opened = Table::open_with(&bytes[..], BytewiseComparator, &options);
        let mut scan = Scan::with_options(&bytes[..], &options).unwrap();
        let mut damage = Vec::new();
        let mut found = 0;
        while let Some(mut block) = scan.next_block(&mut |it| damage.push(it)).unwrap() {
            while block.advance() {
                found += 1;
            }
        }
        assert_eq!(found, 1, "{compression}");
        assert!(
            opened.is_err() || matches!(damage[0].fault, Fault::Block(BlockFault::TooLong { .. }))
        );
    }
}

/// A block of handles with nothing whole beside it: by itself it could be the index, but the index
/// behind it has a block of its length and with its last key.
#[test]
fn a_block_of_handles_that_the_index_names_is_data() {
    let cell = |key: &str, value: &[u8]| (block(&[(&ikey(key, 1), value)]), ikey(key, 1));
    let cells = [
        cell("a", b"some longer value"),
        cell("b", &encode((0, 7))),
        cell("c", b"some longer value"),
    ];
    let parts: Vec<(&[u8], &[u8])> = cells.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    let mut bytes = table(&parts);
    let (a, b) = (cells[0].0.len() + 5, cells[1].0.len() + 5);
    // No neighbour is left, and bytes are inserted before it, so that no handle of the index is right.
    bytes[3] ^= 1;
    bytes[a + b + 3] ^= 1;
    bytes.splice(0..0, [0x55; 40]);
    let found = scan(&bytes);
    assert!(found.is_carved);
    assert_eq!(found.entries, [entry(b"b", 1, Some(&encode((0, 7))))]);
    // Without the index nothing tells, and the block is told of.
    let until = bytes.len() - 48 - 30;
    let found = scan(&bytes[..until]);
    assert_eq!(found.entries, []);
    let is_told = |it: &Damage| it.fault == Fault::MaybeIndex && it.offset == 40 + a as u64;
    assert!(found.damage.iter().any(is_told), "{:?}", found.damage);
}

/// Where two bytes of the footer's padding are gone, it begins with the last two of the index's
/// checksum. As two numbers they are the metaindex's handle, and what was that is the index's: a
/// sound block that names no blocks, or that of the filter.
#[test]
fn a_metaindex_in_place_of_the_index_hides_no_entries() {
    for bits in [None, Some(10)] {
        let options = options(Compression::None, bits, 4096);
        let mut shifted = 0;
        for round in 0..26 {
            let entries = vec![entry(&[b'a' + round; 3], 7, Some(b"value"))];
            let (mut bytes, _) = write(&entries, BytewiseComparator, &options);
            let checksum = [bytes.len() - 50, bytes.len() - 49];
            shifted += usize::from(checksum.iter().all(|&at| bytes[at] < 0x80));
            bytes.drain(bytes.len() - 20..bytes.len() - 18);
            assert_eq!(scan(&bytes).entries, entries, "{round} {bits:?}");
            open(&bytes, BytewiseComparator).unwrap_err();
        }
        assert!(shifted > 3, "{shifted}");
    }
}
