//! User keys: what they look like, and lists of them.

use std::io::Write;

use crate::rng::mix;

/// What user keys look like. All keys of a shape have one length.
///
/// ```
/// use benches::KeyShape;
///
/// assert_eq!(KeyShape::Decimal.key(42), b"0000000000000042");
/// assert_eq!(KeyShape::BigEndian.key(42).len(), 8);
/// assert!(KeyShape::UserOrder.key(42).ends_with(b"/order/000000000000002a"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyShape {
    /// 16 digits, zero-padded: `db_bench`'s keys. The first ten or so are the same in all.
    Decimal,
    /// 8 bytes, a big-endian number from anywhere in 64 bits: the first four bytes tell most apart.
    BigEndian,
    /// `user/<8 hex digits>/order/<16 hex digits>`: 36 bytes, of which the keys of a user share
    /// 21 or more. Users are as unlike as in life: of `n` orders, about `n / 12` are the most
    /// active one's, and thousands have a few.
    UserOrder,
}

/// The ranks of users go from 1 to just below 2 to this power; the number of orders falls with the
/// rank, as in Zipf's law.
const USER_RANK_BITS: u64 = 12;

impl KeyShape {
    /// The length of a key in bytes.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Decimal => 16,
            Self::BigEndian => 8,
            Self::UserOrder => 36,
        }
    }

    /// The key of a number. No two numbers below 10¹⁶ have the same.
    #[must_use]
    pub fn key(self, number: u64) -> Vec<u8> {
        match self {
            Self::Decimal => format!("{number:016}").into_bytes(),
            Self::BigEndian => mix(number).to_be_bytes().to_vec(),
            Self::UserOrder => {
                let mut key = Vec::with_capacity(self.key_bytes());
                let user = mix(user_rank(number)) >> 32;
                // Writing to a vector can't fail.
                let _ = write!(key, "user/{user:08x}/order/{number:016x}");
                key
            }
        }
    }
}

/// The rank of the user an order is of: each power of two is as likely as the next one, and within
/// it all ranks are. An odd number, which is that of an absent key, has the user of the even one
/// before it.
const fn user_rank(number: u64) -> u64 {
    let chance = mix(number / 2);
    let power = 1 << (chance % USER_RANK_BITS);
    power + chance / USER_RANK_BITS % power
}

/// User keys in some order, one after the other in memory, each with the number it was made of.
///
/// A benchmark that goes through them in turn finds the next one in the cache, whatever the order.
#[derive(Clone, Debug)]
pub struct Keys {
    bytes: Vec<u8>,
    key_bytes: usize,
    numbers: Vec<u64>,
}

impl Keys {
    /// The keys of these numbers, in their order.
    #[must_use]
    pub fn new(shape: KeyShape, numbers: Vec<u64>) -> Self {
        let bytes = numbers.iter().flat_map(|&number| shape.key(number));
        Self {
            bytes: bytes.collect(),
            key_bytes: shape.key_bytes(),
            numbers,
        }
    }

    /// The first of them, at most so many.
    #[must_use]
    pub fn first(mut self, most: usize) -> Self {
        self.numbers.truncate(most);
        self.bytes.truncate(self.numbers.len() * self.key_bytes);
        self
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        self.bytes.chunks_exact(self.key_bytes)
    }

    /// The keys with their numbers.
    pub fn numbered(&self) -> impl ExactSizeIterator<Item = (&[u8], u64)> + Clone {
        self.iter().zip(self.numbers.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const SHAPES: [KeyShape; 3] = [KeyShape::Decimal, KeyShape::BigEndian, KeyShape::UserOrder];

    #[test]
    fn the_first_keys_are_these() {
        let first = |shape: KeyShape| [0, 1, 2].map(|number| shape.key(number));
        assert_eq!(
            first(KeyShape::Decimal),
            [
                b"0000000000000000",
                b"0000000000000001",
                b"0000000000000002"
            ]
        );
        assert_eq!(
            first(KeyShape::BigEndian).map(|key| u64::from_be_bytes(key.try_into().unwrap())),
            [0, 0x5692_161d_100b_05e5, 0xdbd2_3897_3a2b_148a],
        );
        assert_eq!(
            first(KeyShape::UserOrder).map(|key| String::from_utf8(key).unwrap()),
            [
                "user/5692161d/order/0000000000000000",
                "user/5692161d/order/0000000000000001",
                "user/1e535eed/order/0000000000000002",
            ],
        );
    }

    #[test]
    fn keys_have_one_length_and_are_all_different() {
        for shape in SHAPES {
            let keys: BTreeSet<Vec<u8>> = (0..20_000).map(|number| shape.key(number)).collect();
            assert_eq!(keys.len(), 20_000, "{shape:?}");
            assert!(
                keys.iter().all(|key| key.len() == shape.key_bytes()),
                "{shape:?}"
            );
        }
    }

    #[test]
    fn a_few_users_have_many_orders_and_many_have_few() {
        let mut orders: BTreeMap<u64, u32> = BTreeMap::new();
        for number in 0..100_000 {
            *orders.entry(user_rank(number)).or_default() += 1;
        }
        let most = orders[&1];
        assert!((7000..10_000).contains(&most), "{most}");
        assert_eq!(orders.values().max(), Some(&most));
        let few = orders.values().filter(|&&orders| orders < 20).count();
        assert!(few > 1500, "{few}");
    }

    #[test]
    fn a_list_gives_its_keys_in_the_order_of_the_numbers() {
        let keys = Keys::new(KeyShape::Decimal, vec![3, 1]);
        assert_eq!((keys.len(), keys.is_empty()), (2, false));
        assert!(
            keys.numbered()
                .eq([(&b"0000000000000003"[..], 3), (&b"0000000000000001"[..], 1)])
        );
        assert!(keys.clone().first(1).numbered().eq(keys.numbered().take(1)));
        assert_eq!(keys.first(5).len(), 2);
    }
}
