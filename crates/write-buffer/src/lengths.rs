//! What a table can hold: what it can't is refused when it is written, for no flush could write it.

use strata_table::LONGEST_ENTRY;
use strata_write_batch::WriteBatchView;

/// How long the first of these entries is that no table can hold, in bytes; `lengths` are those of
/// user keys and values.
pub(crate) fn too_long_for_a_table(
    lengths: impl IntoIterator<Item = (usize, usize)>,
) -> Option<u64> {
    lengths
        .into_iter()
        .map(|(user_key, value)| (user_key as u64).saturating_add(value as u64))
        .find(|bytes| *bytes > LONGEST_ENTRY)
}

/// As [`too_long_for_a_table`], of the operations of a batch. O(1) unless the batch itself is that
/// long.
pub(crate) fn batch_too_long_for_a_table(batch: WriteBatchView<'_>) -> Option<u64> {
    if batch.contents().len() as u64 <= LONGEST_ENTRY {
        return None;
    }
    let operations = batch.operations().filter_map(Result::ok);
    too_long_for_a_table(operations.map(|it| (it.user_key().len(), it.value().len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_count_together() {
        let longest = usize::try_from(LONGEST_ENTRY).unwrap();
        let fits = [
            (0, 0),
            (0, longest),
            (longest, 0),
            (longest / 2, longest / 2),
        ];
        assert_eq!(too_long_for_a_table(fits), None);
        for (user_key, value) in [
            (0, longest + 1),
            (longest + 1, 0),
            (1, longest),
            (usize::MAX, usize::MAX),
        ] {
            let bytes = (user_key as u64).saturating_add(value as u64);
            assert_eq!(
                too_long_for_a_table([(1, 1), (user_key, value)]),
                Some(bytes)
            );
        }
    }
}
