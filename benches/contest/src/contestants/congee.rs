//! congee, an adaptive radix tree of integers: user keys of eight bytes, and values of as many, which
//! lie in the tree itself. It has no versions.

use strata_dbformat::SequenceNumber;

use crate::contestant::{Contestant, Room, Writer};

/// How many entries a scan asks for at a time.
const AT_ONCE: usize = 1024;

/// The tree of `congee`.
pub(crate) struct Congee(congee::Congee<usize, usize>);

/// The eight bytes of a key or value.
fn eight(bytes: &[u8]) -> [u8; 8] {
    match bytes.try_into() {
        Ok(eight) => eight,
        Err(_) => panic!("{} bytes, not 8", bytes.len()),
    }
}

impl Writer for &Congee {
    fn insert(&mut self, user_key: &[u8], _: SequenceNumber, value: &[u8]) {
        let key = usize::from_be_bytes(eight(user_key));
        let value = usize::from_le_bytes(eight(value));
        let done = self.0.insert(key, value, &self.0.pin());
        assert!(done.is_ok_and(|replaced| replaced.is_none()));
    }
}

impl Contestant for Congee {
    const NAME: &'static str = "congee";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(congee::Congee::default())
    }

    fn writer(&self) -> &Self {
        self
    }

    fn shared_writer(&self) -> &Self {
        self
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        _: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let key = usize::from_be_bytes(eight(user_key));
        let value = self.0.get(&key, &self.0.pin())?;
        Some(found(&value.to_le_bytes()))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let (mut entries, guard) = (vec![(0, 0); AT_ONCE], self.0.pin());
        let mut from = 0;
        loop {
            let found = self.0.range(&from, &usize::MAX, &mut entries, &guard);
            for &(key, value) in &entries[..found] {
                visit(&key.to_be_bytes(), &value.to_le_bytes());
            }
            let Some(next) = entries[..found]
                .last()
                .and_then(|(last, _)| last.checked_add(1))
            else {
                return;
            };
            from = next;
        }
    }
}
