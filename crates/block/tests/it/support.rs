//! Helpers that several modules need.

use strata_block::{
    Block, BlockBuilder, BlockCursor, BlockError, BlockFault, BlockHandle, BlockSource,
    BlockWriter, Compression, Contents, ReadOptions,
};

/// A key and its value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// The kinds of compression whose features are on.
pub(crate) fn available() -> impl Iterator<Item = Compression> {
    Compression::ALL
        .into_iter()
        .filter(|compression| compression.is_available())
}

/// These bytes as a stored block with a trailer that is right.
pub(crate) fn sealed(stored: &[u8], number: u8) -> Vec<u8> {
    let mut block = [stored, &[number]].concat();
    let checksum = crc32c::crc32c(&block)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8);
    block.extend_from_slice(&checksum.to_le_bytes());
    block
}

/// The handle of the only block of a file of so many bytes.
pub(crate) fn only(file: &[u8]) -> BlockHandle {
    BlockHandle {
        offset: 0,
        length: file.len() as u64 - 5,
    }
}

pub(crate) fn source(file: &[u8]) -> BlockSource<&[u8]> {
    BlockSource::new(file, &ReadOptions::default()).unwrap()
}

/// A file of one block of these entries.
pub(crate) fn write(entries: &[Entry], interval: usize, compression: Compression) -> Vec<u8> {
    let mut block = BlockBuilder::new(interval);
    for (key, value) in entries {
        block.add(key, value).unwrap();
    }
    let size = block.size();
    let mut writer = BlockWriter::new(Vec::new(), compression).unwrap();
    let handle = writer.write_block(&mut block).unwrap();
    assert!(block.is_empty());
    let file = writer.finish().unwrap();
    assert_eq!(handle, only(&file));
    assert_eq!(source(&file).read(handle).unwrap().bytes.len(), size);
    file
}

pub(crate) fn list(block: &Block) -> Result<Vec<Entry>, BlockError> {
    let mut entries = Vec::new();
    let mut cursor = BlockCursor::default();
    while cursor.advance(block)? {
        entries.push((cursor.key().to_vec(), cursor.value(block).to_vec()));
    }
    Ok(entries)
}

pub(crate) fn fault(error: BlockError) -> BlockFault {
    match error {
        BlockError::Corrupt { offset: 0, fault } => fault,
        error => panic!("{error}"),
    }
}

/// What comes of reading these bytes as a stored block with a right checksum.
pub(crate) fn read(stored: &[u8], number: u8) -> Result<Vec<Entry>, BlockFault> {
    let file = sealed(stored, number);
    let block = source(&file).read_block(only(&file));
    block.and_then(|block| list(&block)).map_err(fault)
}

/// These contents, as if they had been read.
pub(crate) fn parse(bytes: &[u8]) -> Result<Block, BlockError> {
    Block::parse(Contents {
        handle: BlockHandle {
            offset: 0,
            length: bytes.len() as u64,
        },
        bytes: bytes.to_vec(),
        compression: Compression::None,
    })
}

/// What a decompressor says of these bytes.
#[cfg(any(feature = "snappy", feature = "zstd", feature = "zlib"))]
pub(crate) fn reason(stored: &[u8], number: u8) -> String {
    match read(stored, number).unwrap_err() {
        BlockFault::Compressed { reason, .. } => reason,
        fault => panic!("{fault}"),
    }
}

pub(crate) fn entry(key: &[u8], value: &[u8]) -> Entry {
    (key.to_vec(), value.to_vec())
}

pub(crate) fn raw_entry(shared: u8, unshared: &[u8], value: &[u8]) -> Vec<u8> {
    let lengths = [unshared, value].map(|bytes| u8::try_from(bytes.len()).unwrap());
    [&[shared, lengths[0], lengths[1]], unshared, value].concat()
}

pub(crate) fn with_restarts(entries: &[u8], restarts: &[u32]) -> Vec<u8> {
    let mut block = entries.to_vec();
    for restart in restarts {
        block.extend_from_slice(&restart.to_le_bytes());
    }
    block.extend_from_slice(&u32::try_from(restarts.len()).unwrap().to_le_bytes());
    block
}
