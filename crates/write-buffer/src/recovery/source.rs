//! How much of a log has been read.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// A source that counts the bytes that were read from it.
pub(super) struct Counted<R> {
    source: R,
    bytes: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    pub(super) fn new(source: R) -> Self {
        let bytes = Rc::default();
        Self { source, bytes }
    }

    pub(super) fn counter(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.bytes)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        self.bytes.set(self.bytes.get() + bytes as u64);
        Ok(bytes)
    }
}
