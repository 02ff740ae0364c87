//! Chromium's order for IndexedDB: a table of keys in their order, keys made of values against the
//! order of the values, and the laws of an order for keys that nobody would write.

use std::cmp::Ordering::{self, Equal, Greater, Less};

use quickcheck::{Arbitrary, Gen, QuickCheck};
use strata_dbformat::{Comparator, IndexedDbComparator, comparator_by_name};

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    IndexedDbComparator.compare(a, b)
}

/// A key as a page gives it.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Min,
    Number(f64),
    Date(f64),
    Text(String),
    Binary(Vec<u8>),
    Array(Vec<Value>),
    Max,
}

use Value::{Array, Binary, Date, Max, Min, Number, Text};

impl Value {
    fn encode(&self) -> Vec<u8> {
        let behind_length = |kind, length: usize, bytes: Vec<u8>| {
            let mut encoded = vec![kind];
            strata_coding::put_varint64(&mut encoded, length as u64);
            [encoded, bytes].concat()
        };
        let double = |kind, double: &f64| [&[kind][..], &double.to_le_bytes()].concat();
        match self {
            Min => vec![5],
            Max => vec![0],
            Number(number) => double(3, number),
            Date(date) => double(2, date),
            Text(text) => {
                let units: Vec<u16> = text.encode_utf16().collect();
                let bytes = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
                behind_length(1, units.len(), bytes)
            }
            Binary(bytes) => behind_length(6, bytes.len(), bytes.clone()),
            Array(values) => {
                let bytes = values.iter().flat_map(Value::encode).collect();
                behind_length(4, values.len(), bytes)
            }
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Min => 0,
            Number(_) => 1,
            Date(_) => 2,
            Text(_) => 3,
            Binary(_) => 4,
            Array(_) => 5,
            Max => 6,
        }
    }

    /// The order that the specification of IndexedDB gives values, and Chromium the two ends.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Number(a), Number(b)) | (Date(a), Date(b)) => a.partial_cmp(b).unwrap(),
            (Text(a), Text(b)) => a.encode_utf16().cmp(b.encode_utf16()),
            (Binary(a), Binary(b)) => a.cmp(b),
            (Array(a), Array(b)) => {
                let mut pairs = a.iter().zip(b).map(|(a, b)| a.order(b));
                let differing = pairs.find(|order| order.is_ne());
                differing.unwrap_or(a.len().cmp(&b.len()))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn arbitrary(g: &mut Gen, depth: usize) -> Self {
        let count = |g: &mut Gen| usize::arbitrary(g) % 4;
        let kinds = if depth == 0 { 6 } else { 9 };
        match usize::arbitrary(g) % kinds {
            0 => Min,
            1 => Max,
            2 => Number(*g.choose(&DOUBLES).unwrap()),
            3 => Date(*g.choose(&DOUBLES).unwrap()),
            4 => Text(
                (0..count(g))
                    .map(|_| *g.choose(&CHARACTERS).unwrap())
                    .collect(),
            ),
            5 => Binary(
                (0..count(g))
                    .map(|_| *g.choose(&[0, 1, 127, 255]).unwrap())
                    .collect(),
            ),
            _ => Array(
                (0..count(g))
                    .map(|_| Self::arbitrary(g, depth - 1))
                    .collect(),
            ),
        }
    }
}

const DOUBLES: [f64; 9] = [
    f64::NEG_INFINITY,
    -256.0,
    -1.0,
    -0.0,
    0.0,
    5e-324,
    1.0,
    2.0,
    f64::INFINITY,
];

/// By UTF-16 units the third is before the second.
const CHARACTERS: [char; 4] = ['a', '\u{ff41}', '🦀', '\0'];

/// A key by its three numbers, written as narrow as they can be, and what follows.
fn key(database: u64, store: u64, index: u64, rest: &[u8]) -> Vec<u8> {
    wide_key([database, store, index], [1; 3], rest)
}

fn wide_key(numbers: [u64; 3], least: [u32; 3], rest: &[u8]) -> Vec<u8> {
    let width = |i: usize| (8 - numbers[i].leading_zeros() / 8).max(least[i]);
    let widths = (width(0) - 1) << 5 | (width(1) - 1) << 2 | (width(2) - 1);
    let mut key = vec![u8::try_from(widths).unwrap()];
    for (i, number) in numbers.iter().enumerate() {
        key.extend_from_slice(&number.to_le_bytes()[..width(i) as usize]);
    }
    [&key[..], rest].concat()
}

fn data(index: u64, value: &Value) -> Vec<u8> {
    key(1, 1, index, &value.encode())
}

fn text(text: &str) -> Vec<u8> {
    Text(text.to_owned()).encode()[1..].to_vec()
}

/// A row of keys that are equal.
type Row = Vec<Vec<u8>>;

/// Keys in their order; those of one row are equal.
fn golden() -> Vec<Row> {
    [golden_metadata(), golden_values(), golden_others()].concat()
}

fn golden_metadata() -> Vec<Row> {
    vec![
        // Of all databases: the version, the last id, free ids, names.
        vec![key(0, 0, 0, &[])],
        vec![
            key(0, 0, 0, &[0]),
            key(0, 0, 0, &[0, 9]),
            wide_key([0; 3], [8, 8, 4], &[0]),
        ],
        vec![key(0, 0, 0, &[1])],
        vec![key(0, 0, 0, &[6]), key(0, 0, 0, &[6, 9])],
        vec![key(0, 0, 0, &[50])],
        vec![key(0, 0, 0, &[50, 1, 9])],
        vec![key(0, 0, 0, &[50, 2])],
        vec![key(0, 0, 0, &[100, 2]), key(0, 0, 0, &[100, 0x82, 0])],
        vec![key(0, 0, 0, &[100, 0x80, 1])],
        vec![key(0, 0, 0, &[100])],
        vec![key(0, 0, 0, &[100, 0x80])],
        vec![key(0, 0, 0, &[&[100][..], &[0x80; 9], &[1]].concat())],
        vec![key(0, 0, 0, &[&[201][..], &text(""), &text("")].concat())],
        vec![key(0, 0, 0, &[&[201][..], &text(""), &text("a")].concat())],
        vec![key(0, 0, 0, &[&[201][..], &text("a"), &text("")].concat())],
        vec![key(0, 0, 0, &[&[201][..], &text("aa"), &text("")].concat())],
        vec![key(0, 0, 0, &[&[201][..], &text("b"), &text("")].concat())],
        // Of one database.
        vec![key(1, 0, 0, &[0])],
        vec![key(1, 0, 0, &[5]), key(1, 0, 0, &[5, 1])],
        vec![key(1, 0, 0, &[6])],
        vec![key(1, 0, 0, &[6, 1])],
        vec![key(1, 0, 0, &[50, 1, 0])],
        vec![key(1, 0, 0, &[50, 1, 7])],
        vec![key(1, 0, 0, &[50, 0x80, 2, 0])],
        vec![key(1, 0, 0, &[100, 1, 30, 3])],
        vec![key(1, 0, 0, &[100, 1, 31, 0])],
        vec![key(1, 0, 0, &[100, 2, 30, 0])],
        vec![key(1, 0, 0, &[150, 9])],
        vec![key(1, 0, 0, &[151, 9, 30])],
        vec![key(1, 0, 0, &[151, 9, 31])],
        vec![key(1, 0, 0, &[&[200][..], &text("b")].concat())],
        vec![key(1, 0, 0, &[&[200][..], &text("ba")].concat())],
        vec![key(1, 0, 0, &[&[201, 1][..], &text("b")].concat())],
        vec![key(1, 0, 0, &[&[201, 2][..], &text("a")].concat())],
        vec![key(1, 0, 0, &[202, 0])],
        vec![key(1, 0, 0, &[202, 1])],
    ]
}

fn golden_values() -> Vec<Row> {
    vec![
        // Of one object store: values by their keys.
        vec![key(1, 1, 1, &[])],
        vec![data(1, &Min)],
        vec![data(1, &Number(f64::NEG_INFINITY))],
        vec![data(1, &Number(-256.0))],
        vec![data(1, &Number(-1.0))],
        vec![
            data(1, &Number(0.0)),
            data(1, &Number(-0.0)),
            [data(1, &Number(0.0)), vec![9]].concat(),
        ],
        vec![data(1, &Number(2.0))],
        vec![data(1, &Number(256.0))],
        vec![data(1, &Date(-1.0))],
        vec![data(1, &Date(1.0))],
        vec![data(1, &Text(String::new()))],
        vec![data(1, &Text("a".into()))],
        vec![data(1, &Text("a\0".into()))],
        vec![data(1, &Text("aa".into()))],
        vec![data(1, &Text("b".into()))],
        vec![data(1, &Text("🦀".into()))],
        vec![data(1, &Text("\u{ff41}".into()))],
        vec![data(1, &Binary(vec![]))],
        vec![data(1, &Binary(vec![1, 2, 3]))],
        vec![data(1, &Binary(vec![200]))],
        vec![data(1, &Array(vec![]))],
        vec![data(1, &Array(vec![Number(1.0)]))],
        vec![data(1, &Array(vec![Number(1.0), Number(1.0)]))],
        vec![data(1, &Array(vec![Number(1.0), Array(vec![])]))],
        vec![data(
            1,
            &Array(vec![Number(1.0), Array(vec![Min, Max]), Max]),
        )],
        vec![data(
            1,
            &Array(vec![Number(1.0), Array(vec![Min, Max, Min])]),
        )],
        vec![data(1, &Array(vec![Number(2.0)]))],
        vec![data(1, &Array(vec![Text(String::new())]))],
        vec![data(1, &Max)],
    ]
}

fn golden_others() -> Vec<Row> {
    let number = Number(1.0).encode();
    let entry = |rest: &[&[u8]]| key(1, 1, 30, &[&[number.as_slice()], rest].concat().concat());
    vec![
        // What can't be decoded.
        vec![key(1, 1, 1, &[1, 2, 0, b'a'])],
        vec![data(1, &Number(f64::NAN))],
        vec![key(1, 1, 1, &[4, 2, 5])],
        vec![key(1, 1, 1, &[7])],
        // That they exist, and their blobs.
        vec![data(2, &Number(1.0))],
        vec![data(3, &Number(1.0))],
        vec![key(1, 1, 7, b"a")],
        vec![key(1, 1, 7, b"b")],
        // An index: the sequence number alone says nothing.
        vec![entry(&[]), entry(&[&[5]]), entry(&[&[9]])],
        vec![entry(&[&[9], &Number(-1.0).encode()])],
        vec![entry(&[&[2], &number])],
        vec![entry(&[&[9], &number]), entry(&[&[9], &number, b"more"])],
        vec![entry(&[&[0], &Text("a".into()).encode()])],
        vec![data(30, &Number(1.5))],
        vec![entry(&[&[9], &[1, 2]])],
        vec![entry(&[&[0x80]])],
        vec![data(31, &Min)],
        vec![key(1, 1, 255, &[])],
        vec![key(1, 1, 256, &[])],
        vec![key(1, 2, 1, &[])],
        vec![key(1, 256, 1, &[])],
        vec![key(2, 0, 0, &[0])],
        vec![key(256, 0, 0, &[0])],
        vec![key(u64::MAX, u64::MAX, 0xffff_ffff, &[])],
        // No numbers in front.
        vec![vec![]],
        vec![vec![0]],
        vec![vec![0, 1, 1]],
        vec![vec![0xff]],
    ]
}

#[test]
fn keys_are_in_the_order_of_the_table() {
    let golden = golden();
    for (i, row) in golden.iter().enumerate() {
        for (j, other_row) in golden.iter().enumerate() {
            for a in row {
                for b in other_row {
                    assert_eq!(compare(a, b), i.cmp(&j), "{a:x?} against {b:x?}");
                    assert!(heads_agree(a, b), "{a:x?} against {b:x?}");
                }
            }
        }
    }
}

#[test]
fn the_field_case_is_in_the_order_of_its_numbers() {
    let literal = |bits: [u8; 8]| [&b"\0\x01\x01\x01\x03"[..], &bits].concat();
    let keys = [
        literal([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
        literal([0, 0, 0, 0, 0, 0, 0, 0x40]),
        literal([0, 0, 0, 0, 0, 0, 0x70, 0x40]),
        literal([0, 0, 0, 0, 0, 0x44, 0x8f, 0x40]),
    ];
    assert_eq!(data(1, &Number(1.0)), keys[0]);
    assert!(keys.is_sorted_by(|a, b| compare(a, b) == Less));
    assert!(!keys.is_sorted());
}

#[derive(Clone, Debug)]
struct Pair(Value, Value);

impl Arbitrary for Pair {
    fn arbitrary(g: &mut Gen) -> Self {
        let a = Value::arbitrary(g, 3);
        let b = match (bool::arbitrary(g), &a) {
            // Two arrays that have a beginning in common.
            (true, Array(values)) => {
                let mut values = values.clone();
                values.truncate(usize::arbitrary(g) % (values.len() + 1));
                values.push(Value::arbitrary(g, 2));
                Array(values)
            }
            _ => Value::arbitrary(g, 3),
        };
        Self(a, b)
    }
}

fn check<A: quickcheck::Testable>(seed: u64, property: A) {
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(20, seed))
        .tests(50_000)
        .quickcheck(property);
}

#[test]
fn keys_are_in_the_order_of_their_values() {
    check(
        5,
        (|Pair(a, b)| {
            let order = a.order(&b);
            (1..=3).all(|index| compare(&data(index, &a), &data(index, &b)) == order)
        }) as fn(Pair) -> bool,
    );
}

#[test]
fn an_index_is_in_the_order_of_its_keys_then_of_the_values_keys() {
    check(
        6,
        (|Pair(a, b), Pair(c, d), e, f| {
            let entry = |key_in_index: &Value, sequence: u8, primary: &Value| {
                let rest = [
                    &key_in_index.encode()[..],
                    &[sequence % 128],
                    &primary.encode(),
                ]
                .concat();
                key(1, 1, 30, &rest)
            };
            let (e, f) = (e % 128, f % 128);
            let order = a.order(&b).then(c.order(&d)).then(e.cmp(&f));
            compare(&entry(&a, e, &c), &entry(&b, f, &d)) == order
        }) as fn(Pair, Pair, u8, u8) -> bool,
    );
}

/// A key, with a few bytes of it changed, cut off or put in.
#[derive(Clone, Debug)]
struct Mutated(Vec<u8>);

impl Arbitrary for Mutated {
    fn arbitrary(g: &mut Gen) -> Self {
        let golden = golden();
        let row = g.choose(&golden).unwrap();
        let mut bytes = g.choose(row).unwrap().clone();
        if bool::arbitrary(g) {
            let value = Value::arbitrary(g, 3);
            bytes = data(*g.choose(&[1, 2, 3, 30]).unwrap(), &value);
        }
        for _ in 0..usize::arbitrary(g) % 3 {
            let at = usize::arbitrary(g) % (bytes.len() + 1);
            match usize::arbitrary(g) % 3 {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, *g.choose(&[0, 1, 3, 4, 5, 6, 255]).unwrap()),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << (u8::arbitrary(g) % 8);
                    }
                }
            }
        }
        Self(bytes)
    }
}

fn is_lawful(a: &[u8], b: &[u8], c: &[u8]) -> bool {
    let (ab, bc, ac) = (compare(a, b), compare(b, c), compare(a, c));
    let reflexive = compare(a, a) == Equal;
    let antisymmetric = compare(b, a) == ab.reverse();
    let transitive = match (ab, bc) {
        (Equal, order) | (order, Equal) => ac == order,
        (Less, Less) => ac == Less,
        (Greater, Greater) => ac == Greater,
        _ => true,
    };
    reflexive && antisymmetric && transitive && heads_agree(a, b)
}

/// Heads that differ are in the order of their keys.
fn heads_agree(a: &[u8], b: &[u8]) -> bool {
    let (head, other) = (IndexedDbComparator.prefix(a), IndexedDbComparator.prefix(b));
    head == other || head.cmp(&other) == compare(a, b)
}

#[test]
fn mutated_keys_are_in_a_total_order_and_heads_agree() {
    check(
        7,
        (|a, b, c| is_lawful(&a.0, &b.0, &c.0)) as fn(Mutated, Mutated, Mutated) -> bool,
    );
}

#[test]
fn the_table_mutated_is_in_a_total_order() {
    // Every key cut at every length and with each of some bits inverted, sorted, and then each
    // compared with all others: triples that chance does not draw together.
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for key in golden().into_iter().flatten() {
        keys.extend((0..=key.len()).map(|length| key[..length].to_vec()));
        for at in 0..key.len() {
            for bit in [0, 1, 2, 7] {
                let mut key = key.clone();
                key[at] ^= 1 << bit;
                keys.push(key);
            }
        }
    }
    keys.sort();
    keys.dedup();
    keys.sort_by(|a, b| compare(a, b));
    // Where an order holds, equal keys are together and all others as their places are.
    let mut class = vec![0; keys.len()];
    for i in 1..keys.len() {
        class[i] = class[i - 1] + usize::from(compare(&keys[i - 1], &keys[i]) != Equal);
    }
    assert!(keys.len() > 1500, "{}", keys.len());
    for (i, a) in keys.iter().enumerate() {
        for (j, b) in keys.iter().enumerate().skip(i) {
            assert_eq!(
                compare(a, b),
                class[i].cmp(&class[j]),
                "{a:x?} against {b:x?}"
            );
        }
    }
}

#[test]
fn arrays_in_arrays_take_no_stack_and_counts_no_time() {
    let deep: Vec<u8> = [4, 1].repeat(5_000_000);
    let nested = |last: &[u8]| key(1, 1, 1, &[&deep, last].concat());
    assert_eq!(compare(&nested(&[5]), &nested(&[0])), Less);
    assert_eq!(compare(&nested(&[5]), &nested(&[5])), Equal);
    assert_eq!(
        compare(&nested(&[5]), &nested(&[])),
        Less,
        "decoded before not"
    );
    // An array says that it has 2^63 - 1 keys, in each of its keys.
    let huge = [4, 255, 255, 255, 255, 255, 255, 255, 255, 127].repeat(100);
    assert_eq!(compare(&key(1, 1, 1, &huge), &key(1, 1, 1, &[5])), Greater);
    assert_eq!(compare(&key(1, 1, 1, &huge), &key(1, 1, 1, &huge)), Equal);
}

#[test]
fn keys_are_never_shortened() {
    let (mut start, limit) = (data(1, &Number(1.0)), data(1, &Text("z".into())));
    IndexedDbComparator.find_shortest_separator(&mut start, &limit);
    IndexedDbComparator.find_short_successor(&mut start);
    assert_eq!(start, data(1, &Number(1.0)));
}

#[test]
fn comparators_are_found_by_the_names_they_have() {
    for name in [
        "leveldb.BytewiseComparator",
        "strata.ReverseBytewiseComparator",
        "idb_cmp1",
    ] {
        assert_eq!(comparator_by_name(name.as_bytes()).unwrap().name(), name);
    }
    assert!(comparator_by_name(b"").is_none());
    assert!(comparator_by_name(b"leveldb.InternalKeyComparator").is_none());
}
