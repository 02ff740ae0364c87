//! All logs of a directory.

use strata_dbformat::Comparator;

use super::{LogReport, Recovery, RecoveryError};
use crate::Flush;
use strata_files::{Directory, FileKind, parse_file_name};

impl<C: Comparator + Clone> Recovery<C> {
    /// Replays the logs of a directory whose numbers are `first` or larger, in the order of their
    /// numbers.
    ///
    /// A database that has noted which logs are flushed says from which on they are not; for one
    /// that has not, `first` is 0. Replaying a log that was flushed does no harm.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber};
    /// use strata_table::TableOptions;
    /// use strata_write_batch::WriteBatch;
    /// use strata_files::{FileDirectory, FileNumbers};
    /// use strata_write_buffer::{
    ///     DirectoryLogs, Flush, Logs, Recovery, RecoveryOptions, TableFlush,
    /// };
    ///
    /// let temporary = tempfile::tempdir()?;
    /// let directory = Arc::new(FileDirectory::new(temporary.path()));
    /// let numbers = Arc::new(FileNumbers::after(&*directory)?);
    /// let mut logs = DirectoryLogs::new(directory.clone(), numbers.clone());
    /// for (sequence, key) in [(1, b"a"), (2, b"b")] {
    ///     let mut batch = WriteBatch::new();
    ///     batch.set_sequence(SequenceNumber::new(sequence)?);
    ///     batch.put(key, b"value")?;
    ///     let (_, mut log) = logs.create()?;
    ///     log.append(batch.contents())?;
    /// }
    ///
    /// let mut flush =
    ///     TableFlush::new(directory.clone(), numbers, TableOptions::default(), |_| Ok(()))?;
    /// let recovered = Recovery::new(BytewiseComparator, RecoveryOptions::default())
    ///     .replay_directory(&*directory, 0, &mut flush, &mut |report| eprintln!("{report}"))?
    ///     .finish();
    /// assert_eq!((recovered.logs, recovered.entries), (vec![1, 2], 2));
    /// if let Some((memtable, log_number)) = recovered.memtable {
    ///     flush.flush(&memtable, log_number)?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecoveryError`] if the directory can't be listed or a log can't be opened, and as
    /// [`replay`](Self::replay).
    pub fn replay_directory(
        mut self,
        directory: &dyn Directory,
        first: u64,
        flush: &mut dyn Flush<C>,
        report: &mut dyn FnMut(LogReport),
    ) -> Result<Self, RecoveryError> {
        let names = directory
            .list()
            .map_err(|source| RecoveryError::List { source })?;
        let mut logs: Vec<(u64, String)> = names
            .into_iter()
            .filter_map(|name| match parse_file_name(&name)? {
                (number, FileKind::Log) if number >= first => Some((number, name)),
                _ => None,
            })
            .collect();
        logs.sort();
        for (number, file) in logs {
            let source = match directory.open(&file) {
                Ok(source) => source,
                Err(source) => return Err(RecoveryError::Open { file, source }),
            };
            self = self.replay(number, &file, source, flush, report)?;
        }
        Ok(self)
    }
}
