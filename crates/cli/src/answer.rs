//! The answer of a recovery, in text and in JSON.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use strata_database::{Loss, Note, Report, Standing, StoredFile, StoredKind};
use strata_files::{FileKind, parse_file_name};

use crate::show::{Bytes, tell};

/// So many of the new tables are listed in text.
const LISTED: usize = 16;

/// What was recovered, and of what.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) records: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batches: Option<u64>,
    pub(crate) entries: u64,
    pub(crate) tombstones: u64,
    pub(crate) first_sequence: Option<u64>,
    pub(crate) last_sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comparator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<u8>,
    pub(crate) tables: Vec<Table>,
    pub(crate) files: Vec<File>,
    #[serde(flatten)]
    pub(crate) findings: Findings,
}

/// The losses, and the remarks beside them.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) dropped: Vec<Dropped>,
    pub(crate) mentioned: Vec<Mentioned>,
}

/// A table that was written.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) file: String,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// A file of the input.
#[derive(Debug, Serialize)]
pub(crate) struct File {
    pub(crate) file: String,
    pub(crate) kind: String,
    pub(crate) standing: &'static str,
    pub(crate) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kept: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) superseded: Option<u64>,
}

/// A part of the input that is lost.
#[derive(Debug, Serialize)]
pub(crate) struct Dropped {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<String>,
}

/// Something about the input that is no loss.
#[derive(Debug, Serialize)]
pub(crate) struct Mentioned {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) what: String,
}

impl File {
    /// How a file of the input is called, and what it is.
    pub(crate) fn new(file: &StoredFile) -> Self {
        Self {
            file: file.name.clone(),
            kind: match &file.kind {
                StoredKind::Table => "table".to_owned(),
                StoredKind::Log => "log".to_owned(),
                StoredKind::Manifest => "manifest".to_owned(),
                StoredKind::Other(what) => what.clone(),
                _ => "unknown".to_owned(),
            },
            standing: standing(file.standing),
            bytes: file.bytes,
            kept: None,
            superseded: None,
        }
    }
}

/// A standing in a word.
pub(crate) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Live => "live",
        Standing::Obsolete => "obsolete",
        Standing::Unfinished => "unfinished",
        Standing::Unlisted => "unlisted",
        Standing::Named => "named",
        _ => "ignored",
    }
}

impl From<Loss> for Dropped {
    fn from(loss: Loss) -> Self {
        Self {
            file: loss.file,
            offset: loss.offset,
            bytes: loss.bytes,
            reason: loss.reason.to_string(),
            keys: loss.keys.map(|keys| keys.to_string()),
        }
    }
}

impl From<Note> for Mentioned {
    fn from(note: Note) -> Self {
        Self {
            file: note.file,
            offset: note.offset.unwrap_or(0),
            what: note.what,
        }
    }
}

impl Findings {
    /// Takes down a report.
    pub(crate) fn take(&mut self, report: Report) {
        match report {
            Report::Lost(loss) => self.dropped.push(loss.into()),
            Report::Noted(note) => self.mentioned.push(note.into()),
            // There are no others; if there were, they would be told at once.
            other => tell(other),
        }
    }
}

impl Answer {
    /// Why nothing was written, if something is missing and `strict` forbids that.
    pub(crate) fn refusal(&self, strict: bool) -> Option<String> {
        let first = self.findings.dropped.first().filter(|_| strict)?;
        Some(format!(
            "nothing was written, because --strict was given and {} would have been lost, first \
             {}: {} bytes at offset {}: {}",
            count(self.findings.dropped.len() as u64, "part", "parts"),
            first.file,
            first.bytes,
            first.offset,
            first.reason
        ))
    }

    pub(crate) fn print(
        &self,
        input: &Path,
        out: &Path,
        output: &mut impl Write,
    ) -> io::Result<()> {
        writeln!(output, "{}", input.display())?;
        for file in &self.files {
            self.print_file(file, output)?;
        }
        if let (Some(records), Some(batches)) = (self.records, self.batches) {
            writeln!(output, "  records    {records}")?;
            writeln!(output, "  batches    {batches}")?;
        }
        let (entries, tombstones) = (self.entries, self.tombstones);
        writeln!(
            output,
            "  entries    {entries}, of which {tombstones} are tombstones"
        )?;
        match (self.first_sequence, self.last_sequence) {
            (Some(first), Some(last)) => writeln!(output, "  sequences  {first} to {last}")?,
            _ => writeln!(output, "  sequences  none")?,
        }
        self.print_tables(out, output)?;
        for Mentioned { file, offset, what } in &self.findings.mentioned {
            match offset {
                0 => writeln!(output, "  mentioned  {file}: {what}")?,
                _ => writeln!(output, "  mentioned  {file}: at offset {offset}, {what}")?,
            }
        }
        if self.findings.dropped.is_empty() {
            writeln!(output, "  dropped    nothing")?;
        }
        for dropped in &self.findings.dropped {
            let Dropped {
                file,
                offset,
                bytes,
                reason,
                keys,
            } = dropped;
            write!(
                output,
                "  dropped    {file}: {bytes} bytes at offset {offset} dropped: {reason}"
            )?;
            match keys {
                Some(keys) => writeln!(output, " ({keys})")?,
                None => writeln!(output)?,
            }
        }
        if self.level.is_none() {
            return Ok(());
        }
        writeln!(
            output,
            "  next       close the program that uses the old database, move the old directory \
             away, and put {} in its place",
            out.display()
        )
    }

    fn print_file(&self, file: &File, output: &mut impl Write) -> io::Result<()> {
        let (Some(kept), Some(superseded)) = (file.kept, file.superseded) else {
            return Ok(());
        };
        // A standing that every file has that is read is not worth a word.
        let standing = match file.standing {
            "obsolete" | "unfinished" => format!(", {}", file.standing),
            _ => String::new(),
        };
        writeln!(
            output,
            "  read       {}  {kept} entries kept, {superseded} superseded{standing}",
            file.file
        )
    }

    fn print_tables(&self, out: &Path, output: &mut impl Write) -> io::Result<()> {
        let bytes = Bytes(self.tables.iter().map(|table| table.bytes).sum());
        let tables = self.tables.len() as u64;
        match (self.level, &self.compression) {
            (Some(level), Some(compression)) => writeln!(
                output,
                "  wrote      {} in level {level}, compression {compression}, {bytes}",
                count(tables, "table", "tables")
            )?,
            _ => writeln!(
                output,
                "  flushed    {}, {bytes}",
                count(tables, "memtable", "memtables")
            )?,
        }
        for Table {
            file,
            entries,
            bytes,
        } in self.tables.iter().take(LISTED)
        {
            let path = out.join(file);
            writeln!(
                output,
                "    {}  {entries} entries, {}",
                path.display(),
                Bytes(*bytes)
            )?;
        }
        match self.tables.len().checked_sub(LISTED) {
            Some(others @ 1..) => writeln!(output, "    and {others} more, which --json names"),
            _ => Ok(()),
        }
    }
}

pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The largest number that a file's name has, of these names. Temporary files don't count: their
/// numbers are drawn at random.
pub(crate) fn largest_number<'a>(names: impl Iterator<Item = &'a str>) -> u64 {
    names
        .filter_map(parse_file_name)
        .filter(|(_, kind)| *kind != FileKind::Temporary)
        .map(|(number, _)| number)
        .max()
        .unwrap_or(0)
}
