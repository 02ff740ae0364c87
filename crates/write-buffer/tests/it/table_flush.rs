//! Memtables to tables: whole under their names, or not there.

use std::sync::Arc;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::{ImmutableMemTable, MemTable};
use strata_table::{Table, TableError, TableOptions, TableSummary, TableWriter};
use strata_write_buffer::{Directory, FileNumbers, Flush, FlushError, FlushedTable, TableFlush};

use crate::faulty::{FaultyDirectory, Kept};

/// Large enough for several writes.
fn memtable() -> ImmutableMemTable<BytewiseComparator> {
    let memtable = MemTable::new(BytewiseComparator);
    let entries = (0..2_000_u64).map(|i| (i.to_be_bytes(), format!("{i:0100}").into_bytes()));
    let entries: Vec<_> = entries.collect();
    let pairs = entries.iter().map(|(key, value)| (&key[..], &value[..]));
    let values = pairs.map(|(key, value)| (strata_dbformat::ValueType::Value, key, value));
    memtable
        .add_batch(SequenceNumber::new(1).unwrap(), values)
        .unwrap();
    memtable.freeze()
}

fn options() -> TableOptions {
    TableOptions {
        compression: strata_table::Compression::None,
        ..TableOptions::default()
    }
}

fn flush<F>(directory: &FaultyDirectory, told: F) -> TableFlush<F>
where
    F: FnMut(FlushedTable) -> Result<(), FlushError>,
{
    let numbers = Arc::new(FileNumbers::starting_at(5));
    TableFlush::new(Arc::new(directory.clone()), numbers, options(), told).unwrap()
}

fn verified(bytes: Vec<u8>) -> TableSummary {
    let table = Table::open(bytes, BytewiseComparator).unwrap();
    table.verify().unwrap()
}

#[test]
fn a_memtable_becomes_the_table_that_its_entries_make() {
    let directory = FaultyDirectory::default();
    let mut told = Vec::new();
    let mut flush = flush(&directory, |table| {
        told.push(table);
        Ok(())
    });
    let memtable = memtable();
    flush.flush(&memtable, 3).unwrap();
    drop(flush);

    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options()).unwrap();
    for entry in &memtable {
        writer.add(entry.internal_key(), entry.value()).unwrap();
    }
    let (bytes, summary) = writer.finish().unwrap();
    assert_eq!(directory.names(), ["000005.ldb"]);
    assert!(directory.contents()["000005.ldb"] == bytes);
    let [table] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((table.number, table.log_number), (5, 3));
    assert_eq!(table.summary, summary);
    let left = directory.crash(Kept::Nothing);
    assert!(
        left.contents()["000005.ldb"] == bytes,
        "file and name are synced"
    );
}

#[test]
fn an_empty_memtable_makes_no_file_and_takes_no_number() {
    let directory = FaultyDirectory::default();
    let mut flush = flush(&directory, |table| {
        assert_eq!(table.number, 5);
        Ok(())
    });
    let empty = MemTable::new(BytewiseComparator).freeze();
    flush.flush(&empty, 3).unwrap();
    assert_eq!(directory.operations(), 0);
    flush.flush(&memtable(), 3).unwrap();
}

#[test]
fn a_flush_that_fails_anywhere_leaves_nothing_and_can_be_tried_again() {
    let memtable = memtable();
    for fault in 0.. {
        let directory = FaultyDirectory::default();
        directory.fail_after(fault, 1);
        let mut tables = Vec::new();
        let mut flush = flush(&directory, |table| {
            tables.push(table.number);
            Ok(())
        });
        let result = flush.flush(&memtable, 3);
        let has_failed = directory.has_failed();
        assert_eq!(result.is_err(), has_failed, "fault {fault}");
        if let Err(error) = result {
            assert!(error.is::<TableError>(), "{error}");
            assert!(error.to_string().contains("was told to fail"), "{error}");
            assert_eq!(directory.names(), [""; 0], "fault {fault}: {error}");
            flush.flush(&memtable, 3).unwrap();
            assert_eq!(directory.names(), ["000006.ldb"], "no number is used twice");
        }
        drop(flush);
        assert_eq!(tables, [if has_failed { 6 } else { 5 }]);
        if !has_failed {
            assert!(fault > 6, "there are several writes to fail");
            break;
        }
    }
}

#[test]
fn under_its_name_a_table_is_whole_after_a_power_failure_at_every_operation() {
    let memtable = memtable();
    for fault in 0.. {
        let directory = FaultyDirectory::default();
        directory.stop_after(fault);
        let result = flush(&directory, |_| Ok(())).flush(&memtable, 3);
        let kept = (0..20).map(Kept::Some);
        for kept in kept.chain([Kept::Nothing, Kept::Everything]) {
            let left = directory.crash(kept).contents();
            if let Some(bytes) = left.get("000005.ldb") {
                assert_eq!(verified(bytes.clone()).entries, memtable.len());
            }
            let is_there = left.contains_key("000005.ldb");
            assert!(is_there || result.is_err(), "fault {fault}, {kept:?}");
        }
        if result.is_ok() {
            break;
        }
    }
}

#[test]
fn what_a_process_that_died_left_behind_is_replaced() {
    let directory = FaultyDirectory::default();
    directory.put("000005.dbtmp", b"half a table");
    flush(&directory, |_| Ok(())).flush(&memtable(), 3).unwrap();
    assert_eq!(directory.names(), ["000005.ldb"]);
    verified(directory.contents().remove("000005.ldb").unwrap());
}

#[test]
fn a_table_nobody_took_note_of_fails_the_flush_and_stays() {
    let directory = FaultyDirectory::default();
    let mut times = 0;
    let mut flush = flush(&directory, |_| {
        times += 1;
        match times {
            1 => Err("the manifest is full".into()),
            _ => Ok(()),
        }
    });
    let error = flush.flush(&memtable(), 3).unwrap_err();
    assert_eq!(error.to_string(), "the manifest is full");
    assert_eq!(directory.names(), ["000005.ldb"]);
    flush.flush(&memtable(), 3).unwrap();
    assert_eq!(directory.names(), ["000005.ldb", "000006.ldb"]);
}

#[test]
fn options_out_of_bounds_are_refused_before_anything_is_flushed() {
    let options = TableOptions {
        block_size: 0,
        ..TableOptions::default()
    };
    let directory: Arc<dyn Directory> = Arc::new(FaultyDirectory::default());
    let numbers = Arc::new(FileNumbers::starting_at(1));
    let refused = TableFlush::new(directory, numbers, options, |_| Ok(())).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "block_size is 0: 1 to 4194304 was expected"
    );
}
