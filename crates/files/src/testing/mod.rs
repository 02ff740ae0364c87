//! A directory in memory that fails when it is told to, and whose machine can lose power.
//!
//! With the feature `testing`, for the tests of what is built on a [`Directory`].

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use strata_wal::SyncData;

use crate::{Directory, ReadFile, WriteFile};

/// A directory in memory. A clone is the same directory.
///
/// Every operation on it and on the files that are written is counted; reading an open file is
/// none. The first of a series of writes that fail leaves half of its bytes behind.
///
/// ```
/// use std::io::Write;
/// use strata_files::Directory;
/// use strata_files::testing::{FaultyDirectory, Kept};
///
/// let directory = FaultyDirectory::default();
/// let mut file = directory.create("notes")?;
/// file.write_all(b"kept")?;
/// file.sync_data()?;
/// assert!(directory.crash(Kept::Nothing).names().is_empty(), "the name was not synced");
/// directory.sync()?;
/// assert_eq!(directory.crash(Kept::Nothing).contents()["notes"], b"kept");
///
/// directory.stop_after(0);
/// assert!(directory.list().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FaultyDirectory(Arc<Mutex<Disk>>);

/// The part of unsynced bytes that a power failure leaves.
#[derive(Clone, Copy, Debug)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// All of it.
    Everything,
    /// Of each file the beginning of what happened to it, its end perhaps as zeros; of the changes
    /// of names any. Which, the seed says.
    Some(u64),
}

#[derive(Debug, Default)]
struct Disk {
    /// By number; one without a name may still be written to.
    files: Vec<Contents>,
    names: BTreeMap<String, usize>,
    /// The names as they were last synced, and what happened to them since.
    synced_names: BTreeMap<String, usize>,
    changed_names: Vec<NameChange>,
    operations: u64,
    /// Which operations fail.
    failing: std::ops::Range<u64>,
}

#[derive(Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    /// The bytes as they were last synced, and what happened to them since.
    synced: Vec<u8>,
    changes: Vec<Change>,
    /// A sync failed: what had changed before will not be synced by another.
    is_doomed: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write(Vec<u8>),
    SetLen(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Create(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

impl FaultyDirectory {
    /// How many operations there have been.
    pub fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// Lets the next `count` operations succeed, and none after them.
    pub fn stop_after(&self, count: u64) {
        self.fail_after(count, u64::MAX);
    }

    /// Lets the next `count` operations succeed, fails `times`, and goes on.
    pub fn fail_after(&self, count: u64, times: u64) {
        let mut disk = self.0.lock();
        let first = disk.operations + count;
        disk.failing = first..first.saturating_add(times);
    }

    /// Whether an operation has failed because it was told to.
    pub fn has_failed(&self) -> bool {
        let disk = self.0.lock();
        !disk.failing.is_empty() && disk.operations > disk.failing.start
    }

    /// The directory that is found when the power is back. Whoever has this one open goes on with
    /// what is no longer anywhere.
    pub fn crash(&self, kept: Kept) -> Self {
        let disk = self.0.lock();
        let mut chance = match kept {
            Kept::Some(seed) => Some(Chance(seed)),
            Kept::Nothing | Kept::Everything => None,
        };
        let everything = matches!(kept, Kept::Everything);
        let files: Vec<Vec<u8>> = disk
            .files
            .iter()
            .map(|file| file.after_crash(everything, chance.as_mut()))
            .collect();
        let mut names = disk.synced_names.clone();
        for change in &disk.changed_names {
            if chance
                .as_mut()
                .map_or(everything, |chance| chance.below(2) == 0)
            {
                change.apply(&mut names);
            }
        }
        let left = Self::default();
        for (name, file) in names {
            left.put(&name, &files[file]);
        }
        left
    }

    /// Puts a file there that is synced, name and all, in place of one that is there.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut disk = self.0.lock();
        let number = disk.files.len();
        disk.files.push(Contents {
            bytes: bytes.to_vec(),
            synced: bytes.to_vec(),
            ..Contents::default()
        });
        disk.names.insert(name.to_owned(), number);
        disk.synced_names.insert(name.to_owned(), number);
    }

    /// The names and contents of the files, which is no operation.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = self.0.lock();
        let file =
            |(name, &number): (&String, &usize)| (name.clone(), disk.files[number].bytes.clone());
        disk.names.iter().map(file).collect()
    }

    /// The names of the files, which is no operation.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().names.keys().cloned().collect()
    }
}

impl Disk {
    fn operation(&mut self, what: impl FnOnce() -> String) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        if self.failing.contains(&number) {
            let message = format!("operation {number}, {}, was told to fail", what());
            return Err(io::Error::other(message));
        }
        Ok(())
    }

    fn number(&self, name: &str) -> io::Result<usize> {
        let number = self.names.get(name).copied();
        number.ok_or_else(|| io::Error::new(ErrorKind::NotFound, name.to_owned()))
    }

    /// Refuses a name that a file has.
    fn refuse(&self, name: &str) -> io::Result<()> {
        if self.names.contains_key(name) {
            return Err(io::Error::new(ErrorKind::AlreadyExists, name.to_owned()));
        }
        Ok(())
    }

    fn sync_file(&mut self, number: usize, result: &io::Result<()>) {
        // After the last operation none is even tried.
        let is_stopped = self.failing.end == u64::MAX;
        let file = &mut self.files[number];
        file.is_doomed |= result.is_err() && !is_stopped;
        if result.is_ok() && !file.is_doomed {
            file.changes.clear();
            file.synced = file.bytes.clone();
        }
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changed_names.push(change);
    }
}

impl Contents {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.bytes);
        self.changes.push(change);
    }

    fn after_crash(&self, everything: bool, chance: Option<&mut Chance>) -> Vec<u8> {
        let Some(chance) = chance else {
            return if everything {
                &self.bytes
            } else {
                &self.synced
            }
            .clone();
        };
        let mut bytes = self.synced.clone();
        let kept = chance.below(self.changes.len() + 1);
        for change in &self.changes[..kept] {
            change.apply(&mut bytes);
        }
        if let Some(Change::Write(cut)) = self.changes.get(kept) {
            bytes.extend_from_slice(&cut[..chance.below(cut.len() + 1)]);
        }
        // A file system may have made the file longer before it wrote what is there.
        if chance.below(4) == 0 {
            bytes.resize(bytes.len().max(self.bytes.len()), 0);
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(written) => bytes.extend_from_slice(written),
            Self::SetLen(length) => bytes.truncate(*length),
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, number) => {
                names.insert(name.clone(), *number);
            }
            Self::Rename(from, to, number) => {
                names.remove(from);
                names.insert(to.clone(), *number);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl Directory for FaultyDirectory {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.lock().operation(|| "list".to_owned())?;
        Ok(self.names())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn WriteFile>> {
        let mut disk = self.0.lock();
        disk.operation(|| format!("create {name}"))?;
        disk.refuse(name)?;
        let number = disk.files.len();
        disk.files.push(Contents::default());
        disk.change_names(NameChange::Create(name.to_owned(), number));
        Ok(Box::new(FaultyFile {
            directory: self.clone(),
            number,
        }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        let mut disk = self.0.lock();
        disk.operation(|| format!("open {name}"))?;
        let number = disk.number(name)?;
        Ok(Box::new(Cursor::new(disk.files[number].bytes.clone())))
    }

    fn sync_file(&self, name: &str) -> io::Result<()> {
        let mut disk = self.0.lock();
        let result = disk.operation(|| format!("sync {name}"));
        let number = disk.number(name)?;
        disk.sync_file(number, &result);
        result
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.operation(|| format!("rename {from} to {to}"))?;
        let number = disk.number(from)?;
        disk.change_names(NameChange::Rename(from.to_owned(), to.to_owned(), number));
        Ok(())
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.operation(|| format!("rename {from} to {to}"))?;
        let number = disk.number(from)?;
        disk.refuse(to)?;
        disk.change_names(NameChange::Rename(from.to_owned(), to.to_owned(), number));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.operation(|| format!("remove {name}"))?;
        disk.number(name)?;
        disk.change_names(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.operation(|| "sync the directory".to_owned())?;
        disk.changed_names.clear();
        disk.synced_names = disk.names.clone();
        Ok(())
    }
}

/// A file that is being written, by the number it has in its directory.
#[derive(Debug)]
struct FaultyFile {
    directory: FaultyDirectory,
    number: usize,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.directory.0.lock();
        let is_first_to_fail = disk.operations == disk.failing.start;
        let result = disk.operation(|| format!("write {} bytes", bytes.len()));
        let file = &mut disk.files[self.number];
        match result {
            Ok(()) => file.change(Change::Write(bytes.to_vec())),
            Err(_) if is_first_to_fail => {
                file.change(Change::Write(bytes[..bytes.len() / 2].to_vec()));
            }
            Err(_) => {}
        }
        result.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SyncData for FaultyFile {
    fn sync_data(&mut self) -> io::Result<()> {
        let mut disk = self.directory.0.lock();
        let result = disk.operation(|| "sync a file".to_owned());
        disk.sync_file(self.number, &result);
        result
    }
}

impl WriteFile for FaultyFile {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let mut disk = self.directory.0.lock();
        disk.operation(|| format!("cut a file to {length} bytes"))?;
        // More than memory holds is more than the file has.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        disk.files[self.number].change(Change::SetLen(length));
        Ok(())
    }
}

/// Numbers from a seed (splitmix64).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // It is below a `usize`.
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
    }
}
