//! Logs that are no longer needed.

use std::io;

use strata_files::{Directory, FileKind, parse_file_name};

/// Removes every log whose number is smaller than `number`, and says how many there were.
///
/// [`Flushed::logs_before`](crate::Flushed::logs_before) and
/// [`WriteBuffer::oldest_log`](crate::WriteBuffer::oldest_log) say which number that may be. The
/// oldest goes first, so that if it stops in the middle, what is left is what was written last.
///
/// ```
/// use strata_files::{Directory, FileDirectory, log_file_name};
/// use strata_write_buffer::remove_logs_before;
///
/// let temporary = tempfile::tempdir()?;
/// let directory = FileDirectory::new(temporary.path());
/// for number in [3, 5, 8] {
///     directory.create(&log_file_name(number))?;
/// }
/// assert_eq!(remove_logs_before(&directory, 8)?, 2);
/// assert_eq!(directory.list()?, ["000008.log"]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// If the directory can't be listed, or a log can't be removed; those after it are left then.
pub fn remove_logs_before(directory: &dyn Directory, number: u64) -> io::Result<usize> {
    let names = directory.list()?.into_iter();
    let mut logs: Vec<(u64, String)> = names
        .filter_map(|name| match parse_file_name(&name)? {
            (log, FileKind::Log) if log < number => Some((log, name)),
            _ => None,
        })
        .collect();
    logs.sort();
    for (_, name) in &logs {
        directory.remove(name)?;
    }
    Ok(logs.len())
}
