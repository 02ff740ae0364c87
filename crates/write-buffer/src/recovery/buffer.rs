//! Logs to a write buffer.

use std::sync::Arc;

use strata_dbformat::{Comparator, SequenceNumber};
use strata_memtable::MemTableOptions;

use super::{LogReport, Recovered, Recovery, RecoveryError, RecoveryOptions};
use crate::budget::BufferMeter;
use crate::memtables::Numbered;
use crate::{Flush, Logs, WriteBuffer, WriteBufferOptions};
use strata_files::{Directory, FileKind, parse_file_name};

impl<C: Comparator + Clone + 'static> WriteBuffer<C> {
    /// A write buffer with what the logs of a directory hold: replays them by LevelDB's rules, as
    /// [`Recovery`] does, and begins a new log.
    ///
    /// A memtable that is full is flushed into `sink`, so that there is never more in memory than
    /// one memtable and one record. The last one, which is not full, is the write buffer's first
    /// immutable memtable: it is flushed as any other, and its logs are needed until then. All of
    /// it is counted by the [budget](WriteBufferOptions::budget).
    ///
    /// `flushed` is the last sequence number that is in tables, as a manifest says or the tables
    /// do: what the logs hold up to there is passed over. `report` is told what was dropped or
    /// passed over, and what is returned beside the write buffer says what was recovered; its
    /// memtable is in the write buffer.
    ///
    /// The logs that are still needed are synced, for whoever wrote them may not have: what is synced
    /// next must not survive a power failure without what was before it.
    ///
    /// No log is changed or removed. If the process dies at any point, recovering again gives the
    /// same.
    ///
    /// # Errors
    ///
    /// [`RecoveryError`] if a log can't be read or synced, a memtable can't be flushed, the next log can't
    /// be made, or there is no memory.
    pub fn recover(
        comparator: C,
        options: WriteBufferOptions,
        directory: &dyn Directory,
        logs: Box<dyn Logs>,
        flushed: SequenceNumber,
        sink: &mut dyn Flush<C>,
        report: &mut dyn FnMut(LogReport),
    ) -> Result<(Self, Recovered<C>), RecoveryError> {
        let options = options.clipped();
        let meter = Arc::new(BufferMeter::new(options.budget.clone()));
        let recovery = RecoveryOptions {
            write_buffer_size: options.write_buffer_size,
            flushed,
            memtable: MemTableOptions {
                pool: options.pool.clone(),
                meter: Some(meter.clone()),
                ..MemTableOptions::default()
            },
            ..RecoveryOptions::default()
        };
        let mut recovered = Recovery::new(comparator.clone(), recovery)
            .replay_directory(directory, 0, sink, report)?
            .finish();
        recovered.last_sequence = recovered.last_sequence.max(flushed);
        if let Some((_, first)) = recovered.memtable {
            sync_logs(directory, first)?;
        }
        let immutable = recovered.memtable.take().into_iter();
        let immutable =
            immutable.map(|(memtable, number)| Arc::new(Numbered::recovered(number, memtable)));
        let buffer = Self::beginning_with(
            comparator,
            options,
            meter,
            logs,
            recovered.last_sequence,
            immutable.collect(),
        )
        .map_err(|source| RecoveryError::BeginLog { source })?;
        Ok((buffer, recovered))
    }
}

/// Syncs the logs whose numbers are `first` or larger.
fn sync_logs(directory: &dyn Directory, first: u64) -> Result<(), RecoveryError> {
    let names = directory
        .list()
        .map_err(|source| RecoveryError::List { source })?;
    for file in names {
        if let Some((number, FileKind::Log)) = parse_file_name(&file)
            && number >= first
        {
            directory
                .sync_file(&file)
                .map_err(|source| RecoveryError::Sync { file, source })?;
        }
    }
    Ok(())
}
