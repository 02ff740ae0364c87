//! Sources of bytes that are read at any place, by several threads at once.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A source of bytes that is read at any place through a shared reference: a file, a slice, or
/// what shares one.
///
/// Files are read with the system's positioned reads, so threads that share one don't wait for
/// each other. A source that can only seek goes into a [`SeekLock`].
///
/// ```
/// use strata_block::ReadAt;
///
/// let source = b"hello world".to_vec();
/// let mut buffer = [0; 5];
/// source.read_exact_at(&mut buffer, 6)?;
/// assert_eq!((&buffer, source.length()?), (b"world", 11));
/// assert_eq!(source.read_at(&mut buffer, 11)?, 0, "there is nothing at the end");
/// assert!(source.read_exact_at(&mut buffer, 7).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ReadAt {
    /// Reads bytes from `offset` on into `buffer` and says how many: fewer than fit if the source
    /// likes, 0 only at its end and beyond, or if `buffer` is empty.
    ///
    /// # Errors
    ///
    /// The source's error.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// How many bytes there are.
    ///
    /// # Errors
    ///
    /// The source's error.
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` with the bytes from `offset` on. Reads again when it was interrupted.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the source ends before; what `buffer` holds is unspecified then. Else
    /// what the source says.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    buffer = buffer.get_mut(read..).unwrap_or_default();
                    offset = offset.saturating_add(read as u64);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    /// It moves the file's own position, which nothing here looks at.
    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..));
        rest.unwrap_or_default().read(buffer)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.as_slice().length()
    }
}

macro_rules! through_pointers {
    ($($pointer:ty),*) => {$(
        impl<T: ReadAt + ?Sized> ReadAt for $pointer {
            fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
                (**self).read_at(buffer, offset)
            }

            fn length(&self) -> io::Result<u64> {
                (**self).length()
            }
        }
    )*};
}

through_pointers!(&T, Box<T>, Rc<T>, Arc<T>);

/// A source that can only seek, with a lock around it: threads that read it wait for each other.
///
/// ```
/// use std::io::Cursor;
/// use strata_block::{ReadAt, SeekLock};
///
/// let source = SeekLock::new(Cursor::new(b"hello"));
/// let mut buffer = [0; 2];
/// source.read_exact_at(&mut buffer, 3)?;
/// assert_eq!(&buffer, b"lo");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct SeekLock<F>(Mutex<F>);

impl<F> SeekLock<F> {
    /// Takes a source, wherever it stands.
    pub fn new(source: F) -> Self {
        Self(Mutex::new(source))
    }

    /// Every read begins with a seek, so what a panic has left is as good as any.
    fn lock(&self) -> MutexGuard<'_, F> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Read + Seek> ReadAt for SeekLock<F> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut source = self.lock();
        source.seek(SeekFrom::Start(offset))?;
        source.read(buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.lock().seek(SeekFrom::End(0))
    }
}

impl<F> fmt::Debug for SeekLock<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeekLock").finish_non_exhaustive()
    }
}
