//! Every allocation is filled with a pattern of its own, and all are checked at the end: an
//! overlap, a moved or a freed block shows as a wrong byte.

use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::sync::Barrier;

use quickcheck::{Gen, QuickCheck};
use strata_arena::Arena;

/// A Lehmer generator, to draw the same sizes in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0 * 16807 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % bound
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What asks for so many bytes, at any address.
pub(crate) fn bytes(size: usize) -> Layout {
    Layout::from_size_align(size, 1).unwrap()
}

/// An allocation whose bytes all are `byte`.
pub(crate) struct Filled<'a> {
    bytes: &'a mut [u8],
    byte: u8,
}

impl<'a> Filled<'a> {
    pub(crate) fn new(bytes: &'a mut [MaybeUninit<u8>], byte: u8) -> Self {
        let pattern = vec![byte; bytes.len()];
        Self {
            bytes: bytes.write_copy_of_slice(&pattern),
            byte,
        }
    }

    pub(crate) fn is_intact(&self) -> bool {
        self.bytes.iter().all(|&byte| byte == self.byte)
    }
}

#[test]
fn any_sizes_and_alignments_are_served_and_kept() {
    fn holds(requests: Vec<(u16, u8, u8)>) -> bool {
        let arena = Arena::new();
        let mut asked = 0;
        let filled: Vec<Filled<'_>> = requests
            .iter()
            .map(|&(size, align, byte)| {
                // Half of them small, the rest up to sixteen blocks.
                let size = usize::from(if byte % 2 == 0 { size % 64 } else { size });
                let layout = Layout::from_size_align(size, 1 << (align % 13)).unwrap();
                let node = byte % 8 == 7;
                let allocation = match node {
                    true => arena.allocate_node(layout),
                    false => arena.allocate(layout),
                };
                let bytes = allocation.unwrap().bytes;
                assert_eq!(bytes.as_ptr().addr() % layout.align(), 0);
                assert_eq!(bytes.len(), size);
                asked += size;
                Filled::new(bytes, byte)
            })
            .collect();
        let accounted = asked <= arena.used_bytes() && arena.used_bytes() <= arena.reserved_bytes();
        accounted && filled.iter().all(Filled::is_intact)
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(200, 3))
        .tests(500)
        .quickcheck(holds as fn(_) -> _);
}

#[test]
fn eight_threads_never_share_a_byte() {
    threads_never_share_a_byte(8, 10_000);
}

/// More threads than lanes.
#[test]
fn twenty_threads_never_share_a_byte() {
    threads_never_share_a_byte(20, 4000);
}

fn threads_never_share_a_byte(threads: u8, count: u32) {
    let arena = Arena::new();
    let start = Barrier::new(usize::from(threads));
    let asked: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (arena, start) = (&arena, &start);
                scope.spawn(move || {
                    let mut random = Random(u64::from(thread) + 1);
                    start.wait();
                    let mut filled = Vec::new();
                    let mut asked = 0;
                    for i in 0..count {
                        let bound = if random.one_in(100) { 5000 } else { 60 };
                        let layout = bytes(2 * random.below(bound) + 2);
                        let allocation = match random.one_in(40) {
                            true => arena.allocate_node(layout),
                            false => arena.allocate(layout),
                        };
                        asked += layout.size();
                        let bytes = allocation.unwrap().bytes;
                        filled.push(Filled::new(bytes, thread ^ (i % 64) as u8));
                    }
                    assert!(filled.iter().all(Filled::is_intact));
                    asked
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(arena.used_bytes(), asked, "no padding, nothing lost");
    assert!(arena.used_bytes() <= arena.reserved_bytes());
}
