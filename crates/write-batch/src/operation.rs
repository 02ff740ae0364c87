//! The records of a batch.

use std::iter::FusedIterator;

use strata_coding::get_length_prefixed_slice;
use strata_dbformat::ValueType;

use crate::{BatchFault, MalformedBatch};

/// One record of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation<'a> {
    /// A user key is given a value.
    Put {
        /// The key.
        user_key: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// A user key is deleted.
    Delete {
        /// The key.
        user_key: &'a [u8],
    },
}

impl<'a> Operation<'a> {
    /// The user key.
    #[must_use]
    pub fn user_key(&self) -> &'a [u8] {
        match self {
            Self::Put { user_key, .. } | Self::Delete { user_key } => user_key,
        }
    }

    /// The value; nothing for a delete.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        match self {
            Self::Put { value, .. } => value,
            Self::Delete { .. } => b"",
        }
    }

    /// What the record's entry in a memtable records.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Put { .. } => ValueType::Value,
            Self::Delete { .. } => ValueType::Deletion,
        }
    }
}

/// An iterator over the records of a batch, made by
/// [`WriteBatchView::operations`](crate::WriteBatchView::operations).
///
/// It ends with an error where the bytes are wrong, and where there turn out to be more or fewer
/// records than the header announces; and after an error it ends.
#[derive(Clone, Debug)]
pub struct Operations<'a> {
    rest: &'a [u8],
    /// Where in the batch `rest` begins.
    offset: usize,
    /// How many records the header announces, and how many have come.
    announced: u32,
    found: u64,
    ended: bool,
}

impl<'a> Operations<'a> {
    /// The records in `records`, which begin at `offset` in their batch.
    pub(crate) fn new(records: &'a [u8], offset: usize, announced: u32) -> Self {
        Self {
            rest: records,
            offset,
            announced,
            found: 0,
            ended: false,
        }
    }

    /// Takes a record from the front.
    fn record(&mut self, tag: u8, after_tag: &'a [u8]) -> Result<Operation<'a>, BatchFault> {
        let (operation, rest) = match ValueType::try_from(tag) {
            Ok(ValueType::Value) => {
                let bad = |_| BatchFault::BadPut;
                let (user_key, rest) = get_length_prefixed_slice(after_tag).map_err(bad)?;
                let (value, rest) = get_length_prefixed_slice(rest).map_err(bad)?;
                (Operation::Put { user_key, value }, rest)
            }
            Ok(ValueType::Deletion) => {
                let (user_key, rest) =
                    get_length_prefixed_slice(after_tag).map_err(|_| BatchFault::BadDelete)?;
                (Operation::Delete { user_key }, rest)
            }
            Err(_) => return Err(BatchFault::UnknownTag),
        };
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
        self.found += 1;
        Ok(operation)
    }

    fn fault(&mut self, fault: BatchFault) -> MalformedBatch {
        self.ended = true;
        MalformedBatch {
            fault,
            offset: self.offset,
        }
    }
}

impl<'a> Iterator for Operations<'a> {
    type Item = Result<Operation<'a>, MalformedBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.rest.split_first() {
            Some((&tag, after_tag)) => Some(
                self.record(tag, after_tag)
                    .map_err(|fault| self.fault(fault)),
            ),
            None => {
                self.ended = true;
                let is_right = self.found == u64::from(self.announced);
                (!is_right).then(|| Err(self.fault(BatchFault::WrongCount)))
            }
        }
    }
}

impl FusedIterator for Operations<'_> {}
