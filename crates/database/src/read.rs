//! The entries of a directory as one stream.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use strata_dbformat::{BytewiseComparator, Comparator, InternalKey, Tag};

use crate::log_source::LogSource;
use crate::merge::{Merge, Source};
use crate::order::Order;
use crate::report::{Note, Sink};
use crate::run::Run;
use crate::sorter::{Repeated, SortedEntries, Sorter};
use crate::table_source::TableSource;
use crate::{Database, DatabaseError, Entry, Loss, LossReason, Report, StoredKind};

/// What is read, and how. The default reads all live files by LevelDB's rules.
///
/// ```
/// use strata_database::{Arrangement, Database, KeySelection, ReadOptions};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// // All there is, behind damage too, of keys that begin with "ap".
/// let read = ReadOptions {
///     all_files: true,
///     salvage: true,
///     keys: KeySelection { prefix: b"ap".to_vec(), ..KeySelection::default() },
///     ..ReadOptions::default()
/// };
/// let mut entries = Database::open(sample)?.entries(&read, Arrangement::ByKey, &mut |_| {})?;
/// let first = entries.next(&mut |_| {})?.unwrap();
/// assert_eq!((first.user_key, first.sequence().get()), (&b"apple"[..], 179));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The order of the keys; by default the manifest names it, or else the tables show it.
    pub order: Option<Order>,
    /// Whether to read obsolete and unfinished files, too.
    pub all_files: bool,
    /// After a damaged record of a log, whether to go on at the next one that its checksum proves,
    /// as [`Reader::salvage`](strata_wal::Reader::salvage) does.
    pub salvage: bool,
    /// Whether to take records of logs, and blocks of tables, whose checksums are wrong. What they
    /// hold may be wrong, too.
    pub ignore_checksums: bool,
    /// Only these keys.
    pub keys: KeySelection,
    /// Tables that are not trusted to be sorted, by their positions in
    /// [`Database::files`]: their entries are sorted first. Of [`Entries::disordered`].
    pub unsorted: BTreeSet<u32>,
    /// Where temporary files go: by default where the system has them.
    pub temporary: Option<PathBuf>,
    /// Told how much has been read.
    pub progress: Option<Progress>,
}

/// Told of a file's name and of how many more bytes of it have been read.
pub type Progress = std::sync::Arc<dyn ProgressSink>;

/// Something that shows how far reading has come.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// use strata_database::{Arrangement, Database, ProgressSink, ReadOptions};
///
/// #[derive(Debug, Default)]
/// struct Total(AtomicU64);
///
/// impl ProgressSink for Total {
///     fn read(&self, _: &str, bytes: u64) {
///         self.0.fetch_add(bytes, Relaxed);
///     }
/// }
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let total = Arc::new(Total::default());
/// let read = ReadOptions { progress: Some(total.clone()), ..ReadOptions::default() };
/// let database = Database::open(sample)?;
/// database.entries(&read, Arrangement::ByKey, &mut |_| {})?;
/// assert_eq!(total.0.load(Relaxed), database.bytes(false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ProgressSink: Send + Sync + std::fmt::Debug {
    /// So many more bytes of this file have been read. Called for each block; should be fast.
    fn read(&self, file: &str, bytes: u64);
}

/// Which keys are read.
///
/// ```
/// use strata_database::{Arrangement, Database, KeySelection, ReadOptions};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let keys = KeySelection {
///     from: Some(b"fig".to_vec()),
///     to: Some(b"grape".to_vec()),
///     ..KeySelection::default()
/// };
/// let read = ReadOptions { keys, ..ReadOptions::default() };
/// let mut entries = Database::open(sample)?.entries(&read, Arrangement::ByKey, &mut |_| {})?;
/// while let Some(entry) = entries.next(&mut |_| {})? {
///     assert_eq!(entry.user_key, b"fig");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySelection {
    /// Only those that begin with these bytes.
    pub prefix: Vec<u8>,
    /// Only this one and those after it.
    pub from: Option<Vec<u8>>,
    /// Only those before this one.
    pub to: Option<Vec<u8>>,
}

impl KeySelection {
    /// Whether a table with these first and last internal keys may have keys that are selected.
    pub(crate) fn may_be_within(
        &self,
        smallest: &InternalKey,
        largest: &InternalKey,
        order: Order,
    ) -> bool {
        let smallest = smallest.user_key().unwrap_or_default();
        let largest = largest.user_key().unwrap_or_default();
        let is_after = |from: &[u8]| order.compare(from, largest).is_le();
        !self.ends_before(smallest, order) && self.first(order).is_none_or(is_after)
    }

    /// Where the selected keys begin in a sorted table.
    pub(crate) fn first(&self, order: Order) -> Option<&[u8]> {
        let prefix = Some(&self.prefix[..]).filter(|_| self.is_bytewise(order));
        match (&self.from, prefix) {
            (Some(from), Some(prefix)) => Some(from.as_slice().max(prefix)),
            (from, prefix) => from.as_deref().or(prefix),
        }
    }

    /// Whether this user key of a sorted table, and so every later one, is behind those selected.
    pub(crate) fn ends_before(&self, user_key: &[u8], order: Order) -> bool {
        let is_reached = |to: &Vec<u8>| order.compare(user_key, to).is_ge();
        let is_behind_prefix = self.is_bytewise(order)
            && !user_key.starts_with(&self.prefix)
            && user_key > self.prefix.as_slice();
        self.to.as_ref().is_some_and(is_reached) || is_behind_prefix
    }

    /// Whether keys that begin alike lie together.
    fn is_bytewise(&self, order: Order) -> bool {
        !self.prefix.is_empty() && order.name() == BytewiseComparator.name()
    }

    /// Whether a user key is selected, in this order of keys; if that is not known, byte by byte.
    pub(crate) fn contains(&self, user_key: &[u8], order: &dyn Comparator) -> bool {
        let from = self.from.as_ref();
        let to = self.to.as_ref();
        user_key.starts_with(&self.prefix)
            && from.is_none_or(|from| order.compare(from, user_key).is_le())
            && to.is_none_or(|to| order.compare(user_key, to).is_lt())
    }
}

/// How entries are arranged.
///
/// ```
/// use strata_database::{Arrangement, Database, ReadOptions};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// let first = |arrangement| {
///     let mut entries = database.entries(&ReadOptions::default(), arrangement, &mut |_| {})?;
///     Ok::<_, strata_database::DatabaseError>(entries.next(&mut |_| {})?.unwrap().sequence().get())
/// };
/// assert_eq!(first(Arrangement::BySequence)?, 1);
/// assert_eq!(first(Arrangement::ByKey)?, 179); // the newest version of the first key
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// By user key and, of one user key, the newest first. An internal key that several files have
    /// comes once.
    ByKey,
    /// By sequence number, the smallest first.
    BySequence,
    /// File by file, as they lie there. No order of keys is needed for that.
    AsTheyLie,
}

/// Entries, one after the other; made by [`Database::entries`].
///
/// ```
/// use strata_database::{Arrangement, Database, ReadOptions};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// let mut lost = 0;
/// let mut report = |report| lost += u64::from(matches!(report, strata_database::Report::Lost(_)));
/// let mut entries = database.entries(&ReadOptions::default(), Arrangement::ByKey, &mut report)?;
/// let (mut keys, mut older) = (0, 0);
/// while entries.next(&mut report)?.is_some() {
///     match entries.is_same_user_key() {
///         false => keys += 1,
///         true => older += 1,
///     }
/// }
/// assert_eq!((keys, older, lost), (24, 166, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Entries {
    source: Arranged,
    order: Order,
    /// For reports: the files' names.
    names: Vec<String>,
    keys: KeySelection,
    /// The user key and the tag of the entry that was given last.
    last: Option<(Vec<u8>, Tag)>,
    is_same_user_key: bool,
    /// Files of which an entry came that belongs before one that was given already.
    disordered: Vec<u32>,
    repeated: Vec<Repeated>,
}

enum Arranged {
    ByKey(Merge),
    /// Each user key has its sequence number before it, eight bytes with the highest first.
    BySequence(Merge),
    AsTheyLie {
        waiting: std::vec::IntoIter<Box<dyn Source>>,
        current: Option<Box<dyn Source>>,
    },
}

/// How many bytes stand before a user key where entries are sorted by sequence number.
const SEQUENCE_LENGTH: usize = 8;

impl Database {
    /// The entries that `read` selects, arranged.
    ///
    /// Logs are sorted before the first entry comes, in memtables and temporary files; tables are
    /// read as they are needed. Memory is bounded whatever the size of the input: two memtables of
    /// 8 MiB, a block and an index for each of at most some hundred sorted sources, and what the
    /// largest entry takes.
    ///
    /// Missing parts are reported, both here and by [`Entries::next`]; what the directory's own
    /// listing showed is reported by [`report_findings`](Self::report_findings).
    ///
    /// # Errors
    ///
    /// [`DatabaseError::UnknownOrder`] if the entries are to be sorted by key and the order is not
    /// known, [`DatabaseError::NothingToRead`] if no file is selected, [`DatabaseError::Sort`] if
    /// entries can't be sorted.
    pub fn entries(
        &self,
        read: &ReadOptions,
        arrangement: Arrangement,
        report: &mut dyn FnMut(Report),
    ) -> Result<Entries, DatabaseError> {
        match arrangement {
            Arrangement::ByKey => self.by_key(read, report),
            Arrangement::BySequence => self.by_sequence(read, report),
            Arrangement::AsTheyLie => self.as_they_lie(read),
        }
    }

    fn by_key(&self, read: &ReadOptions, report: &mut Sink<'_>) -> Result<Entries, DatabaseError> {
        let order = self.order(read)?;
        let plan = self.plan(read, order)?;
        let is_live = |file: &u32| self.is_live(*file) != Some(false);
        let (live, others): (Vec<u32>, Vec<u32>) = plan.to_sort.into_iter().partition(is_live);
        let mut sorted = self.sort(&live, read, order, report)?;
        for run in plan.runs {
            let run = Run::new(self, run, read, order);
            sorted.sources.push(Box::new(run));
        }
        let mut others = self.sort(&others, read, order, report)?;
        sorted.sources.append(&mut others.sources);
        sorted.repeated.append(&mut others.repeated);
        let merge = Merge::new(order, sorted.sources);
        Ok(self.arranged(Arranged::ByKey(merge), order, read, sorted.repeated))
    }

    /// Sorts the entries of these files.
    fn sort(
        &self,
        files: &[u32],
        read: &ReadOptions,
        order: Order,
        report: &mut Sink<'_>,
    ) -> Result<SortedEntries, DatabaseError> {
        let mut sorter = Sorter::new(order, temporary_directory(read));
        for &file in files {
            let mut source = self.source(file, read);
            source.advance(report)?;
            while let Some(entry) = source.entry() {
                if read.keys.contains(entry.user_key, order) {
                    sorter.add(entry)?;
                }
                source.advance(report)?;
            }
        }
        Ok(sorter.finish()?)
    }

    fn by_sequence(
        &self,
        read: &ReadOptions,
        report: &mut Sink<'_>,
    ) -> Result<Entries, DatabaseError> {
        let order = self.order_or_bytewise(read);
        let bytewise: Order = &BytewiseComparator;
        let mut sorter = Sorter::new(bytewise, temporary_directory(read));
        let mut key = Vec::new();
        for file in self.selected(read)? {
            let mut source = self.source(file, read);
            source.advance(report)?;
            while let Some(entry) = source.entry() {
                if read.keys.contains(entry.user_key, order) {
                    key.clear();
                    key.extend_from_slice(&entry.sequence().get().to_be_bytes());
                    key.extend_from_slice(entry.user_key);
                    sorter.add(Entry {
                        user_key: &key,
                        ..entry
                    })?;
                }
                source.advance(report)?;
            }
        }
        let sorted = sorter.finish()?;
        let merge = Merge::new(bytewise, sorted.sources);
        Ok(self.arranged(Arranged::BySequence(merge), order, read, sorted.repeated))
    }

    fn as_they_lie(&self, read: &ReadOptions) -> Result<Entries, DatabaseError> {
        let order = self.order_or_bytewise(read);
        let files = self.selected(read)?;
        let sources: Vec<_> = files
            .into_iter()
            .map(|file| self.source(file, read))
            .collect();
        let arranged = Arranged::AsTheyLie {
            waiting: sources.into_iter(),
            current: None,
        };
        Ok(self.arranged(arranged, order, read, Vec::new()))
    }

    fn arranged(
        &self,
        source: Arranged,
        order: Order,
        read: &ReadOptions,
        repeated: Vec<Repeated>,
    ) -> Entries {
        Entries {
            source,
            order,
            names: self.files().iter().map(|file| file.name.clone()).collect(),
            keys: read.keys.clone(),
            last: None,
            is_same_user_key: false,
            disordered: Vec::new(),
            repeated,
        }
    }

    /// The positions of the tables and logs that `read` selects, in [`files`](Self::files).
    pub fn selected_files(&self, read: &ReadOptions) -> impl Iterator<Item = u32> {
        self.readable(read.all_files).map(|(file, _)| file)
    }

    /// Whether `read` selects anything, or the directory is an empty database.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::NothingToRead`] if not, with what there is instead.
    pub fn require_files(&self, read: &ReadOptions) -> Result<(), DatabaseError> {
        self.selected(read).map(drop)
    }

    /// The tables and logs that are selected, the oldest first.
    pub(crate) fn selected(&self, read: &ReadOptions) -> Result<Vec<u32>, DatabaseError> {
        let files: Vec<u32> = self.selected_files(read).collect();
        if files.is_empty() && !self.is_known_to_be_empty() {
            let why = self.why_nothing_is_read();
            return Err(DatabaseError::NothingToRead { why });
        }
        Ok(files)
    }

    /// A file's entries, as they lie in it.
    pub(crate) fn source(&self, file: u32, read: &ReadOptions) -> Box<dyn Source> {
        let stored = &self.files()[file as usize];
        match stored.kind {
            StoredKind::Log => Box::new(LogSource::new(file, stored, read)),
            _ => Box::new(TableSource::new(file, stored, read)),
        }
    }
}

impl Entries {
    /// The next entry; `None` after the last one. Parts that are lost on the way to it are reported.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Sort`] if a temporary file can't be read.
    pub fn next(
        &mut self,
        report: &mut dyn FnMut(Report),
    ) -> Result<Option<Entry<'_>>, DatabaseError> {
        loop {
            self.advance(report)?;
            let Some(entry) = self.source.entry() else {
                self.report_repeated(report);
                return Ok(None);
            };
            if self.keys.contains(entry.user_key, self.order) {
                break;
            }
        }
        self.compare_with_last(report);
        Ok(self.source.entry())
    }

    /// The entry that [`next`](Self::next) gave last.
    #[must_use]
    pub fn current(&self) -> Option<Entry<'_>> {
        self.source.entry()
    }

    /// Whether the last entry has the user key of the one before it: whether, sorted by key, it is
    /// an older version.
    #[must_use]
    pub fn is_same_user_key(&self) -> bool {
        self.is_same_user_key
    }

    /// The order of the keys.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// The tables, by their positions in [`Database::files`], of which an entry came that belongs
    /// before one that had come already. What came of them so far is not sorted. With
    /// [`ReadOptions::unsorted`] it is.
    #[must_use]
    pub fn disordered(&self) -> &[u32] {
        &self.disordered
    }

    fn advance(&mut self, report: &mut Sink<'_>) -> Result<(), DatabaseError> {
        let repeated = &mut self.repeated;
        match &mut self.source {
            Arranged::ByKey(merge) | Arranged::BySequence(merge) => {
                merge.advance(report, &mut |kept, other| {
                    Repeated::note(kept, other, repeated);
                })
            }
            Arranged::AsTheyLie { waiting, current } => loop {
                if let Some(source) = current {
                    source.advance(report)?;
                    if source.entry().is_some() {
                        return Ok(());
                    }
                }
                *current = waiting.next();
                if current.is_none() {
                    return Ok(());
                }
            },
        }
    }

    /// Takes down whether the entry is an older version, and whether it is where it belongs.
    fn compare_with_last(&mut self, report: &mut Sink<'_>) {
        if !matches!(self.source, Arranged::ByKey(_)) {
            return;
        }
        let Some(entry) = self.source.entry() else {
            return;
        };
        let comes_too_late = match &mut self.last {
            None => {
                self.last = Some((entry.user_key.to_vec(), entry.tag));
                self.is_same_user_key = false;
                false
            }
            Some((last_key, last_tag)) => {
                let by_user_key = self.order.compare(last_key, entry.user_key);
                let is_after = by_user_key.then(entry.tag.cmp(last_tag)).is_lt();
                self.is_same_user_key = by_user_key.is_eq();
                if !self.is_same_user_key {
                    last_key.clear();
                    last_key.extend_from_slice(entry.user_key);
                }
                *last_tag = entry.tag;
                !is_after
            }
        };
        let file = entry.origin.file;
        if comes_too_late && !self.disordered.contains(&file) {
            self.disordered.push(file);
            report(Report::Noted(Note {
                file: self.names[file as usize].clone(),
                offset: Some(entry.origin.offset),
                what: format!(
                    "keys are not in the order of {}: another comparator may be the right one",
                    self.order.name()
                ),
                unread: 0,
            }));
        }
    }

    fn report_repeated(&mut self, report: &mut Sink<'_>) {
        for Repeated { origin, bytes } in self.repeated.drain(..) {
            report(Report::Lost(Loss {
                file: self.names[origin.file as usize].clone(),
                offset: origin.offset,
                bytes,
                reason: LossReason::Repeated,
                keys: None,
            }));
        }
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries")
            .field("order", &self.order.name())
            .field("entry", &self.current())
            .finish_non_exhaustive()
    }
}

impl Arranged {
    fn entry(&self) -> Option<Entry<'_>> {
        match self {
            Self::ByKey(merge) => merge.entry(),
            Self::BySequence(merge) => {
                let entry = merge.entry()?;
                let user_key = entry.user_key.get(SEQUENCE_LENGTH..)?;
                Some(Entry { user_key, ..entry })
            }
            Self::AsTheyLie { current, .. } => current.as_ref()?.entry(),
        }
    }
}

fn temporary_directory(read: &ReadOptions) -> PathBuf {
    read.temporary.clone().unwrap_or_else(std::env::temp_dir)
}
