//! Making what was written outlast a power failure.

use std::fs::File;
use std::io::{self, BufWriter, Write};

/// A destination that can be told to put what was written to it where a power failure leaves it.
///
/// Implemented for files and for buffers before them; implement it for a destination of your own
/// to use [`Writer::sync`](crate::Writer::sync) with it.
///
/// ```
/// use std::io::{self, Write};
/// use strata_wal::{SyncData, Writer};
///
/// #[derive(Default)]
/// struct Memory { bytes: Vec<u8>, durable: usize }
///
/// impl Write for Memory {
///     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> { self.bytes.write(bytes) }
///     fn flush(&mut self) -> io::Result<()> { Ok(()) }
/// }
///
/// impl SyncData for Memory {
///     fn sync_data(&mut self) -> io::Result<()> {
///         self.durable = self.bytes.len();
///         Ok(())
///     }
/// }
///
/// let mut writer = Writer::new(Memory::default());
/// writer.add_record(b"foo")?;
/// assert_eq!(writer.get_ref().durable, 0);
/// writer.sync()?;
/// assert_eq!(writer.get_ref().durable, 10);
/// # Ok::<(), io::Error>(())
/// ```
pub trait SyncData {
    /// Returns once everything written so far would survive a power failure.
    ///
    /// # Errors
    ///
    /// What the system says. What was written since the last success may then be lost, and trying
    /// again does not bring it back: an operating system may drop the bytes with the first error.
    fn sync_data(&mut self) -> io::Result<()>;
}

/// `fdatasync`, or the platform's like.
impl SyncData for File {
    fn sync_data(&mut self) -> io::Result<()> {
        File::sync_data(self)
    }
}

/// Flushes the buffer, then syncs what is behind it.
impl<W: Write + SyncData> SyncData for BufWriter<W> {
    fn sync_data(&mut self) -> io::Result<()> {
        self.flush()?;
        self.get_mut().sync_data()
    }
}

impl<T: SyncData + ?Sized> SyncData for &mut T {
    fn sync_data(&mut self) -> io::Result<()> {
        (**self).sync_data()
    }
}

impl<T: SyncData + ?Sized> SyncData for Box<T> {
    fn sync_data(&mut self) -> io::Result<()> {
        (**self).sync_data()
    }
}
