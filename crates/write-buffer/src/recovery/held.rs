//! Batches that a search found, until it is known whether their sequence numbers fit.

use std::collections::VecDeque;

use strata_write_batch::WriteBatchView;

use super::LogBatch;

/// How many bytes of batches are held before it is decided without what follows them.
const MOST_BYTES: usize = 1 << 20;

/// A batch that is kept beside the reader.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) contents: Vec<u8>,
    pub(super) offset: u64,
    pub(super) end: u64,
    pub(super) is_whole: bool,
    numbers: Numbers,
}

impl Held {
    pub(super) fn batch(&self) -> Option<WriteBatchView<'_>> {
        WriteBatchView::new(&self.contents).ok()
    }

    /// As it is given out.
    pub(super) fn given(&self) -> Option<LogBatch<'_>> {
        Some(LogBatch {
            batch: self.batch()?,
            offset: self.offset,
            end: self.end,
            is_whole: self.is_whole,
            searched: true,
        })
    }
}

/// The sequence numbers of a batch: `last` is below `first` if it has none.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    first: u64,
    last: u64,
}

impl Numbers {
    fn of(batch: WriteBatchView<'_>) -> Self {
        let first = batch.sequence().map_or(0, |sequence| sequence.get());
        // One more each: a batch of none at 0 ends before it.
        let last = first + u64::from(batch.count());
        Self {
            first: first + 1,
            last,
        }
    }
}

/// Holds back the batches of records that were [searched](strata_wal::Record::searched).
///
/// Such a record may be one of a log that a value holds. Sequence numbers ascend in a log, so of the
/// batches between two that were not searched those are kept that lie between the two in their
/// numbers, too, and of these the longest ascending sequence. However far numbers jump, nothing of
/// a log that ascends is refused. Where the two are not in order themselves, the log is no such.
#[derive(Debug, Default)]
pub(super) struct HeldBatches {
    held: Vec<Held>,
    bytes: usize,
    /// The last number of the batch before them that was not searched, if there is such.
    before: Option<u64>,
    kept: VecDeque<Held>,
    refused: Vec<Held>,
}

impl HeldBatches {
    pub(super) fn hold(&mut self, found: LogBatch<'_>) {
        let contents = found.batch.contents();
        self.bytes += contents.len() + size_of::<Held>();
        self.held.push(Held {
            contents: contents.to_vec(),
            offset: found.offset,
            end: found.end,
            is_whole: found.is_whole,
            numbers: Numbers::of(found.batch),
        });
        if self.bytes > MOST_BYTES {
            self.settle(None);
            self.before = None;
        }
    }

    /// Takes note of a batch that was not searched: those held are before it.
    pub(super) fn pass(&mut self, batch: WriteBatchView<'_>) {
        let numbers = Numbers::of(batch);
        self.settle(Some(numbers.first));
        self.before = Some(numbers.last);
    }

    /// Decides on what is held, with the first number of what follows, if anything does.
    pub(super) fn settle(&mut self, after: Option<u64>) {
        if self.held.is_empty() {
            return;
        }
        self.bytes = 0;
        let held = std::mem::take(&mut self.held);
        let numbers: Vec<Numbers> = held.iter().map(|one| one.numbers).collect();
        let kept = match (self.before, after) {
            (Some(before), Some(after)) if before >= after => vec![true; held.len()],
            (before, after) => {
                longest_ascending(&numbers, before.unwrap_or(0), after.unwrap_or(u64::MAX))
            }
        };
        for (one, is_kept) in held.into_iter().zip(kept) {
            if is_kept {
                self.kept.push_back(one);
            } else {
                self.refused.push(one);
            }
        }
    }

    /// Whether there is nothing to give out.
    pub(super) fn has_none_to_give(&self) -> bool {
        self.kept.is_empty()
    }

    /// The next batch that is kept.
    pub(super) fn next_kept(&mut self) -> Option<Held> {
        self.kept.pop_front()
    }

    /// The batches that were refused since it was asked last.
    pub(super) fn take_refused(&mut self) -> Vec<Held> {
        std::mem::take(&mut self.refused)
    }
}

/// Which of these belong to the longest sequence in which each begins after the one before it ends,
/// all of it after `before` and before `after`.
fn longest_ascending(numbers: &[Numbers], before: u64, after: u64) -> Vec<bool> {
    // For each length: which ends it that has the smallest last number.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = vec![None; numbers.len()];
    for (i, one) in numbers.iter().enumerate() {
        if one.first <= before || one.last >= after {
            continue;
        }
        let length = ends.partition_point(|&end| numbers[end].last < one.first);
        previous[i] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) if one.last < numbers[*end].last => *end = i,
            Some(_) => {}
            None => ends.push(i),
        }
    }
    let mut kept = vec![false; numbers.len()];
    let mut next = ends.last().copied();
    while let Some(i) = next {
        kept[i] = true;
        next = previous[i];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(numbers: &[(u64, u64)], before: u64, after: u64) -> Vec<usize> {
        let numbers: Vec<Numbers> = numbers
            .iter()
            .map(|&(first, last)| Numbers { first, last })
            .collect();
        let kept = longest_ascending(&numbers, before, after);
        (0..numbers.len()).filter(|&i| kept[i]).collect()
    }

    #[test]
    fn what_ascends_between_its_neighbours_is_kept_however_far_it_jumps() {
        let numbers = [(5, 5), (6, 9), (1000, 1000), (1 << 40, 1 << 41)];
        assert_eq!(kept(&numbers, 4, u64::MAX), [0, 1, 2, 3]);
        assert_eq!(kept(&numbers, 5, 1 << 40), [1, 2]);
        assert_eq!(kept(&numbers, 4, 1000), [0, 1]);
        assert_eq!(kept(&[], 0, 1), [0; 0]);
    }

    #[test]
    fn of_what_does_not_ascend_the_longest_that_does_is_kept() {
        let numbers = [
            (10, 10),
            (500, 500),
            (501, 501),
            (11, 12),
            (12, 12),
            (13, 13),
            (14, 20),
        ];
        assert_eq!(kept(&numbers, 0, u64::MAX), [0, 3, 5, 6]);
        assert_eq!(kept(&numbers[..4], 0, u64::MAX), [0, 1, 2]);
        assert_eq!(kept(&numbers[..4], 0, 500), [0, 3]);
    }

    #[test]
    fn a_batch_without_numbers_is_between_any_two() {
        assert_eq!(kept(&[(5, 5), (6, 5), (6, 7)], 4, 8), [0, 1, 2]);
    }
}
