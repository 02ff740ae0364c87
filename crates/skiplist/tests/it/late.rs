//! Versions whose numbers are given when their place is found.
//!
//! What gives the number runs between the search for the place and the lock of its node. So it can
//! do what another thread could have done in between: each interleaving of one insertion with whole
//! others is played by one thread, every time.

use std::fmt::Write;

use strata_skiplist::InsertError;

use crate::concurrent::Random;
use crate::support::{SLOTS, Versions, differs, insert, insert_late, key, number, order};

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// The numbers of the versions of `name`, in the order the list has them.
fn numbers<const PREFIXED: bool>(list: &Versions<PREFIXED>, name: &[u8]) -> Vec<u64> {
    list.iter()
        .filter(|entry| entry.key().starts_with(name))
        .map(|entry| number(entry.key()))
        .collect()
}

/// Names before and after the one whose versions are inserted.
const AROUND: [&[u8]; 4] = [b"a", b"name", b"name0", b"z"];

const NAME: &[u8] = b"name/";

/// Inserts a version late among others, as number `given` after a search for `sought`; says what
/// came of it and checks that the list is in order and holds what it should.
fn insert_among<const PREFIXED: bool>(
    others: &[u64],
    sought: u64,
    given: u64,
) -> Result<bool, InsertError> {
    let list = Versions::<PREFIXED>::default();
    let mut keys: Vec<Vec<u8>> = AROUND.iter().map(|name| key(name, 7)).collect();
    keys.extend(others.iter().map(|&number| key(NAME, number)));
    for key in &keys {
        insert(&list, key).unwrap();
    }
    let inserted = insert_late(&list, NAME, sought, || Some(given));
    if inserted == Ok(true) {
        keys.push(key(NAME, given));
    }
    keys.sort_by(|a, b| order(a, b));
    let differs = differs(&list, &keys);
    assert!(
        differs.is_none(),
        "{given} given for {sought} among {} others, {inserted:?}: {differs:?} is wrong, {:?}",
        others.len(),
        numbers(&list, NAME)
    );
    inserted
}

/// A caller's number may be any: smaller than one that there is, between two, or one that there is.
fn check_given<const PREFIXED: bool>(others: &[u64], sought: u64) {
    let largest = others.iter().copied().max().unwrap_or(0);
    let step = (largest / 40).max(1);
    let near = |number: u64| [number.saturating_sub(1), number, number + 1];
    let mut given: Vec<u64> = (0..=largest + 2).step_by(index(step)).collect();
    given.extend([0, largest / 2, largest].into_iter().flat_map(near));
    for given in given {
        let expected = match others.contains(&given) {
            true => Err(InsertError::Duplicate),
            false => Ok(true),
        };
        assert_eq!(insert_among::<PREFIXED>(others, sought, given), expected);
    }
}

/// Few versions in one leaf, and so many that they are in several.
fn versions() -> [Vec<u64>; 4] {
    let many = 10 * (1..=4 * SLOTS as u64).max().unwrap_or(0);
    [
        vec![10, 5],
        vec![20, 10],
        (1..=many).rev().filter(|number| number % 10 == 0).collect(),
        (1..=many).filter(|number| number % 10 == 0).collect(),
    ]
}

#[test]
fn a_late_number_that_is_not_the_newest_finds_its_place_or_is_a_duplicate() {
    for others in versions() {
        check_given::<true>(&others, u64::MAX);
        check_given::<false>(&others, u64::MAX);
    }
}

/// The place that was looked for may be behind the one that is given, too.
#[test]
fn a_late_number_that_is_newer_than_what_was_sought_finds_its_place() {
    for others in versions() {
        let largest = others.iter().copied().max().unwrap_or(0);
        for sought in [0, largest / 2 + 1] {
            check_given::<true>(&others, sought);
            check_given::<false>(&others, sought);
        }
    }
}

#[test]
fn without_a_late_number_nothing_is_inserted() {
    let list = Versions::<true>::default();
    assert_eq!(insert_late(&list, NAME, u64::MAX, || None), Ok(false));
    assert!(list.is_empty());
    insert(&list, &key(NAME, 3)).unwrap();
    assert_eq!(insert_late(&list, NAME, u64::MAX, || None), Ok(false));
    assert_eq!(numbers(&list, NAME), [3]);
}

/// How keys look, which decides whether heads tell them apart and when leaves are replaced.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Names that differ early.
    Names,
    /// Names that have much in common: a full leaf is replaced by one with better heads.
    LongNames,
    /// Versions of one name: heads are all the same.
    Versions,
}

impl Shape {
    const ALL: [Self; 3] = [Self::Names, Self::LongNames, Self::Versions];

    fn name(self, place: u64) -> Vec<u8> {
        match self {
            Self::Names => [b"n".as_slice(), &place.to_be_bytes()[5..]].concat(),
            Self::LongNames => format!("tenant/0042/users/{place:06}").into_bytes(),
            Self::Versions => NAME.to_vec(),
        }
    }

    /// The number for a place: older versions come later.
    fn number(self, place: u64) -> u64 {
        match self {
            Self::Names | Self::LongNames => 1,
            Self::Versions => 1_000_000 - place,
        }
    }

    fn key(self, place: u64) -> Vec<u8> {
        key(&self.name(place), self.number(place))
    }
}

/// An insertion with others in the middle of it. Keys are places in their order.
#[derive(Clone, Debug)]
struct Interleaving {
    shape: Shape,
    /// What the list is made of, in the order it comes in.
    before: Vec<u64>,
    place: u64,
    /// What is inserted between the search and the lock.
    others: Vec<u64>,
}

impl Interleaving {
    /// Plays it. Gives what is wrong with the list then, if anything is.
    fn play<const PREFIXED: bool>(&self) -> Option<String> {
        let shape = self.shape;
        let list = Versions::<PREFIXED>::default();
        for &place in &self.before {
            insert(&list, &shape.key(place)).unwrap();
        }
        // No key that is there before lies between this and the one that is given.
        let sought = shape.number(self.place) + 1;
        let mut called = false;
        let inserted = insert_late(&list, &shape.name(self.place), sought, || {
            called = true;
            for &place in &self.others {
                insert(&list, &shape.key(place)).unwrap();
            }
            Some(shape.number(self.place))
        });
        let expected = match self.others.contains(&self.place) {
            true => Err(InsertError::Duplicate),
            false => Ok(true),
        };
        let mut places = self.before.clone();
        if called {
            places.extend(&self.others);
        }
        if expected.is_ok() {
            places.push(self.place);
        }
        places.sort_unstable();
        let keys: Vec<Vec<u8>> = places.iter().map(|&place| shape.key(place)).collect();
        let wrong = match inserted == expected {
            true => differs(&list, &keys)?.to_owned(),
            false => format!("the result {inserted:?}"),
        };
        Some(format!("{wrong}, {PREFIXED}: {self:?}"))
    }
}

/// Plays interleavings, and fails with how many end wrong and the first that did.
fn play_all(interleavings: impl Iterator<Item = Interleaving>) {
    let (mut played, mut wrong) = (0, 0);
    let mut first = String::new();
    for interleaving in interleavings {
        let (prefixed, plain) = (interleaving.play::<true>(), interleaving.play::<false>());
        for said in [prefixed, plain] {
            played += 1;
            if let Some(said) = said {
                wrong += 1;
                if first.is_empty() {
                    let _ = write!(first, "{said}");
                }
            }
        }
    }
    assert!(
        wrong == 0,
        "{wrong} of {played} lists are wrong; the first: {first}"
    );
    assert!(played > 1000, "only {played} were played");
}

/// The orders a list of `count` keys is made in. Each leaves other leaves full.
fn orders(count: u64) -> [Vec<u64>; 3] {
    let ascending: Vec<u64> = (0..count).collect();
    let descending = ascending.iter().rev().copied().collect();
    let (even, odd): (Vec<u64>, Vec<u64>) = ascending.iter().partition(|i| *i % 2 == 0);
    [ascending, descending, [even, odd].concat()]
}

/// How far two places of the list are from each other that are not inserted in between.
const GAP: u64 = 1000;

/// A list of places, and one between them where the late key goes: there is room on either side of
/// it for others.
fn with_others(
    shape: Shape,
    before: Vec<u64>,
    gap: u64,
    others: impl IntoIterator<Item = Vec<u64>>,
) -> impl Iterator<Item = Interleaving> {
    let before: Vec<u64> = before.iter().map(|place| (place + 1) * GAP).collect();
    others.into_iter().map(move |others| Interleaving {
        shape,
        before: before.clone(),
        place: gap * GAP + GAP / 2,
        others,
    })
}

/// Every one, two and three insertions of one place each, at all places around the late key.
#[test]
fn a_late_key_finds_its_place_whatever_came_in_between() {
    if !cfg!(strata_small_nodes) {
        return play_all(sampled(6000));
    }
    let lists = Shape::ALL.into_iter().flat_map(|shape| {
        (0..=9u64).flat_map(move |count| {
            orders(count)
                .into_iter()
                .flat_map(move |before| (0..=count).map(move |gap| (shape, before.clone(), gap)))
        })
    });
    play_all(lists.flat_map(|(shape, before, gap)| {
        let others = in_between(before.len() as u64, gap);
        with_others(shape, before, gap, others)
    }));
}

/// What may be inserted in between at nodes of four slots: runs into one gap, forward and backward,
/// which split a leaf up to three times; and all ways to fill two gaps.
fn in_between(count: u64, gap: u64) -> Vec<Vec<u64>> {
    let late = gap * GAP + GAP / 2;
    let mut others = vec![vec![], vec![late]];
    // Places in every gap, and on both sides of the late key in its own.
    let starts = (0..=count).map(|gap| gap * GAP + 1).chain([late + 1]);
    for start in starts.clone() {
        for length in 1..=3 * SLOTS as u64 {
            let run: Vec<u64> = (start..start + length).collect();
            others.push(run.iter().rev().copied().collect());
            others.push(run);
        }
        for second in starts.clone() {
            if second == start {
                continue;
            }
            for (first_run, second_run) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (4, 1)] {
                let first = start..start + first_run;
                others.push(first.chain(second..second + second_run).collect());
            }
        }
        // With an equal key among them, before and after the others.
        others.push(vec![late, start, start + 1]);
        others.push(vec![start, start + 1, start + 2, late]);
    }
    others
}

/// Interleavings at nodes of any size: lists of up to three leaves, and up to two leaves' keys in
/// between, of which most are near the late key.
fn sampled(count: u64) -> impl Iterator<Item = Interleaving> {
    let slots = SLOTS as u64;
    let mut random = Random::new(11);
    (0..count).map(move |i| {
        let shape = Shape::ALL[index(i % 3)];
        let length = random.below(2 * slots) + slots / 2;
        let before = orders(length)[index(random.below(3))].clone();
        let gap = random.below(length + 1);
        let late = gap * GAP + GAP / 2;
        // Around the full leaf's size: there the count comes back to what it was.
        let most = [slots / 2 - 1, slots / 2, slots / 2 + 1, slots, 2 * slots];
        let most = most[index(random.below(5))] + random.below(3);
        let mut others: Vec<u64> = (1..=most)
            .map(|step| match random.below(8) {
                0 => late + step,
                1 => random.below(length + 1) * GAP + 700 + step,
                _ => late - step,
            })
            .collect();
        match random.below(4) {
            0 => others.reverse(),
            1 => others.sort_unstable(),
            _ => {}
        }
        if random.below(20) == 0 {
            others.push(late);
        }
        Interleaving {
            shape,
            before: before.iter().map(|place| (place + 1) * GAP).collect(),
            place: late,
            others,
        }
    })
}

/// At full nodes of any size: the late key goes to the end of a leaf, which a split parts and others
/// then fill up again. Its count is what it was, and its end is not.
#[test]
fn a_leaf_that_was_split_and_filled_again_is_not_taken_for_the_same() {
    let slots = SLOTS as u64;
    let lists = Shape::ALL.into_iter().flat_map(move |shape| {
        (1..=2).flat_map(move |leaves| {
            orders(leaves * slots)
                .into_iter()
                .flat_map(move |before| (0..=slots).map(move |gap| (shape, before.clone(), gap)))
        })
    });
    play_all(lists.flat_map(move |(shape, before, gap)| {
        let late = gap * GAP + GAP / 2;
        // As many as fill the lower part, and one less and more, before the late key.
        let runs = [1, 2, slots / 2 - 1, slots / 2, slots / 2 + 1, slots / 2 + 2];
        let others = runs.into_iter().flat_map(move |length| {
            let length = length.max(1);
            let run: Vec<u64> = (late - length..late).collect();
            let elsewhere = (1..=length).map(|step| (slots / 2) * GAP - step).collect();
            [run.iter().rev().copied().collect(), run, elsewhere]
        });
        let others: Vec<Vec<u64>> = others.collect();
        with_others(shape, before, gap, others)
    }));
}
