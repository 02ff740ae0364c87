//! Writing manifests.

use std::io::{self, ErrorKind, Write};

use strata_files::{Directory, manifest_file_name};
use strata_wal::{SyncData, Writer};

use crate::VersionEdit;

/// Writes a manifest: a log whose records are edits.
///
/// The first edit of a manifest, or the first few, say all of a version
/// ([`Version::snapshot`](crate::Version::snapshot)); each after them changes it. LevelDB opens a
/// database only if one of its edits has a log number, one a next file number and one a last
/// sequence number, and if none names another comparator than its own.
///
/// ```
/// use strata_manifest::{ManifestWriter, VersionEdit};
///
/// let mut writer = ManifestWriter::new(Vec::new());
/// writer.add(&VersionEdit { log_number: Some(3), ..VersionEdit::default() })?;
/// // A checksum, a length of 2, the type of a whole record; tag 2 and the number.
/// assert_eq!(writer.into_inner()[4..], *b"\x02\0\x01\x02\x03");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ManifestWriter<W> {
    log: Writer<W>,
}

impl<W: Write> ManifestWriter<W> {
    /// A writer that begins a manifest in an empty destination.
    #[must_use]
    pub fn new(destination: W) -> Self {
        Self {
            log: Writer::new(destination),
        }
    }

    /// Appends an edit. With a file as the destination, the system has its bytes then.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, with nothing written, if the edit can't be
    /// [encoded](VersionEdit::encode); else as the log's
    /// [`add_record`](strata_wal::Writer::add_record): after a write that failed, everything more
    /// is refused.
    pub fn add(&mut self, edit: &VersionEdit) -> io::Result<()> {
        let record = edit
            .encode()
            .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
        self.log.add_record(&record)
    }

    /// Returns once the edits would survive a power failure; the manifest's name takes a sync of
    /// its directory.
    ///
    /// # Errors
    ///
    /// As the log's [`sync`](strata_wal::Writer::sync).
    pub fn sync(&mut self) -> io::Result<()>
    where
        W: SyncData,
    {
        self.log.sync()
    }

    /// The destination. It is not flushed.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.log.into_inner()
    }
}

/// Creates the manifest with this number, of these edits, and returns once it would survive a
/// power failure, and with it the names of all files that are in the directory by then.
///
/// It is the database's when [`set_current`](crate::set_current) has returned. If this fails there
/// is no such manifest, as far as the directory still does what it is asked to.
///
/// ```
/// use strata_files::{Directory, FileDirectory};
/// use strata_manifest::{Version, create_manifest, read_current, set_current};
///
/// let temporary = tempfile::tempdir()?;
/// let directory = FileDirectory::new(temporary.path());
/// let mut version = Version::default();
/// version.next_file_number = 2;
/// create_manifest(&directory, 1, [version.snapshot()])?;
/// set_current(&directory, 1)?;
///
/// let current = read_current(&directory)?;
/// assert_eq!((&current.name[..], current.number), ("MANIFEST-000001", 1));
/// let manifest = directory.open(&current.name)?;
/// let folded = Version::read(manifest, &mut |report| panic!("{report}"))?;
/// assert_eq!(folded.into_usable()?, version);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `AlreadyExists` if there is a file of that name, which is left as it is; as
/// [`ManifestWriter::add`]; or what the directory says.
pub fn create_manifest(
    directory: &dyn Directory,
    number: u64,
    edits: impl IntoIterator<Item = VersionEdit>,
) -> io::Result<()> {
    let name = manifest_file_name(number);
    let mut writer = ManifestWriter::new(directory.create(&name)?);
    let written = edits
        .into_iter()
        .try_for_each(|edit| writer.add(&edit))
        .and_then(|()| writer.sync())
        .and_then(|()| directory.sync());
    drop(writer);
    written.inspect_err(|_| drop(directory.remove(&name)))
}
