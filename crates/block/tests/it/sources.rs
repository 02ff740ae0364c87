//! What blocks are read from, and written to.

use std::cell::Cell;
use std::io::{self, ErrorKind, Write};
use std::rc::Rc;
use std::sync::Arc;

use strata_block::{
    BlockBuilder, BlockError, BlockFault, BlockSource, BlockWriter, Compression, ReadAt,
    ReadOptions, SeekLock,
};

use crate::support::{entry, fault, list, only, source, write};

/// Gives one byte at a time, and is interrupted before each.
#[derive(Debug)]
struct Slow {
    bytes: Vec<u8>,
    interrupted: Cell<bool>,
}

impl ReadAt for Slow {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.interrupted.set(!self.interrupted.get());
        match self.interrupted.get() {
            true => Err(ErrorKind::Interrupted.into()),
            false => self.bytes.read_at(&mut buffer[..1], offset),
        }
    }

    fn length(&self) -> io::Result<u64> {
        self.bytes.length()
    }
}

#[test]
fn every_kind_of_source_gives_the_same() {
    let entries = [entry(b"a", b"1"), entry(b"b", b"2")];
    let bytes = write(&entries, 16, Compression::None);
    let check = |reader: &dyn ReadAt| {
        assert_eq!(reader.length().unwrap(), bytes.len() as u64);
        let source = BlockSource::new(reader, &ReadOptions::default()).unwrap();
        let block = source.read_block(only(&bytes)).unwrap();
        assert_eq!(list(&block).unwrap(), entries);
    };
    let check_ends = |reader: &dyn ReadAt| {
        check(reader);
        let mut rest = [0; 4];
        assert_eq!(reader.read_at(&mut rest, 1 << 40).unwrap(), 0);
        let last = bytes.len() as u64 - 3;
        let error = reader.read_exact_at(&mut rest, last).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    };
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    check_ends(&file);
    check_ends(&SeekLock::new(file));
    check_ends(&SeekLock::new(io::Cursor::new(bytes.clone())));
    check_ends(&bytes);
    check_ends(&&bytes[..]);
    check_ends(&Arc::<[u8]>::from(bytes.clone()));
    check_ends(&Rc::new(Box::new(bytes.clone())));
    check(&Slow {
        bytes: bytes.clone(),
        interrupted: Cell::new(false),
    });
}

/// A file that was longer once.
struct Cut(u64);

impl ReadAt for Cut {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0)
    }
}

#[test]
fn a_source_that_is_cut_short_is_an_error_of_the_source() {
    let source = BlockSource::new(Cut(100), &ReadOptions::default()).unwrap();
    match source.read(only(&[0; 100])).unwrap_err() {
        BlockError::Io(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
        error => panic!("{error}"),
    }
}

#[test]
fn every_flipped_bit_is_noticed_unless_checksums_are_not_wanted() {
    let entries = [entry(b"key", b"value")];
    let bytes = write(&entries, 16, Compression::None);
    let options = ReadOptions {
        verify_checksums: false,
        ..ReadOptions::default()
    };
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let found = fault(source(&damaged).read(only(&bytes)).unwrap_err());
        assert!(matches!(found, BlockFault::Checksum { .. }), "bit {bit}");
        let unchecked = BlockSource::new(&damaged[..], &options).unwrap();
        let read = unchecked.read_block(only(&bytes));
        // In the checksum itself.
        assert!(bit / 8 < bytes.len() - 4 || list(&read.unwrap()).unwrap() == entries);
    }
}

/// Takes so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_the_destination_says_is_passed_on_and_offsets_are_of_what_was_written() {
    for room in 0..=60 {
        let mut writer = BlockWriter::new(Full(room), Compression::None).unwrap();
        let mut block = BlockBuilder::new(16);
        block.add(b"key", b"value").unwrap();
        let mut write = || {
            assert_eq!(writer.write_block(&mut block)?.end(), 24);
            assert_eq!(writer.write_raw_block(b"filters")?.end(), 36);
            writer.write(b"a footer")
        };
        let result = write();
        assert_eq!(result.is_ok(), room >= 44, "{room}");
        match result {
            Ok(()) => assert_eq!(writer.offset(), 44),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                let offset = usize::try_from(writer.offset()).unwrap();
                assert!(offset <= room, "{offset}");
            }
        }
    }
}
