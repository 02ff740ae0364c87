//! Edits as `leveldbutil dump` prints them.

use std::fmt;

use strata_dbformat::escape;

use crate::{EditFault, EditRecord, VersionEdit};

impl fmt::Display for VersionEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VersionEdit {")?;
        if let Some(comparator) = &self.comparator {
            write!(f, "\n  Comparator: {}", escape(comparator))?;
        }
        for (name, number) in [
            ("LogNumber", self.log_number),
            ("PrevLogNumber", self.previous_log_number),
            ("NextFile", self.next_file_number),
            ("LastSeq", self.last_sequence.map(u64::from)),
        ] {
            if let Some(number) = number {
                write!(f, "\n  {name}: {number}")?;
            }
        }
        for (level, key) in &self.compact_pointers {
            write!(f, "\n  CompactPointer: {level} {key}")?;
        }
        for (level, number) in &self.deleted_files {
            write!(f, "\n  RemoveFile: {level} {number}")?;
        }
        for (level, file) in &self.new_files {
            write!(
                f,
                "\n  AddFile: {level} {} {} {} .. {}",
                file.number, file.bytes, file.smallest, file.largest
            )?;
        }
        f.write_str("\n}\n")
    }
}

/// As `leveldbutil dump` prints a manifest's record, newline included.
impl fmt::Display for EditRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--- offset {}; ", self.offset)?;
        match &self.edit {
            Ok(edit) => edit.fmt(f),
            Err(error) => {
                f.write_str("Corruption: VersionEdit: ")?;
                match error.fault {
                    EditFault::UnknownTag(_) => f.write_str("unknown tag\n"),
                    fault => writeln!(f, "{fault}"),
                }
            }
        }
    }
}
