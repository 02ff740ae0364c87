//! What a benchmark does, in the words of LevelDB's `db_bench`.

use std::fmt;

use criterion::BenchmarkId;

/// What a benchmark does, by the name it has in LevelDB's and RocksDB's `db_bench`.
///
/// ```
/// assert_eq!(benches::Operation::ReadRandom.to_string(), "readrandom");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Fills what is empty, keys ascending.
    FillSeq,
    /// Fills what is empty, keys in random order.
    FillRandom,
    /// Fills what is empty by batches, keys ascending.
    FillBatch,
    /// Writes every key again, in random order.
    Overwrite,
    /// Looks up keys that are there, in random order.
    ReadRandom,
    /// Looks up keys that are not there, in random order.
    ReadMissing,
    /// Goes through everything, forward.
    ReadSeq,
    /// Goes through everything, backward.
    ReadReverse,
    /// Seeks keys that are there, in random order, and steps forward from each.
    SeekRandom,
}

impl Operation {
    /// The name of a benchmark of this with these parameters.
    ///
    /// ```
    /// use benches::{KeyShape, Operation, Workload};
    ///
    /// let workload = Workload::new(KeyShape::Decimal, 100_000, 100);
    /// // In the group `memtable`: memtable/readrandom/keys=100k/value=100B
    /// let _ = Operation::ReadRandom.id(workload);
    /// ```
    #[must_use]
    pub fn id(self, parameters: impl fmt::Display) -> BenchmarkId {
        BenchmarkId::new(self.to_string(), parameters)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FillSeq => "fillseq",
            Self::FillRandom => "fillrandom",
            Self::FillBatch => "fillbatch",
            Self::Overwrite => "overwrite",
            Self::ReadRandom => "readrandom",
            Self::ReadMissing => "readmissing",
            Self::ReadSeq => "readseq",
            Self::ReadReverse => "readreverse",
            Self::SeekRandom => "seekrandom",
        })
    }
}
