//! Comparators that break their contract: they contradict themselves, or panic.
//!
//! Of one that contradicts itself nothing is expected but that all calls return, in a bounded number
//! of steps, and touch no memory that is not the list's. One that panics must leave a whole list
//! behind, in which nothing is locked.

use std::cmp::Ordering;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use strata_skiplist::{Compare, InsertError, Prefix, SkipList};

use crate::concurrent::Random;
use crate::support::within;

/// What a comparator answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// What is right.
    Right,
    Always(Ordering),
    /// What is right for some calls, and the reverse for the next ones.
    Turning(u64),
    /// Wrong once in so many calls.
    Seldom(u64),
    /// Anything.
    Random,
    /// What depends on the two keys, and on which comes first, and is no order.
    Cyclic,
}

/// What it says of prefixes.
#[derive(Clone, Copy, Debug)]
enum Said {
    Nothing,
    /// The number's bytes.
    Right,
    /// As if numbers were in reverse.
    Reversed,
    /// Different each time.
    Random,
    /// For some keys and not for others.
    Sometimes,
    /// The same for many.
    Coarse,
    /// Least, so that heads are zeros.
    Zeros,
}

const ANSWERS: [Answer; 11] = [
    Answer::Right,
    Answer::Always(Ordering::Less),
    Answer::Always(Ordering::Equal),
    Answer::Always(Ordering::Greater),
    Answer::Turning(7),
    Answer::Turning(500),
    Answer::Turning(20_000),
    Answer::Seldom(30),
    Answer::Seldom(1000),
    Answer::Random,
    Answer::Cyclic,
];

const SAID: [Said; 7] = [
    Said::Nothing,
    Said::Right,
    Said::Reversed,
    Said::Random,
    Said::Sometimes,
    Said::Coarse,
    Said::Zeros,
];

#[derive(Debug)]
struct Broken {
    answer: Answer,
    said: Said,
    calls: AtomicU64,
    /// Whether it answers what is right all the same.
    is_right: AtomicBool,
    /// How many calls may be made until it is told again that there may be more.
    left: AtomicU64,
}

impl Broken {
    fn new(answer: Answer, said: Said, seed: u64) -> Self {
        Self {
            answer,
            said,
            calls: AtomicU64::new(seed),
            is_right: AtomicBool::new(false),
            left: AtomicU64::new(u64::MAX),
        }
    }

    /// Counts a call, and gives a number that is different each time.
    fn called(&self) -> u64 {
        let left = self.left.fetch_sub(1, Relaxed);
        assert!(left > 0, "an operation does not end");
        let call = self.calls.fetch_add(1, Relaxed) + 1;
        call.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
    }
}

/// One of the three orders.
fn any(number: u64) -> Ordering {
    [Ordering::Less, Ordering::Equal, Ordering::Greater][usize::try_from(number % 3).unwrap()]
}

impl Compare<u64> for Broken {
    #[inline(never)]
    fn compare(&self, key: &u64, target: &u64) -> Ordering {
        let random = self.called();
        let right = key.cmp(target);
        if self.is_right.load(Relaxed) {
            return right;
        }
        match self.answer {
            Answer::Right => right,
            Answer::Always(order) => order,
            Answer::Turning(calls) => match self.calls.load(Relaxed) / calls % 2 {
                0 => right,
                _ => right.reverse(),
            },
            Answer::Seldom(calls) => match random % calls {
                0 => any(random / calls),
                _ => right,
            },
            Answer::Random => any(random),
            Answer::Cyclic => any(key.wrapping_mul(31) ^ target.wrapping_mul(17) >> 3),
        }
    }

    #[inline(never)]
    fn prefix(&self, target: &u64) -> Option<Prefix> {
        let random = self.called();
        let of = |number: u64| Some(Prefix::of_bytes(&number.to_be_bytes()));
        match self.said {
            Said::Nothing => None,
            Said::Right => of(*target),
            Said::Reversed => of(!target),
            Said::Random => of(random << 40 ^ random),
            Said::Sometimes => random.is_multiple_of(2).then(|| of(*target))?,
            Said::Coarse => of(target & !0xff),
            Said::Zeros => of(0),
        }
    }
}

type List = SkipList<u64, Broken>;

/// More comparisons than an operation on a list of `count` keys has reason to make: it may come by
/// every key a few times.
fn most(count: u64) -> u64 {
    1000 + 20 * count
}

/// Everything that can be done with a list, in an order drawn at random. What is given back must be
/// keys that were inserted.
fn exercise(list: &List, random: &mut Random, steps: u64, keys: u64) {
    let mut inserted = list.len();
    let mut cursor = list.cursor();
    let is_key = |key: Option<&u64>| key.is_none_or(|&key| key < 1 << 32);
    for _ in 0..steps {
        list.comparator().left.store(most(inserted), Relaxed);
        let key = random.below(keys) << 8;
        let other = random.below(keys) << 8;
        match random.below(16) {
            0..8 => match list.insert(key) {
                Ok(&there) => {
                    assert_eq!(there, key);
                    inserted += 1;
                }
                Err(error) => assert_eq!(error, InsertError::Duplicate),
            },
            8 => assert!(is_key(list.get(&key))),
            9 => assert!(is_key(list.lower_bound(&key))),
            10 => cursor.seek(&key),
            11 => cursor.seek_for_prev(&key),
            12 => (0..random.below(90)).for_each(|_| cursor.next()),
            13 => (0..random.below(90)).for_each(|_| cursor.prev()),
            14 => {
                let bounds = (Bound::Included(key), Bound::Excluded(other));
                let given = list
                    .range(bounds)
                    .take(70)
                    .inspect(|key| assert!(is_key(Some(*key))));
                assert!(given.count() <= 70);
                let bounds = (Bound::Excluded(key), Bound::Unbounded);
                assert!(
                    list.range(bounds)
                        .rev()
                        .take(70)
                        .all(|key| is_key(Some(key)))
                );
            }
            _ => {
                let targets = [key, other, key + 1, other + 1];
                let found = list.first_versions::<u64, _>(targets);
                assert_eq!(found.filter(|(_, key)| is_key(*key)).count(), 4);
            }
        }
        assert!(is_key(cursor.key()));
    }
    list.comparator().left.store(u64::MAX, Relaxed);
    // What was inserted is there, wherever: walks compare nothing.
    assert_eq!(list.len(), inserted);
    assert_eq!(list.iter().count() as u64, inserted, "a walk forward");
    assert!(list.iter().all(|key| is_key(Some(key))));
    assert!(
        list.iter()
            .rev()
            .take(usize::try_from(inserted).unwrap() + 1)
            .count() as u64
            <= inserted
    );
}

fn exercise_all(answers: &'static [Answer], lists: u64, steps: u64) {
    within(Duration::from_secs(60), move || {
        for &answer in answers {
            for said in SAID {
                for seed in 1..=lists {
                    let list = List::new(Broken::new(answer, said, seed), Default::default());
                    let mut random = Random::new(seed * 31);
                    let case = format!("{answer:?}, {said:?}, seed {seed}");
                    // Few keys, so that many are duplicates, and many.
                    let keys = [40, 1000, 1 << 20][(seed % 3) as usize];
                    let run = || exercise(&list, &mut random, steps, keys);
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
                        eprintln!("with {case}");
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
    });
}

#[test]
fn a_comparator_that_contradicts_itself_breaks_nothing_but_the_order() {
    match cfg!(strata_small_nodes) {
        true => exercise_all(&ANSWERS, 30, 1000),
        false => exercise_all(&ANSWERS, 5, 6000),
    }
}

/// A node above the leaves that another has taken the place of must take nothing any more, and its
/// slots must not overflow, though a comparator says that what comes belongs there.
///
/// The order is right until there are nodes at three levels, some of them replaced (prefixes of zeros
/// see to that: a node's keys have more in common than was thought when it was made), and wrong
/// then.
#[test]
fn a_replaced_node_above_the_leaves_is_not_filled_by_a_wrong_order() {
    let (present, seeds) = match cfg!(strata_small_nodes) {
        true => (100, 100),
        false => (6000, 2),
    };
    within(Duration::from_secs(60), move || {
        for period in 1..=16 {
            for seed in 1..=seeds {
                let order = Broken::new(Answer::Turning(period), Said::Zeros, seed);
                let list = List::new(order, Default::default());
                let mut random = Random::new(seed);
                let mut insert_some = |count| {
                    for _ in 0..count {
                        list.comparator().left.store(most(present + count), Relaxed);
                        let _ = list.insert(random.below(1 << 20));
                    }
                };
                list.comparator().is_right.store(true, Relaxed);
                insert_some(present);
                list.comparator().is_right.store(false, Relaxed);
                insert_some(1000);
                list.comparator().left.store(u64::MAX, Relaxed);
                assert_eq!(list.iter().count() as u64, list.len());
            }
        }
    });
}
