//! Logs into memtables.

use std::fs::File;
use std::io::{self, Read};

use strata_database::{Order, Progress, Report, StoredFile};
use strata_memtable::ImmutableMemTable;
use strata_write_buffer::{
    Flush, FlushError, LogReport, Recovered, Recovery, RecoveryError, RecoveryOptions,
};

use crate::failure::Failure;

/// What is replayed, and how.
pub(crate) struct Replay<'a> {
    pub(crate) logs: &'a [&'a StoredFile],
    pub(crate) order: Order,
    pub(crate) options: RecoveryOptions,
    pub(crate) progress: Option<Progress>,
}

/// Gives each memtable that is frozen to a function.
struct Each<F>(F);

impl<F> Flush<Order> for Each<F>
where
    F: FnMut(&ImmutableMemTable<Order>) -> Result<(), Failure>,
{
    fn flush(&mut self, memtable: &ImmutableMemTable<Order>, _: u64) -> Result<(), FlushError> {
        Ok((self.0)(memtable)?)
    }
}

/// Replays the logs, in order, and gives every memtable to `flush`: each that is full, and what is
/// left.
pub(crate) fn replay<F>(
    replay: Replay<'_>,
    mut flush: F,
    report: &mut dyn FnMut(Report),
) -> Result<Recovered<Order>, Failure>
where
    F: FnMut(&ImmutableMemTable<Order>) -> Result<(), Failure>,
{
    let mut recovery = Recovery::new(replay.order, replay.options);
    for log in replay.logs {
        let file = File::open(&log.path);
        let file = file.map_err(|error| Failure::at("can't open", &log.path, error))?;
        let source = Reading {
            source: file,
            name: &log.name,
            progress: replay.progress.as_ref(),
        };
        let number = log.number.unwrap_or(0);
        let mut heard = |event: LogReport| report(event.into());
        recovery = recovery
            .replay(number, &log.name, source, &mut Each(&mut flush), &mut heard)
            .map_err(failure)?;
    }
    let recovered = recovery.finish();
    if let Some((memtable, _)) = &recovered.memtable {
        flush(memtable)?;
    }
    Ok(recovered)
}

/// Says why a log could not be replayed.
fn failure(error: RecoveryError) -> Failure {
    match error {
        RecoveryError::Full { source, .. } => {
            Failure::new(format!("a memtable can't grow: {source}"))
        }
        RecoveryError::Flush { source, .. } => match source.downcast() {
            Ok(failure) => *failure,
            Err(other) => Failure::new(other.to_string()),
        },
        other => Failure::new(other.to_string()),
    }
}

/// A source that tells how much of it has been read.
struct Reading<'a, R> {
    source: R,
    name: &'a str,
    progress: Option<&'a Progress>,
}

impl<R: Read> Read for Reading<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        if let Some(progress) = self.progress {
            progress.read(self.name, bytes as u64);
        }
        Ok(bytes)
    }
}
