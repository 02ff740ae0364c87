//! Several sorted sources as one.

use std::cmp::Ordering;

use strata_dbformat::InternalKeyComparator;

use crate::order::Order;
use crate::report::Sink;
use crate::{DatabaseError, Entry};

/// Entries, read one after the other; in a merge, in the order of their internal keys.
pub(crate) trait Source {
    /// The entry the source is at; before the first step and after the last it is at none.
    fn entry(&self) -> Option<Entry<'_>>;

    /// Moves to the next entry, or to none. Parts that can't be read on the way are reported.
    fn advance(&mut self, report: &mut Sink<'_>) -> Result<(), DatabaseError>;
}

/// Sorted sources as one: each internal key once, from the first source that has it.
pub(crate) struct Merge {
    order: InternalKeyComparator<Order>,
    sources: Vec<Box<dyn Source>>,
    /// The sources that are at an entry, in the order of their entries and, where those are equal,
    /// of the sources.
    queue: Vec<usize>,
    is_started: bool,
}

impl Merge {
    /// Before the first entry of `sources`. Of equal internal keys the first source's is given.
    pub(crate) fn new(order: Order, sources: Vec<Box<dyn Source>>) -> Self {
        Self {
            order: InternalKeyComparator::new(order),
            queue: Vec::with_capacity(sources.len()),
            sources,
            is_started: false,
        }
    }

    pub(crate) fn entry(&self) -> Option<Entry<'_>> {
        self.sources[*self.queue.first()?].entry()
    }

    /// Moves to the next entry. `repeated` is told of entries with the internal key of the one
    /// that the merge leaves.
    pub(crate) fn advance(
        &mut self,
        report: &mut Sink<'_>,
        repeated: &mut dyn FnMut(Entry<'_>, Entry<'_>),
    ) -> Result<(), DatabaseError> {
        if !self.is_started {
            self.is_started = true;
            for source in 0..self.sources.len() {
                self.sources[source].advance(report)?;
                self.enqueue(source, 0);
            }
            return Ok(());
        }
        while self.compare_first_two() == Some(Ordering::Equal) {
            let (first, second) = (self.queue[0], self.queue[1]);
            if let (Some(kept), Some(other)) =
                (self.sources[first].entry(), self.sources[second].entry())
            {
                repeated(kept, other);
            }
            self.step(1, report)?;
        }
        match self.queue.is_empty() {
            true => Ok(()),
            false => self.step(0, report),
        }
    }

    /// Moves the source at a place of the queue to its next entry, and to where that belongs.
    fn step(&mut self, place: usize, report: &mut Sink<'_>) -> Result<(), DatabaseError> {
        let source = self.queue[place];
        self.sources[source].advance(report)?;
        let stays = match self.queue.get(place + 1) {
            Some(&next) => self.compare(source, next).is_lt(),
            None => true,
        };
        if !stays || self.sources[source].entry().is_none() {
            self.queue.remove(place);
            self.enqueue(source, place);
        }
        Ok(())
    }

    /// Puts a source where its entry belongs in the queue, not before `from`.
    fn enqueue(&mut self, source: usize, from: usize) {
        if self.sources[source].entry().is_none() {
            return;
        }
        let queue = &self.queue[from..];
        let place = queue.partition_point(|&queued| self.compare(queued, source).is_lt());
        self.queue.insert(from + place, source);
    }

    /// The order of two sources' entries; of sources at equal keys, the earlier comes first.
    fn compare(&self, a: usize, b: usize) -> Ordering {
        self.compare_keys(a, b).then(a.cmp(&b))
    }

    fn compare_first_two(&self) -> Option<Ordering> {
        let &[first, second, ..] = self.queue.as_slice() else {
            return None;
        };
        Some(self.compare_keys(first, second))
    }

    fn compare_keys(&self, a: usize, b: usize) -> Ordering {
        match (self.sources[a].entry(), self.sources[b].entry()) {
            (Some(a), Some(b)) => self
                .order
                .compare_parts(a.user_key, a.tag, b.user_key, b.tag),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use strata_dbformat::{BytewiseComparator, SequenceNumber, Tag, ValueType};

    use super::*;
    use crate::Origin;

    struct Fixed {
        entries: Vec<(&'static [u8], u64)>,
        file: u32,
        at: Option<usize>,
    }

    impl Source for Fixed {
        fn entry(&self) -> Option<Entry<'_>> {
            let &(user_key, sequence) = self.entries.get(self.at?)?;
            let origin = Origin {
                file: self.file,
                offset: 0,
            };
            let sequence = SequenceNumber::new(sequence).unwrap();
            Some(Entry {
                user_key,
                tag: Tag::new(sequence, ValueType::Value),
                value: b"",
                origin,
            })
        }

        fn advance(&mut self, _: &mut Sink<'_>) -> Result<(), DatabaseError> {
            self.at = Some(self.at.map_or(0, |at| at + 1));
            Ok(())
        }
    }

    #[test]
    fn equal_keys_come_once_from_the_first_source_and_the_others_are_told_of() {
        let lists: [&[(&'static [u8], u64)]; 4] = [
            &[(b"b", 5), (b"d", 1)],
            &[(b"a", 3), (b"b", 5), (b"b", 2), (b"d", 1)],
            &[],
            &[(b"b", 7), (b"c", 1), (b"d", 1)],
        ];
        let sources = lists.iter().zip(0..).map(|(entries, file)| {
            let entries = entries.to_vec();
            Box::new(Fixed {
                entries,
                file,
                at: None,
            }) as Box<dyn Source>
        });
        let mut merge = Merge::new(&BytewiseComparator, sources.collect());
        let (mut met, mut told) = (Vec::new(), Vec::new());
        assert!(merge.entry().is_none());
        loop {
            merge
                .advance(&mut |_| {}, &mut |kept, other| {
                    told.push((kept.origin.file, other.origin.file));
                })
                .unwrap();
            let Some(entry) = merge.entry() else { break };
            met.push((
                entry.user_key.to_vec(),
                entry.sequence().get(),
                entry.origin.file,
            ));
        }
        let expected: [(&[u8], u64, u32); 6] = [
            (b"a", 3, 1),
            (b"b", 7, 3),
            (b"b", 5, 0),
            (b"b", 2, 1),
            (b"c", 1, 3),
            (b"d", 1, 0),
        ];
        assert_eq!(met, expected.map(|(key, s, f)| (key.to_vec(), s, f)));
        assert_eq!(told, [(0, 1), (0, 1), (0, 3)]);
        merge.advance(&mut |_| {}, &mut |_, _| {}).unwrap();
        assert!(merge.entry().is_none());
    }
}
