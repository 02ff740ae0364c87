//! INPUT's logs into memtables.

use std::fs::File;
use std::path::Path;

use strata_dbformat::Comparator;
use strata_files::parse_file_name;
use strata_memtable::ImmutableMemTable;
use strata_write_buffer::{Flush, FlushError, Recovered, Recovery, RecoveryError, RecoveryOptions};

use crate::failure::Failure;
use crate::input::{Input, file_name};
use crate::log_report::LogReports;
use crate::progress::Progress;

/// What was replayed.
#[derive(Debug)]
pub(crate) struct Replayed<C> {
    /// Its memtable was flushed, too.
    pub(crate) recovered: Recovered<C>,
    pub(crate) report: LogReports,
}

/// Gives each memtable that is frozen to a function.
struct Each<F>(F);

impl<C, F> Flush<C> for Each<F>
where
    F: FnMut(&ImmutableMemTable<C>) -> Result<(), Failure>,
{
    fn flush(&mut self, memtable: &ImmutableMemTable<C>, _: u64) -> Result<(), FlushError> {
        Ok((self.0)(memtable)?)
    }
}

/// Replays the logs of `input`, in order, and gives every memtable to `flush`: each that is full,
/// and what is left.
pub(crate) fn replay<C, F>(
    input: &Input,
    comparator: C,
    options: RecoveryOptions,
    mut flush: F,
) -> Result<Replayed<C>, Failure>
where
    C: Comparator + Clone,
    F: FnMut(&ImmutableMemTable<C>) -> Result<(), Failure>,
{
    let mut progress = Progress::new(input.log_bytes());
    let mut report = LogReports::default();
    let mut recovery = Recovery::new(comparator, options);
    for log in &input.logs {
        let name = file_name(log);
        let number = parse_file_name(&name).map_or(0, |(number, _)| number);
        let file = File::open(log).map_err(|error| Failure::at("can't open", log, error))?;
        progress.begin(name.clone());
        let source = progress.reading(file);
        recovery = recovery
            .replay(number, &name, source, &mut Each(&mut flush), &mut |event| {
                report.take(event);
            })
            .map_err(|error| failure(error, log))?;
    }
    let recovered = recovery.finish();
    if let Some((memtable, _)) = &recovered.memtable {
        flush(memtable)?;
    }
    Ok(Replayed { recovered, report })
}

/// Says why the log at `path` could not be replayed.
fn failure(error: RecoveryError, path: &Path) -> Failure {
    match error {
        RecoveryError::Read { source, .. } => Failure::at("can't read", path, source),
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

#[cfg(test)]
mod tests;
