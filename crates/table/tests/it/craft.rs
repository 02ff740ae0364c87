//! Makes tables with right checksums around contents that need not be right.

use strata_coding::put_varint64;
use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_table::{BlockFault, Fault, TableError};

use crate::support::{key, list, open};

/// Where a block is: its offset and its length.
pub(crate) type Handle = (usize, usize);

#[derive(Default)]
pub(crate) struct Craft {
    pub(crate) bytes: Vec<u8>,
}

impl Craft {
    /// Appends a block of these contents with a trailer that is right.
    pub(crate) fn block(&mut self, contents: &[u8], compression: u8) -> Handle {
        let handle = (self.bytes.len(), contents.len());
        let sealed = [contents, &[compression]].concat();
        let checksum = crc32c::crc32c(&sealed)
            .rotate_right(15)
            .wrapping_add(0xa282_ead8);
        self.bytes.extend_from_slice(&sealed);
        self.bytes.extend_from_slice(&checksum.to_le_bytes());
        handle
    }

    pub(crate) fn finish(mut self, metaindex: Handle, index: Handle) -> Vec<u8> {
        let mut footer = [encode(metaindex), encode(index)].concat();
        footer.resize(40, 0);
        self.bytes.extend_from_slice(&footer);
        self.bytes
            .extend_from_slice(&0xdb47_7524_8b80_fb57_u64.to_le_bytes());
        self.bytes
    }
}

pub(crate) fn encode((offset, length): Handle) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint64(&mut bytes, offset as u64);
    put_varint64(&mut bytes, length as u64);
    bytes
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

/// A block of whole keys, each a restart point, as the index is.
pub(crate) fn block(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let (mut bytes, mut restarts) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        restarts.push(u32::try_from(bytes.len()).unwrap());
        bytes.extend_from_slice(&raw_entry(0, key, value));
    }
    if restarts.is_empty() {
        restarts.push(0);
    }
    with_restarts(&bytes, &restarts)
}

pub(crate) fn ikey(user_key: &str, number: u64) -> Vec<u8> {
    key(user_key.as_bytes(), number, ValueType::Value)
        .encode()
        .to_vec()
}

/// A table of data blocks with these contents and these keys in the index.
pub(crate) fn table(blocks: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut craft = Craft::default();
    let mut index = Vec::new();
    for (contents, key) in blocks {
        index.push((*key, encode(craft.block(contents, 0))));
    }
    let index: Vec<(&[u8], &[u8])> = index
        .iter()
        .map(|(key, handle)| (*key, &handle[..]))
        .collect();
    let metaindex = craft.block(&block(&[]), 0);
    let index = craft.block(&block(&index), 0);
    craft.finish(metaindex, index)
}

pub(crate) fn fault(error: TableError) -> Fault {
    match error {
        TableError::Corrupt { fault, .. } => fault,
        error => panic!("{error}"),
    }
}

pub(crate) fn open_fault(bytes: &[u8]) -> Fault {
    fault(open(bytes, BytewiseComparator).unwrap_err())
}

pub(crate) fn verify_fault(bytes: &[u8]) -> Fault {
    fault(
        open(bytes, BytewiseComparator)
            .unwrap()
            .verify()
            .unwrap_err(),
    )
}

/// The one fault of a data block, which listing, verifying and looking up must all find.
pub(crate) fn block_fault(contents: &[u8], compression: u8) -> BlockFault {
    let mut craft = Craft::default();
    let data = craft.block(contents, compression);
    let metaindex = craft.block(&block(&[]), 0);
    let index = craft.block(&block(&[(&ikey("z", 1), &encode(data))]), 0);
    let bytes = craft.finish(metaindex, index);
    let table = open(&bytes, BytewiseComparator).unwrap();
    let found = fault(table.verify().unwrap_err());
    assert_eq!(fault(list(&table).unwrap_err()), found);
    assert_eq!(
        fault(table.get(b"y", SequenceNumber::MAX).unwrap_err()),
        found
    );
    assert_eq!(
        list(&table).unwrap_err().to_string(),
        format!("corrupt table, at byte 0: {found}")
    );
    match found {
        Fault::Block(fault) => fault,
        fault => panic!("{fault}"),
    }
}
