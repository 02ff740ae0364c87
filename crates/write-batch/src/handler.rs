//! Who wants to be told of a batch's records: LevelDB's `WriteBatch::Handler`.

/// Told of each record of a batch, in order, by
/// [`WriteBatchView::iterate`](crate::WriteBatchView::iterate).
pub trait Handler {
    /// `user_key` is given `value`.
    fn put(&mut self, user_key: &[u8], value: &[u8]);

    /// `user_key` is deleted.
    fn delete(&mut self, user_key: &[u8]);
}
