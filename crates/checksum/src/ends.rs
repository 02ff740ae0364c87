//! The ends of a search, found by their keys.

/// How many bits of the filter there are for each end.
const FILTER_BITS: usize = 16;

/// How many high bits of a key say which bucket it is in.
const BUCKET_BITS: u32 = 16;

/// Ends, by key.
///
/// A filter that fits a processor's cache answers nearly all look-ups, for nearly all find nothing.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// Key and position, in that order once they are [sealed](Self::sort).
    entries: Vec<(u32, u32)>,
    filter: Vec<u64>,
    /// Where the entries of each bucket begin.
    buckets: Vec<u32>,
}

impl Ends {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn push(&mut self, key: u32, position: u32) {
        self.entries.push((key, position));
    }

    /// Readies what was pushed for look-ups.
    pub(crate) fn sort(&mut self) {
        self.entries.sort_unstable();
        let words = (self.entries.len() * FILTER_BITS / 64).next_power_of_two();
        self.filter.clear();
        self.filter.resize(words, 0);
        for &(key, _) in &self.entries {
            let (word, bit) = Self::bit(key, words);
            self.filter[word] |= bit;
        }
        self.buckets.clear();
        let mut at = 0;
        for bucket in 0..=1u32 << BUCKET_BITS {
            while self
                .entries
                .get(at as usize)
                .is_some_and(|&(key, _)| key >> (32 - BUCKET_BITS) < bucket)
            {
                at += 1;
            }
            self.buckets.push(at);
        }
    }

    const fn bit(key: u32, words: usize) -> (usize, u64) {
        ((key >> 6) as usize & (words - 1), 1 << (key & 63))
    }

    /// Whether there may be an end with this key.
    #[inline]
    pub(crate) fn may_have(&self, key: u32) -> bool {
        let (word, bit) = Self::bit(key, self.filter.len());
        self.filter[word] & bit != 0
    }

    /// The positions of the ends with this key from `first` on, ascending.
    pub(crate) fn with_key(&self, key: u32, first: u32) -> impl Iterator<Item = u32> {
        let bucket = (key >> (32 - BUCKET_BITS)) as usize;
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        let entries = &self.entries[range];
        let from = entries.partition_point(|&entry| entry < (key, first));
        entries[from..]
            .iter()
            .take_while(move |entry| entry.0 == key)
            .map(|entry| entry.1)
    }
}
