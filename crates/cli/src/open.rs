//! INPUT, opened: a directory, a file, or what comes through a pipe.

use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use strata_database::{Database, DatabaseError, Loss, LossReason, Order, ReadOptions, Report};
use strata_dbformat::{BytewiseComparator, IndexedDbComparator, ReverseBytewiseComparator, escape};
use tempfile::NamedTempFile;

use crate::args::{InputArguments, KeyOrder};
use crate::failure::Failure;
use crate::progress::Bar;
use crate::show::tell;

/// INPUT, and how it is read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) read: ReadOptions,
    /// A copy of the bytes that came through a pipe: it is removed when this is dropped.
    _spooled: Option<NamedTempFile>,
}

impl Opened {
    pub(crate) fn new(arguments: &InputArguments) -> Result<Self, Failure> {
        let path = &arguments.path;
        let mut spooled = None;
        let database = if path.as_os_str() == "-" {
            let file = spooled.insert(spool(&mut io::stdin().lock(), path)?);
            Database::of_file(file.path(), "standard input")
        } else {
            let metadata =
                fs::metadata(path).map_err(|error| Failure::at("can't read", path, error))?;
            let name = path.file_name().unwrap_or(path.as_os_str());
            if metadata.is_dir() {
                Database::open(path)
            } else if metadata.is_file() {
                Database::of_file(path, &name.to_string_lossy())
            } else {
                let mut pipe =
                    File::open(path).map_err(|error| Failure::at("can't open", path, error))?;
                let file = spooled.insert(spool(&mut pipe, path)?);
                Database::of_file(file.path(), &name.to_string_lossy())
            }
        }?;
        let read = ReadOptions {
            order: arguments.comparator.map(order),
            all_files: arguments.all_files,
            salvage: arguments.salvage,
            ignore_checksums: arguments.ignore_checksums,
            progress: Some(Arc::new(Bar::new(database.bytes(arguments.all_files)))),
            ..ReadOptions::default()
        };
        let opened = Self {
            database,
            read,
            _spooled: spooled,
        };
        opened.tell_of_another_order();
        Ok(opened)
    }

    /// Says so if the order that was asked for is not the one that the manifest names.
    fn tell_of_another_order(&self) {
        if let (Some(asked), Some(named)) = (self.read.order, self.database.comparator_name())
            && asked.name().as_bytes() != named
        {
            tell(format_args!(
                "the manifest says that the database sorts its keys by {}, not by {} as --comparator \
                 has it",
                escape(named),
                asked.name()
            ));
        }
    }

    /// Whether the order of the keys is known. If not, says what that means for a listing.
    pub(crate) fn has_known_order(&self) -> Result<bool, Failure> {
        match self.database.order(&self.read) {
            Ok(_) => Ok(true),
            Err(error @ DatabaseError::UnknownOrder { .. }) => {
                tell(format_args!(
                    "{error}; the entries are listed as they lie, file by file"
                ));
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Copies what comes through a pipe to a temporary file: tables are read from their ends.
fn spool(pipe: &mut impl io::Read, path: &Path) -> Result<NamedTempFile, Failure> {
    let failed = |error| Failure::at("can't copy to a temporary file", path, error);
    let mut file = NamedTempFile::new().map_err(failed)?;
    if path.as_os_str() == "-" && io::stdin().is_terminal() {
        tell("reading from the terminal; give a file or a directory instead of -");
    }
    io::copy(pipe, &mut file).map_err(failed)?;
    Ok(file)
}

fn order(order: KeyOrder) -> Order {
    match order {
        KeyOrder::Bytewise => &BytewiseComparator,
        KeyOrder::ReverseBytewise => &ReverseBytewiseComparator,
        KeyOrder::IdbCmp1 => &IndexedDbComparator,
    }
}

/// Tells of losses and notes on standard error as they come, and counts the losses.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    pub(crate) losses: u64,
    /// A file that turned out to be something else than it was taken for.
    foreign: Option<Loss>,
    is_log_damaged: bool,
}

impl Teller {
    /// Tells what the listing of INPUT showed.
    pub(crate) fn of(opened: &Opened) -> Self {
        let mut teller = Self::default();
        opened
            .database
            .report_findings(&mut |report| teller.take(&report));
        teller
    }

    pub(crate) fn take(&mut self, report: &Report) {
        if let Report::Lost(loss) = report {
            self.losses += 1;
            self.is_log_damaged |= matches!(loss.reason, LossReason::Log(_));
            if matches!(loss.reason, LossReason::Foreign { .. }) {
                self.foreign = Some(loss.clone());
            }
        }
        tell(report);
    }

    /// Says what else can be tried, if a log is damaged.
    pub(crate) fn hint(&self, opened: &Opened) {
        if self.is_log_damaged && !opened.read.salvage {
            tell("a log is damaged: --salvage goes on behind the damage and finds more");
        }
    }

    /// Fails if INPUT is a single file, and that is not what it was taken for.
    pub(crate) fn refuse_foreign(&self, opened: &Opened) -> Result<(), Failure> {
        match (&self.foreign, opened.database.files()) {
            (Some(loss), [_]) if !opened.database.path().is_dir() => Err(Failure::new(format!(
                "nothing could be read of {}: {}",
                loss.file, loss.reason
            ))),
            _ => Ok(()),
        }
    }
}
