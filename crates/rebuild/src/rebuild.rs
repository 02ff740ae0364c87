//! A sound database made of all that could be read.

use std::io::ErrorKind;
use std::thread;

use strata_database::{
    Arrangement, Database, DatabaseError, Entries, Entry, Note, ReadOptions, Report,
};
use strata_dbformat::SequenceNumber;
use strata_files::{CURRENT, Directory, manifest_file_name};
use strata_manifest::{FileMetadata, Level, VersionEdit, create_manifest, set_current};
use strata_table::{Compression, TableError, TableOptions};

use crate::RebuildError;
use crate::output::{NewTable, Output};
use crate::pipe::{Receiver, Sender, pipe};

/// The number of the new database's manifest. Its tables have the numbers after it.
const MANIFEST_NUMBER: u64 = 1;

/// With fewer sequence numbers left than this, the caller is told.
const FEW_SEQUENCE_NUMBERS: u64 = 1 << 40;

/// After so many attempts no table is trusted to be sorted.
const MOST_ATTEMPTS: u32 = 3;

/// How a database is rebuilt.
///
/// ```
/// use strata_rebuild::RebuildOptions;
/// use strata_table::{Compression, TableOptions};
///
/// // As Minecraft's Bedrock edition has it, with the history of each key.
/// let options = RebuildOptions {
///     all_versions: true,
///     table: TableOptions {
///         compression: Compression::RawDeflate,
///         ..TableOptions::default()
///     },
///     ..RebuildOptions::default()
/// };
/// assert_eq!(options.table_bytes, 2 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct RebuildOptions {
    /// Whether to keep all versions of a key and the tombstones, not only what is there now.
    pub all_versions: bool,
    /// How the tables are written.
    pub table: TableOptions,
    /// A table ends with the user key at which it has this many bytes: 2 MiB by default, as
    /// LevelDB's compactions have it.
    pub table_bytes: u64,
    /// Whether to write nothing if anything is lost.
    pub stop_at_loss: bool,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self {
            all_versions: false,
            table: TableOptions {
                compression: Compression::None,
                ..TableOptions::default()
            },
            table_bytes: 2 << 20,
            stop_at_loss: false,
        }
    }
}

/// The files and entries that a new database was made of.
///
/// ```
/// use strata_database::{Database, ReadOptions};
/// use strata_files::FileDirectory;
/// use strata_rebuild::{RebuildOptions, rebuild};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let out = tempfile::tempdir()?;
/// let database = Database::open(sample)?;
/// let rebuilt = rebuild(
///     &database,
///     &ReadOptions::default(),
///     &RebuildOptions::default(),
///     &FileDirectory::new(out.path()),
///     &mut |report| eprintln!("{report}"),
/// )?;
/// assert_eq!((rebuilt.entries, rebuilt.tombstones), (190, 2));
/// assert_eq!((rebuilt.kept[3], rebuilt.superseded[3]), (22, 168)); // of 000003.log
/// assert_eq!((&rebuilt.tables[0].file[..], rebuilt.level), ("000002.ldb", 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// How many entries were read, each internal key once.
    pub entries: u64,
    /// How many of them are tombstones.
    pub tombstones: u64,
    /// The smallest and the largest sequence number of an entry.
    pub sequences: Option<(SequenceNumber, SequenceNumber)>,
    /// How many entries of each file are in the new database, in the order of
    /// [`Database::files`].
    pub kept: Vec<u64>,
    /// How many entries of each file were read and are not in it: older versions, tombstones.
    pub superseded: Vec<u64>,
    /// The new tables, in the order of their keys.
    pub tables: Vec<NewTable>,
    /// The name of the comparator by which they are sorted.
    pub comparator: String,
    /// The level that the tables are in.
    pub level: u8,
    /// The last sequence number of the new database.
    pub last_sequence: SequenceNumber,
}

/// The outcome of merging everything once.
struct Attempt {
    rebuilt: Rebuilt,
    reports: Vec<Report>,
    /// Tables whose entries turned out not to be in order.
    disordered: Vec<u32>,
}

/// Makes a new database in `out` of what `read` selects: the newest version of each key, or all of
/// them, in tables of one level, with a manifest and `CURRENT`.
///
/// Until `CURRENT` is written, at the very end and after everything else is synced, `out` is no
/// database.
///
/// # Errors
///
/// [`RebuildError`] if `out` is not empty, if the order of the keys is not known, or if temporary
/// files or the new files can't be written; what was written of those is removed then. Damage is no
/// error, unless the options say so.
pub fn rebuild(
    database: &Database,
    read: &ReadOptions,
    options: &RebuildOptions,
    out: &dyn Directory,
    report: &mut dyn FnMut(Report),
) -> Result<Rebuilt, RebuildError> {
    if let Some(found) = out.list().map_err(RebuildError::List)?.into_iter().next() {
        return Err(RebuildError::NotEmpty { found });
    }
    let mut read = read.clone();
    let mut attempts = 0;
    let mut attempt = loop {
        let attempt = Rebuild {
            database,
            read: &read,
            options,
            out,
        }
        .attempt()?;
        if attempt.disordered.is_empty() {
            break attempt;
        }
        // Entries of these tables come in another order than their index or the manifest says.
        // Everything is merged anew, with those tables sorted first.
        remove_tables(out, &attempt.rebuilt.tables);
        for &file in &attempt.disordered {
            report(sorted_first(database, file, &attempt.rebuilt.comparator));
        }
        attempts += 1;
        if attempts < MOST_ATTEMPTS {
            read.unsorted.extend(attempt.disordered);
        } else {
            read.unsorted = database.selected_files(&read).collect();
        }
    };
    let is_lossy = attempt
        .reports
        .iter()
        .any(|report| matches!(report, Report::Lost(_)));
    attempt.reports.into_iter().for_each(&mut *report);
    report_last_sequence(&attempt.rebuilt, report);
    let finished = match is_lossy && options.stop_at_loss {
        true => Err(RebuildError::Lossy),
        false => finish(&mut attempt.rebuilt, out),
    };
    if let Err(error) = finished {
        undo(out, &attempt.rebuilt.tables);
        return Err(error);
    }
    Ok(attempt.rebuilt)
}

/// Says so if the numbers that are left would not last long.
fn report_last_sequence(rebuilt: &Rebuilt, report: &mut dyn FnMut(Report)) {
    let left = SequenceNumber::MAX.get() - rebuilt.last_sequence.get();
    if left < FEW_SEQUENCE_NUMBERS {
        report(Report::Noted(Note {
            file: CURRENT.to_owned(),
            offset: None,
            what: format!(
                "the last sequence number is {}, so LevelDB has {left} left for new entries; a \
                 damaged entry may have made it up",
                rebuilt.last_sequence
            ),
            unread: 0,
        }));
    }
}

/// That a table's entries had to be sorted.
fn sorted_first(database: &Database, file: u32, comparator: &str) -> Report {
    Report::Noted(Note {
        file: database.files()[file as usize].name.clone(),
        offset: None,
        what: format!(
            "its entries are not in the order of {comparator}, so they were sorted; if all tables \
             are like that, another comparator may be the right one"
        ),
        unread: 0,
    })
}

/// What is rebuilt, and how.
struct Rebuild<'a> {
    database: &'a Database,
    read: &'a ReadOptions,
    options: &'a RebuildOptions,
    out: &'a dyn Directory,
}

impl Rebuild<'_> {
    /// Merges everything once, into tables.
    fn attempt(&self) -> Result<Attempt, RebuildError> {
        let mut reports = Vec::new();
        let mut report = |event| reports.push(event);
        let mut entries = self
            .database
            .entries(self.read, Arrangement::ByKey, &mut report)?;
        let comparator = entries.order().name().to_owned();
        let (sender, receiver) = pipe();
        let (rebuilt, tables) = thread::scope(|scope| {
            let output = Output::new(
                self.out,
                entries.order(),
                self.options.table.clone(),
                self.options.table_bytes,
                MANIFEST_NUMBER + 1,
            );
            let writing = scope.spawn(|| write_tables(receiver, output));
            let rebuilt = self.select(&mut entries, sender, &mut report);
            let tables = writing
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (rebuilt, tables)
        });
        // Why no tables were written goes before why no more entries were sent.
        let tables = tables.map_err(RebuildError::Table)?;
        let disordered = entries.disordered().to_vec();
        let rebuilt = rebuilt?;
        Ok(Attempt {
            rebuilt: Rebuilt {
                tables,
                comparator,
                ..rebuilt
            },
            reports,
            disordered,
        })
    }

    /// Sends what the new database is to hold, and counts.
    fn select(
        &self,
        entries: &mut Entries,
        mut sender: Sender,
        report: &mut dyn FnMut(Report),
    ) -> Result<Rebuilt, DatabaseError> {
        let mut rebuilt = Rebuilt {
            kept: vec![0; self.database.files().len()],
            superseded: vec![0; self.database.files().len()],
            last_sequence: self.database.last_sequence(),
            ..Rebuilt::default()
        };
        while entries.next(report)?.is_some() {
            let is_older = entries.is_same_user_key();
            // Later entries are read all the same, for other tables may be out of order, too.
            let is_sorted = entries.disordered().is_empty();
            let Some(entry) = entries.current().filter(|_| is_sorted) else {
                continue;
            };
            rebuilt.count(entry);
            let file = entry.origin.file as usize;
            if !self.options.all_versions && (is_older || entry.is_tombstone()) {
                rebuilt.superseded[file] += 1;
                continue;
            }
            rebuilt.kept[file] += 1;
            let tag = entry.tag.to_bytes();
            if sender.send(entry.user_key, tag, entry.value).is_err() {
                // The thread that writes has failed, and says why.
                return Ok(rebuilt);
            }
        }
        if entries.disordered().is_empty() {
            let _ = sender.finish();
        }
        Ok(rebuilt)
    }
}

/// Writes the manifest and, last of all, `CURRENT`.
fn finish(rebuilt: &mut Rebuilt, out: &dyn Directory) -> Result<(), RebuildError> {
    rebuilt.level = level_for(rebuilt.tables.iter().map(|table| table.bytes).sum());
    let level = Level::new(rebuilt.level).unwrap_or(Level::ZERO);
    let files = rebuilt.tables.iter().map(|table| {
        let (smallest, largest) = table.keys.clone();
        let file = FileMetadata {
            number: table.number,
            bytes: table.bytes,
            smallest,
            largest,
        };
        (level, file)
    });
    let edit = VersionEdit {
        comparator: Some(rebuilt.comparator.clone().into_bytes()),
        log_number: Some(0),
        next_file_number: Some(MANIFEST_NUMBER + 1 + rebuilt.tables.len() as u64),
        last_sequence: Some(rebuilt.last_sequence),
        new_files: files.collect(),
        ..VersionEdit::default()
    };
    // A manifest that can't be made is removed again by `create_manifest`, unless it is another's.
    create_manifest(out, MANIFEST_NUMBER, [edit]).map_err(RebuildError::Manifest)?;
    set_current(out, MANIFEST_NUMBER).map_err(|error| {
        remove_manifest(out);
        RebuildError::Manifest(error)
    })
}

impl Rebuilt {
    fn count(&mut self, entry: Entry<'_>) {
        self.entries += 1;
        self.tombstones += u64::from(entry.is_tombstone());
        let sequence = entry.sequence();
        let (smallest, largest) = self.sequences.unwrap_or((sequence, sequence));
        self.sequences = Some((smallest.min(sequence), largest.max(sequence)));
        self.last_sequence = self.last_sequence.max(sequence);
    }
}

/// Writes what comes through the pipe to tables. If that fails, or if the other end gives up, no
/// table stays.
fn write_tables(entries: Receiver, mut output: Output<'_>) -> Result<Vec<NewTable>, TableError> {
    let written = entries
        .for_each(|key, value| output.add(key, value))
        .and_then(|is_whole| match is_whole {
            true => output.finish().map(Some),
            false => Ok(None),
        });
    if !matches!(written, Ok(Some(_))) {
        output.remove();
    }
    Ok(written?.unwrap_or_default())
}

/// Removes the manifest, and before it `CURRENT`. While that is there, or could be there again after
/// a power failure, the manifest stays.
fn remove_manifest(out: &dyn Directory) {
    let is_no_database = match out.remove(CURRENT) {
        Ok(()) => out.sync().is_ok(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if is_no_database {
        let _ = out.remove(&manifest_file_name(MANIFEST_NUMBER));
    }
}

/// Removes the tables, unless there is a manifest that names them.
fn undo(out: &dyn Directory, tables: &[NewTable]) {
    match out.open(&manifest_file_name(MANIFEST_NUMBER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => remove_tables(out, tables),
        _ => {}
    }
}

fn remove_tables(out: &dyn Directory, tables: &[NewTable]) {
    for table in tables {
        // The directory is no database without them either.
        let _ = out.remove(&table.file);
    }
}

/// The first level that LevelDB lets hold so many bytes without compacting it at once: 10 MiB in
/// level 1, ten times as much in each after it; the last, level 6, has no limit.
fn level_for(bytes: u64) -> u8 {
    (1..6)
        .find(|&level| bytes <= (10 << 20) * 10_u64.pow(u32::from(level) - 1))
        .unwrap_or(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_holds_what_leveldb_lets_it_hold() {
        let levels = [0, 10 << 20, (10 << 20) + 1, 100 << 20, 2 << 30, u64::MAX].map(level_for);
        assert_eq!(levels, [1, 1, 2, 2, 4, 6]);
    }
}
