//! How much of a log has been read.

use std::io::{self, Read};
use std::sync::Arc;

use parking_lot::Mutex;

/// A source that counts the bytes that were read from it.
pub(super) struct Counted<R> {
    source: R,
    bytes: Arc<Mutex<u64>>,
}

impl<R> Counted<R> {
    pub(super) fn new(source: R) -> Self {
        let bytes = Arc::default();
        Self { source, bytes }
    }

    pub(super) fn counter(&self) -> Arc<Mutex<u64>> {
        Arc::clone(&self.bytes)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        *self.bytes.lock() += bytes as u64;
        Ok(bytes)
    }
}
