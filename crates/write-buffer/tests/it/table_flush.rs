//! Memtables to tables: whole under their names, or not there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_files::{Directory, FileNumbers};
use strata_memtable::{ImmutableMemTable, MemTable};
use strata_table::{Table, TableError, TableOptions, TableSummary, TableWriter};
use strata_write_buffer::{Flush, FlushError, FlushedTable, TableFlush};

use strata_files::testing::{FaultyDirectory, Kept};

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
fn a_table_that_is_there_is_not_replaced() {
    let directory = FaultyDirectory::default();
    directory.put("000005.ldb", b"somebody's");
    let mut flush = flush(&directory, |table| {
        assert_eq!(table.number, 6);
        Ok(())
    });
    let error = flush.flush(&memtable(), 3).unwrap_err();
    assert!(
        error.to_string().contains("move the table to 000005.ldb"),
        "{error}"
    );
    assert_eq!(directory.names(), ["000005.ldb"]);
    flush.flush(&memtable(), 3).unwrap();
    assert_eq!(directory.names(), ["000005.ldb", "000006.ldb"]);
    assert_eq!(directory.contents()["000005.ldb"], b"somebody's");
}

/// A flush whose first `failures` tables are not taken note of, and what it told, file by file.
fn refused<'a>(
    directory: &FaultyDirectory,
    failures: usize,
    told: &'a mut Vec<FlushedTable>,
) -> TableFlush<impl FnMut(FlushedTable) -> Result<(), FlushError> + use<'a>> {
    flush(directory, move |table| {
        told.push(table);
        if told.len() <= failures {
            return Err("the manifest is full".into());
        }
        Ok(())
    })
}

#[test]
fn a_table_nobody_took_note_of_is_told_of_again_and_not_written_again() {
    let directory = FaultyDirectory::default();
    let mut told = Vec::new();
    let mut flush = refused(&directory, 3, &mut told);
    let memtable = memtable();
    for _ in 0..3 {
        let error = flush.flush(&memtable, 3).unwrap_err();
        assert_eq!(error.to_string(), "the manifest is full");
        // It stays: a note of it may have been made, though not synced.
        assert_eq!(directory.names(), ["000005.ldb"]);
    }
    flush.flush(&memtable, 4).unwrap();
    assert_eq!(directory.names(), ["000005.ldb"]);
    // The next one is another memtable, though its entries are the same.
    flush.flush(&self::memtable(), 6).unwrap();
    assert_eq!(directory.names(), ["000005.ldb", "000006.ldb"]);
    flush.flush(&memtable, 3).unwrap();
    drop(flush);
    let numbers: Vec<_> = told
        .iter()
        .map(|table| (table.number, table.log_number))
        .collect();
    assert_eq!(numbers, [(5, 3), (5, 3), (5, 3), (5, 4), (6, 6), (7, 3)]);
    assert_eq!(told[0].summary, told[3].summary);
}

#[test]
fn a_table_nobody_took_note_of_is_not_taken_for_another_memtables() {
    let directory = FaultyDirectory::default();
    let mut told = Vec::new();
    let mut flush = refused(&directory, 1, &mut told);
    flush.flush(&memtable(), 3).unwrap_err();
    flush.flush(&memtable(), 3).unwrap();
    assert_eq!(directory.names(), ["000005.ldb", "000006.ldb"]);
    drop(flush);
    assert_eq!(told[1].number, 6);
}

#[test]
fn a_table_nobody_took_note_of_and_somebody_removed_is_written_again() {
    let directory = FaultyDirectory::default();
    let mut told = Vec::new();
    let mut flush = refused(&directory, 1, &mut told);
    let memtable = memtable();
    flush.flush(&memtable, 3).unwrap_err();
    directory.remove("000005.ldb").unwrap();
    flush.flush(&memtable, 3).unwrap();
    assert_eq!(directory.names(), ["000006.ldb"]);
    drop(flush);
    assert_eq!(told[1].number, 6);
}

#[test]
fn a_table_nobody_took_note_of_and_that_can_not_be_opened_is_told_of_later() {
    let directory = FaultyDirectory::default();
    let mut told = Vec::new();
    let mut flush = refused(&directory, 1, &mut told);
    let memtable = memtable();
    flush.flush(&memtable, 3).unwrap_err();
    directory.fail_after(0, 1);
    let error = flush.flush(&memtable, 3).unwrap_err();
    assert!(error.to_string().contains("open 000005.ldb"), "{error}");
    flush.flush(&memtable, 3).unwrap();
    assert_eq!(directory.names(), ["000005.ldb"]);
    drop(flush);
    let numbers: Vec<_> = told.iter().map(|table| table.number).collect();
    assert_eq!(numbers, [5, 5]);
}

#[test]
fn a_table_told_of_amid_a_panic_is_told_of_again() {
    let directory = FaultyDirectory::default();
    let mut told = Vec::new();
    let mut flush = flush(&directory, |table| {
        told.push(table.number);
        assert!(told.len() > 1, "a note was half made");
        Ok(())
    });
    let memtable = memtable();
    let panicked = catch_unwind(AssertUnwindSafe(|| flush.flush(&memtable, 3)));
    assert!(panicked.is_err());
    flush.flush(&memtable, 3).unwrap();
    drop(flush);
    assert_eq!(told, [5, 5]);
    assert_eq!(directory.names(), ["000005.ldb"]);
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
