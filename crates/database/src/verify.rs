//! The soundness of a directory, file by file.

use std::fs::File;

use strata_table::{Table, TableError, TableSummary};

use crate::report::{Note, Sink};
use crate::{Database, DatabaseError, ReadOptions, Report, StoredFile, StoredKind};

/// The outcome of verifying a file.
///
/// ```
/// use strata_database::{Database, ReadOptions};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let log = std::fs::read(sample.join("000003.log"))?;
/// let directory = tempfile::tempdir()?;
/// std::fs::write(directory.path().join("000003.log"), &log[..log.len() - 1])?;
/// let torn = Database::open(directory.path())?.verify(0, &ReadOptions::default())?.unwrap();
/// assert_eq!((torn.entries, torn.is_damaged), (189, false)); // as a crash leaves it
/// assert!(torn.reports[0].to_string().contains("a record that the end of the file cuts"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many entries could be read.
    pub entries: u64,
    /// How many of them are tombstones.
    pub tombstones: u64,
    /// The losses, and the remarks beside them.
    pub reports: Vec<Report>,
    /// Whether a part of the file is damaged, be it one that costs no entries.
    pub is_damaged: bool,
}

impl Database {
    /// Verifies a file: every checksum, every key, the order, the index and the filter of a table;
    /// every record and every batch of a log.
    ///
    /// Gives `None` for a file that is neither a table nor a log. Memory: an index, a filter and a
    /// block, or a record.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] if there is no memory; what can't be read is reported as lost.
    pub fn verify(&self, file: u32, read: &ReadOptions) -> Result<Option<Verified>, DatabaseError> {
        let stored = &self.files()[file as usize];
        let mut verified = Verified::default();
        match stored.kind {
            StoredKind::Table => {
                let trouble = self.verify_table(stored, read, &mut verified);
                match trouble {
                    None => return Ok(Some(verified)),
                    Some(trouble) => self.list(file, read, &mut verified, Some(trouble))?,
                }
            }
            StoredKind::Log => self.list(file, read, &mut verified, None)?,
            _ => return Ok(None),
        }
        Ok(Some(verified))
    }

    /// Verifies a table as a whole. `Some` is what is wrong with it.
    fn verify_table(
        &self,
        stored: &StoredFile,
        read: &ReadOptions,
        verified: &mut Verified,
    ) -> Option<String> {
        // Without the order of the keys, nothing but their order can't be verified.
        let Ok(order) = self.order(read) else {
            return Some("the order of the keys is not known, so it was not verified".to_owned());
        };
        let table = File::open(&stored.path)
            .map_err(|source| TableError::Io {
                action: "open the table",
                source,
            })
            .and_then(|file| Table::open(file, order));
        if let Ok(table) = &table
            && let Some(fault) = table.filter_fault()
        {
            return Some(format!(
                "the filter can't be used, which costs no entries, and speed where LevelDB uses \
                 it: {fault}"
            ));
        }
        match table.and_then(|table| table.verify()) {
            Ok(summary) => {
                verified.entries = summary.entries;
                verified.tombstones = summary.tombstones;
                misplaced(stored, &summary)
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// Reads all that can be read, and takes down what is lost. If nothing is, `trouble` is what
    /// there is to say.
    fn list(
        &self,
        file: u32,
        read: &ReadOptions,
        verified: &mut Verified,
        trouble: Option<String>,
    ) -> Result<(), DatabaseError> {
        let mut reports = Vec::new();
        let mut report = |event| reports.push(event);
        (verified.entries, verified.tombstones) = self.count(file, read, &mut report)?;
        verified.is_damaged = reports
            .iter()
            .any(|report| matches!(report, Report::Lost(_)));
        if let Some(what) = trouble
            && !verified.is_damaged
        {
            verified.is_damaged = self.order(read).is_ok();
            reports.push(Report::Noted(Note {
                file: self.files()[file as usize].name.clone(),
                offset: None,
                what,
                unread: 0,
            }));
        }
        verified.reports = reports;
        Ok(())
    }

    fn count(
        &self,
        file: u32,
        read: &ReadOptions,
        report: &mut Sink<'_>,
    ) -> Result<(u64, u64), DatabaseError> {
        let mut source = self.source(file, read);
        let (mut entries, mut tombstones) = (0, 0);
        source.advance(report)?;
        while let Some(entry) = source.entry() {
            entries += 1;
            tombstones += u64::from(entry.is_tombstone());
            source.advance(report)?;
        }
        Ok((entries, tombstones))
    }
}

/// The manifest's wrong claims about a table that is sound in itself.
fn misplaced(stored: &StoredFile, summary: &TableSummary) -> Option<String> {
    let (level, smallest, largest) = stored.placed.as_ref()?;
    let is_right = *smallest == summary.smallest && *largest == summary.largest;
    (!is_right).then(|| {
        format!(
            "the manifest says that the table, in level {level}, has the keys {smallest} to \
             {largest}; it has {} to {}",
            summary.smallest, summary.largest
        )
    })
}
