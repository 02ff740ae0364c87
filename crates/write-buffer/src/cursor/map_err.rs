//! A cursor whose errors are given another type.

use std::fmt;

use strata_dbformat::SequenceNumber;

use super::{EntryRef, InternalCursor};

/// A cursor whose errors are made into others; made by [`InternalCursor::map_err`].
pub struct MapErr<S, F> {
    source: S,
    op: F,
}

impl<S, F> MapErr<S, F> {
    pub(super) fn new(source: S, op: F) -> Self {
        Self { source, op }
    }
}

impl<S, F, E> InternalCursor for MapErr<S, F>
where
    S: InternalCursor,
    F: FnMut(S::Error) -> E,
{
    type Error = E;

    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.source.entry()
    }

    fn seek_to_first(&mut self) -> Result<(), E> {
        self.source.seek_to_first().map_err(&mut self.op)
    }

    fn seek_to_last(&mut self) -> Result<(), E> {
        self.source.seek_to_last().map_err(&mut self.op)
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), E> {
        self.source.seek(user_key, snapshot).map_err(&mut self.op)
    }

    #[inline]
    fn next(&mut self) -> Result<(), E> {
        self.source.next().map_err(&mut self.op)
    }

    #[inline]
    fn prev(&mut self) -> Result<(), E> {
        self.source.prev().map_err(&mut self.op)
    }
}

impl<S: InternalCursor, F> fmt::Debug for MapErr<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MapErr").field(&self.source.entry()).finish()
    }
}
