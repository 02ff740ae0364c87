//! The findings of a look at a directory: files missing, or something else, or passed over.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use strata_files::{
    CURRENT, FileKind, INFO_LOG, LOCK, OLD_INFO_LOG, log_file_name, table_file_name,
};
use strata_table::KeyRange;

use super::{Database, Standing, StoredFile, StoredKind, parse_name};
use crate::{Loss, LossReason, Note};

impl Database {
    /// Takes a note, or a loss, of what the caller should know about a file.
    pub(super) fn say(
        &mut self,
        name: &str,
        kind: &StoredKind,
        standing: Standing,
        named: Option<(u64, FileKind)>,
        bytes: u64,
    ) {
        let expected = match named {
            Some((_, FileKind::Table)) => "a table",
            Some((_, FileKind::Log)) => "a log",
            _ => "",
        };
        let is_used = matches!(standing, Standing::Live | Standing::Unlisted);
        match (standing, kind) {
            (_, StoredKind::Other(found)) if is_used && !expected.is_empty() => {
                let found = found.clone();
                self.lose(
                    name.to_owned(),
                    bytes,
                    LossReason::Foreign { expected, found },
                );
            }
            (Standing::Obsolete, StoredKind::Other(found)) if !expected.is_empty() => {
                let what = format!("not read: it is {found}, and the manifest does not name it");
                self.note(name, &what);
            }
            (Standing::Unfinished, _) => self.note(
                name,
                "a table without its end, which the manifest does not name: read only with \
                 --all-files; LevelDB leaves one when it is closed during a compaction",
            ),
            (Standing::Obsolete, StoredKind::Table | StoredKind::Log) => self.note(
                name,
                "obsolete, for the manifest does not name it: read only with --all-files",
            ),
            (Standing::Unlisted, StoredKind::Table) if self.version().is_some() => self.note(
                name,
                "read, though the manifest does not name it: the edit that its end cuts may have",
            ),
            (Standing::Obsolete, StoredKind::Other(found)) => {
                let what = format!("not read: {found}, which the manifest does not name");
                self.note(name, &what);
            }
            (Standing::Ignored, _) if is_bookkeeping(name) => {}
            (Standing::Ignored, StoredKind::Table) => self.ignore_readable(name, "a table"),
            (Standing::Ignored, StoredKind::Log) => self.ignore_readable(name, "a log"),
            (Standing::Ignored, StoredKind::Manifest) => self.ignore_readable(name, "a manifest"),
            (Standing::Ignored, StoredKind::Other(found)) => {
                let found = found.clone();
                self.ignore(name.to_owned(), &found);
            }
            _ => {}
        }
    }

    /// Takes down that a file can't be read: as a loss, if it may be part of the database.
    pub(super) fn cannot_read(&mut self, name: String, bytes: u64, error: &io::Error) {
        let is_live = |kind, number| self.version().and_then(|it| it.is_live(kind, number));
        match parse_name(&name) {
            Some((number, kind @ (FileKind::Table | FileKind::Log)))
                if is_live(kind, number) != Some(false) =>
            {
                self.lose(name, bytes, LossReason::Unreadable(error.to_string()));
            }
            _ => self.note(&name, &format!("ignored: it can't be read: {error}")),
        }
    }

    /// What there is instead of tables and logs.
    pub(crate) fn why_nothing_is_read(&self) -> String {
        let path = self.path.display();
        if let [file] = &self.files[..]
            && file.kind == StoredKind::Manifest
        {
            return format!("{path} is a manifest, which holds no entries: `strata dump` shows it");
        }
        let mut why = format!("there is nothing to read in {path}: neither a table nor a log");
        for loss in &self.losses {
            why += &format!("; {}: {}", loss.file, loss.reason);
        }
        let mut entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let database = |entry: &fs::DirEntry| entry.path().join(CURRENT).exists();
        if let Some(entry) = entries.find(database) {
            why += &format!("; {} looks like a database", entry.path().display());
        }
        why
    }

    pub(super) fn ignore(&mut self, name: String, what: &str) {
        self.note(&name, &format!("ignored: it is {what}"));
    }

    fn ignore_readable(&mut self, name: &str, what: &str) {
        self.note(
            name,
            &format!(
                "ignored: LevelDB gives no file such a name; it looks like {what}, which can be \
                 read by naming it; to read several files together, copy them to a new directory \
                 as 000101.ldb, 000102.log and so on"
            ),
        );
    }

    pub(super) fn note(&mut self, name: &str, what: &str) {
        self.notes.push(Note {
            file: name.to_owned(),
            offset: None,
            what: what.to_owned(),
            unread: 0,
        });
    }

    pub(super) fn lose(&mut self, file: String, bytes: u64, reason: LossReason) {
        self.losses.push(Loss {
            file,
            offset: 0,
            bytes,
            reason,
            keys: None,
        });
    }

    /// Of several files with the number of a live table, only LevelDB's is live; and live tables
    /// that are not there are lost.
    pub(super) fn find_missing(&mut self) {
        let Some(version) = self.version() else {
            return;
        };
        let mut present: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (i, file) in self.files.iter().enumerate() {
            if let Some((number, FileKind::Table)) = parse_name(&file.name) {
                present.entry(number).or_default().push(i);
            }
        }
        let mut missing = Vec::new();
        let mut doubles = Vec::new();
        for (_, file) in version.files() {
            let number = file.number;
            let mut candidates = present.remove(&number).unwrap_or_default();
            // LevelDB looks for 000005.ldb, then for 000005.sst.
            candidates.sort_by_key(|&i| {
                let name = &self.files[i].name;
                (*name != table_file_name(number), !name.ends_with(".sst"))
            });
            match candidates.split_first() {
                Some((_, others)) => doubles.extend_from_slice(others),
                None => missing.push(Loss {
                    file: table_file_name(number),
                    offset: 0,
                    bytes: file.bytes,
                    reason: LossReason::Missing,
                    keys: Some(KeyRange {
                        after: file.smallest.user_key().map(<[u8]>::to_vec),
                        upto: file.largest.user_key().map(<[u8]>::to_vec),
                    }),
                }),
            }
        }
        // A log that the manifest names was made before the manifest named it.
        let log_number = version.log_number;
        let is_log = |file: &StoredFile| {
            file.number == Some(log_number)
                && parse_name(&file.name).is_some_and(|(_, kind)| kind == FileKind::Log)
        };
        if log_number != 0 && !self.files.iter().any(is_log) {
            missing.push(Loss {
                file: log_file_name(log_number),
                offset: 0,
                bytes: 0,
                reason: LossReason::Missing,
                keys: None,
            });
        }
        for double in doubles {
            self.files[double].standing = Standing::Obsolete;
            self.files[double].placed = None;
            let name = self.files[double].name.clone();
            self.note(&name, "not read: another file has its number");
        }
        self.losses.extend(missing);
    }
}

/// Files that a database has beside those with its data.
fn is_bookkeeping(name: &str) -> bool {
    matches!(name, CURRENT | LOCK | INFO_LOG | OLD_INFO_LOG)
}
