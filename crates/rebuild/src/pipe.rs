//! Hands entries to another thread, many at a time.

use std::sync::mpsc::{self, SyncSender, sync_channel};

/// How many bytes of entries are handed over at once.
const CHUNK: usize = 1 << 18;

/// So many chunks may be on their way.
const CHUNKS: usize = 4;

/// Two ends of a pipe for entries.
pub(crate) fn pipe() -> (Sender, Receiver) {
    let (sender, receiver) = sync_channel(CHUNKS);
    let sender = Sender {
        chunk: Vec::with_capacity(CHUNK),
        sender,
    };
    (sender, Receiver { receiver })
}

/// Takes entries. Those of the last chunk are sent by [`finish`](Self::finish) only.
pub(crate) struct Sender {
    /// For each entry the lengths of key and value, as eight bytes each, then key and value.
    chunk: Vec<u8>,
    sender: SyncSender<Vec<u8>>,
}

/// The other end is gone: it has failed and says why itself.
#[derive(Debug)]
pub(crate) struct Closed;

impl Sender {
    /// Sends an entry whose internal key is `user_key` and `tag`, one after the other.
    pub(crate) fn send(
        &mut self,
        user_key: &[u8],
        tag: [u8; 8],
        value: &[u8],
    ) -> Result<(), Closed> {
        for length in [user_key.len() + tag.len(), value.len()] {
            self.chunk.extend_from_slice(&(length as u64).to_le_bytes());
        }
        for part in [user_key, &tag, value] {
            self.chunk.extend_from_slice(part);
        }
        match self.chunk.len() < CHUNK {
            true => Ok(()),
            false => self.pass_on(),
        }
    }

    /// Sends what is left. The other end knows by it that there is no more.
    pub(crate) fn finish(mut self) -> Result<(), Closed> {
        if !self.chunk.is_empty() {
            self.pass_on()?;
        }
        // An empty chunk: the end, which a sender that is merely dropped does not say.
        self.pass_on()
    }

    fn pass_on(&mut self) -> Result<(), Closed> {
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.sender.send(chunk).map_err(|_| Closed)
    }
}

/// Gives entries.
pub(crate) struct Receiver {
    receiver: mpsc::Receiver<Vec<u8>>,
}

impl Receiver {
    /// Gives each entry to `take`. `Ok(false)` if the other end was dropped before it finished.
    pub(crate) fn for_each<E>(
        self,
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        while let Ok(chunk) = self.receiver.recv() {
            if chunk.is_empty() {
                return Ok(true);
            }
            let mut rest = &chunk[..];
            while let Some((key, value, after)) = split_entry(rest) {
                take(key, value)?;
                rest = after;
            }
        }
        Ok(false)
    }
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key_length, bytes) = bytes.split_first_chunk()?;
    let (value_length, bytes) = bytes.split_first_chunk()?;
    let length = |bytes: &[u8; 8]| usize::try_from(u64::from_le_bytes(*bytes)).ok();
    let (key, bytes) = bytes.split_at_checked(length(key_length)?)?;
    let (value, bytes) = bytes.split_at_checked(length(value_length)?)?;
    Some((key, value, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(entries: Receiver) -> (Vec<(Vec<u8>, usize)>, bool) {
        let mut taken = Vec::new();
        let is_whole = entries
            .for_each(|key, value| {
                taken.push((key.to_vec(), value.len()));
                Ok::<(), ()>(())
            })
            .unwrap();
        (taken, is_whole)
    }

    #[test]
    fn entries_come_out_as_they_went_in_across_chunks() {
        let (mut sender, entries) = pipe();
        let lengths = [0, 1, CHUNK - 1, CHUNK, CHUNK * 2, 7];
        let thread = std::thread::spawn(move || taken(entries));
        for length in lengths {
            sender.send(b"key", [9; 8], &vec![0; length]).unwrap();
        }
        sender.finish().unwrap();
        let (taken, is_whole) = thread.join().unwrap();
        let key = b"key\x09\x09\x09\x09\x09\x09\x09\x09".to_vec();
        assert_eq!(taken, lengths.map(|length| (key.clone(), length)));
        assert!(is_whole);
    }

    #[test]
    fn an_end_that_is_dropped_is_told_from_one_that_has_finished() {
        let (mut sender, entries) = pipe();
        sender.send(b"lost", [0; 8], b"").unwrap();
        drop(sender);
        assert_eq!(taken(entries), (Vec::new(), false));

        let (sender, entries) = pipe();
        sender.finish().unwrap();
        assert_eq!(taken(entries), (Vec::new(), true));

        let (mut sender, entries) = pipe();
        drop(entries);
        assert!(sender.send(b"", [0; 8], &[0; CHUNK]).is_err());
    }
}
