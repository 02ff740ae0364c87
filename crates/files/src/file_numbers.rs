//! Which numbers files have had.

use std::io;

use parking_lot::Mutex;

use crate::{Directory, FileKind, parse_file_name};

/// Gives out numbers for files, each once: one counter for logs and tables together, as LevelDB
/// has one.
///
/// Those of a directory come after all that its files have, so that a file's number tells its age
/// after a restart, too.
///
/// ```
/// use strata_files::FileNumbers;
///
/// let numbers = FileNumbers::starting_at(3);
/// assert_eq!((numbers.draw()?, numbers.draw()?), (3, 4));
/// numbers.mark_used(10);
/// assert_eq!(numbers.draw()?, 11);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FileNumbers {
    /// The next one, if there is one.
    next: Mutex<Option<u64>>,
}

impl FileNumbers {
    /// Numbers from `first` on.
    #[must_use]
    pub const fn starting_at(first: u64) -> Self {
        Self {
            next: Mutex::new(Some(first)),
        }
    }

    /// Numbers after those of all logs, tables and manifests in `directory`; from 1 on if it has
    /// none. Files that LevelDB does not name so, `18446744073709551615.txt` for instance, don't
    /// count, nor do temporary ones.
    ///
    /// ```
    /// use strata_files::{Directory, FileDirectory, FileNumbers, log_file_name};
    ///
    /// let temporary = tempfile::tempdir()?;
    /// let directory = FileDirectory::new(temporary.path());
    /// directory.create(&log_file_name(7))?;
    /// assert_eq!(FileNumbers::after(&directory)?.draw()?, 8);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the directory can't be listed.
    pub fn after(directory: &dyn Directory) -> io::Result<Self> {
        let numbers = Self::starting_at(1);
        for name in directory.list()? {
            match parse_file_name(&name) {
                Some((_, FileKind::Temporary)) | None => {}
                Some((number, _)) => numbers.mark_used(number),
            }
        }
        Ok(numbers)
    }

    /// The next number, which is nobody else's from now on.
    ///
    /// # Errors
    ///
    /// If the last was given out: `u64::MAX`.
    pub fn draw(&self) -> io::Result<u64> {
        let mut next = self.next.lock();
        let number = next.ok_or_else(|| {
            io::Error::other(
                "there is no file number left: the last, 18446744073709551615, is used",
            )
        })?;
        *next = number.checked_add(1);
        Ok(number)
    }

    /// Makes every number that is drawn from now on larger than `number`.
    pub fn mark_used(&self, number: u64) {
        let mut next = self.next.lock();
        *next = next.and_then(|next| Some(next.max(number.checked_add(1)?)));
    }
}
