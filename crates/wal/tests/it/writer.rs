//! The writer: what it does when its destination fails, and what it tells the system.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};

use strata_wal::{BLOCK_SIZE, SyncData, Writer, WriterFailed};

use crate::support::{big, log_of, read};

/// A destination that fails the call of this number, and says what it was asked.
#[derive(Debug, Default)]
struct Failing {
    bytes: Vec<u8>,
    calls: Vec<&'static str>,
    fails: Option<usize>,
}

impl Failing {
    fn at(call: usize) -> Self {
        Self {
            fails: Some(call),
            ..Self::default()
        }
    }

    fn call(&mut self, name: &'static str) -> io::Result<()> {
        self.calls.push(name);
        if self.fails == Some(self.calls.len() - 1) {
            return Err(io::Error::from(ErrorKind::StorageFull));
        }
        Ok(())
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.call("write");
        if result.is_err() {
            self.bytes.extend(&bytes[..bytes.len() / 2]);
        } else {
            self.bytes.extend(bytes);
        }
        result.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call("flush")
    }
}

impl SyncData for Failing {
    fn sync_data(&mut self) -> io::Result<()> {
        self.call("sync")
    }
}

/// The writer refuses everything, changes nothing, and says up to where the log is sound.
fn check_done(mut writer: Writer<Failing>, offset: u64) {
    let calls = writer.get_ref().calls.len();
    for result in [writer.add_record(b"more"), writer.flush(), writer.sync()] {
        let error = result.unwrap_err();
        let failed = error.get_ref().unwrap().downcast_ref::<WriterFailed>();
        assert_eq!(failed, Some(&WriterFailed { offset }));
    }
    assert_eq!(writer.offset(), offset);
    assert_eq!(
        writer.get_ref().calls.len(),
        calls,
        "the destination is left alone"
    );
    let log = writer.into_inner().bytes;
    let outcome = read(&log);
    assert_eq!(
        outcome.ends.last().copied().unwrap_or(0),
        offset,
        "what is sound is read"
    );
    assert_eq!(outcome.dropped, []);
}

#[test]
fn after_a_failed_write_the_writer_is_done() {
    let records = [b"foo".to_vec(), big("bar", 3 * BLOCK_SIZE)];
    for failing in 1..5 {
        let mut writer = Writer::new(Failing::at(failing));
        writer.add_record(&records[0]).unwrap();
        let error = writer.add_record(&records[1]).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::StorageFull,
            "the destination's own error"
        );
        assert_eq!(writer.get_ref().calls.len(), failing + 1);
        check_done(writer, 10);
    }
}

#[test]
fn after_a_failed_flush_or_sync_the_writer_is_done() {
    for (failing, sync) in [(1, false), (1, true), (2, true)] {
        let mut writer = Writer::new(Failing::at(failing));
        writer.add_record(b"foo").unwrap();
        if sync { writer.sync() } else { writer.flush() }.unwrap_err();
        check_done(writer, 10);
    }
}

#[test]
fn a_fragment_is_one_write_and_nothing_is_flushed_unasked() {
    let mut writer = Writer::new(Failing::default());
    writer.add_record(&big("foo", 2 * BLOCK_SIZE)).unwrap();
    assert_eq!(writer.get_ref().calls, ["write"; 3]);
    writer.sync().unwrap();
    writer.flush().unwrap();
    assert_eq!(writer.get_ref().calls[3..], ["flush", "sync", "flush"]);
}

#[test]
fn a_log_longer_than_a_file_can_be_is_refused_and_the_writer_stays_good() {
    let end = i64::MAX as u64;
    for length in [end - 3, end, end + 1, u64::MAX] {
        let mut writer = Writer::continuing(Vec::new(), length);
        let error = writer.add_record(b"foobar").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&length.to_string()), "{error}");
        assert_eq!((writer.offset(), writer.get_ref().len()), (length, 0));
        writer.flush().unwrap();
    }
    let mut writer = Writer::continuing(Vec::new(), end - 6);
    writer.add_record(b"foobar").unwrap();
}

#[test]
fn a_buffered_file_is_flushed_by_sync_and_read_back() {
    let path = std::env::temp_dir().join(format!("strata-wal-{}.log", std::process::id()));
    let records = [b"foo".to_vec(), big("bar", 100_000), vec![]];
    let mut writer = Writer::new(BufWriter::with_capacity(
        1 << 20,
        File::create(&path).unwrap(),
    ));
    for record in &records {
        writer.add_record(record).unwrap();
    }
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0, "still buffered");
    writer.sync().unwrap();
    let log = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(log, log_of(&records));
    assert_eq!(writer.offset(), log.len() as u64);
    assert_eq!(
        format!("{writer:?}"),
        format!("Writer {{ offset: {}, failed: false, .. }}", log.len())
    );
}

#[test]
fn a_borrowed_or_boxed_destination_can_be_synced() {
    let mut destination = Failing::default();
    Writer::new(&mut destination).sync().unwrap();
    Writer::new(Box::new(&mut destination)).sync().unwrap();
    assert_eq!(destination.calls, ["flush", "sync", "flush", "sync"]);
}
