//! The end of a table.

use strata_block::{BlockError, BlockFault, BlockHandle, BlockSource, Contents};
use strata_coding::{DecodeError, put_fixed64};

use crate::error::corrupt;
use crate::{Fault, ReadAt, TableError};

/// The last 8 bytes of every table, little-endian.
pub(crate) const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// The footer's length: two handles padded to 40 bytes, then the magic number.
pub(crate) const FOOTER_LENGTH: usize = 48;

const HANDLES_LENGTH: usize = FOOTER_LENGTH - size_of::<u64>();

const _: () = assert!(2 * BlockHandle::LONGEST == HANDLES_LENGTH);

/// The end of a table.
///
/// ```text
/// metaindex handle | index handle | zeros up to byte 40 | fixed64 magic number
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) metaindex: BlockHandle,
    pub(crate) index: BlockHandle,
}

impl Footer {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = self.metaindex.encode();
        bytes.extend_from_slice(&self.index.encode());
        bytes.resize(HANDLES_LENGTH, 0);
        put_fixed64(&mut bytes, MAGIC);
        bytes
    }

    /// The handles of a footer whose magic number is right. The padding is not looked at.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (metaindex, rest) = BlockHandle::decode(bytes)?;
        let (index, _) = BlockHandle::decode(rest)?;
        Ok(Self { metaindex, index })
    }

    /// The footer of a table, and its bytes. Where its handles point is not looked at.
    pub(crate) fn read<R: ReadAt>(
        source: &BlockSource<R>,
    ) -> Result<(Self, [u8; FOOTER_LENGTH]), TableError> {
        let offset = footer_offset(source)?;
        let mut bytes = [0; FOOTER_LENGTH];
        let read = source.reader().read_exact_at(&mut bytes, offset);
        read.map_err(BlockError::Io)?;
        let [handles @ .., a, b, c, d, e, f, g, h] = &bytes;
        let magic = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
        if magic != MAGIC {
            let fault = Fault::Magic { found: magic };
            return Err(corrupt(offset + HANDLES_LENGTH as u64, fault));
        }
        let footer =
            Self::decode(handles).map_err(|error| corrupt(offset, BlockFault::Handle(error)))?;
        Ok((footer, bytes))
    }
}

/// Where the footer begins, and blocks end.
pub(crate) fn footer_offset<R: ReadAt>(source: &BlockSource<R>) -> Result<u64, TableError> {
    let length = source.length();
    length
        .checked_sub(FOOTER_LENGTH as u64)
        .ok_or_else(|| corrupt(0, Fault::TooShort { length }))
}

/// Reads a block that must be before the footer.
pub(crate) fn read_before_footer<R: ReadAt>(
    source: &BlockSource<R>,
    handle: BlockHandle,
) -> Result<Contents, TableError> {
    handle.check_within(footer_offset(source)?)?;
    Ok(source.read(handle)?)
}
