//! How much an arena can grow at most by allocations that are yet to be made.
//!
//! What is known of them is how many there are and how much they take together, not how that is
//! shared out; the bound holds for the worst way. An allocation that does not fit what is left in
//! its lane, `left`, makes a block:
//!
//! - a usual one, of a capacity three times as large as the allocation. What is left is given up.
//!   It is less than the allocation, so less than a third of a block: per byte taken, blocks that
//!   are given up cost no more than their chunk over two thirds of their capacity, or over the
//!   capacity less the largest allocation. The last one is not given up, and counts whole;
//! - or one of its own. That costs most per byte if it just passes one size of chunk and so takes
//!   the next.
//!
//! With the larger of these as the `cost` of a byte, sums of blocks are bounded by induction over
//! allocations: what chunks take is at most `cost * (taken + left now - left at first)`, as an
//! allocation from what is left changes neither side, and each of the two above adds no more to
//! the one than to the other. Blocks only become larger, and `cost` less.

use std::ops::Range;

use crate::block::{CHUNK_OVERHEAD_BYTES, SMALLEST_BYTES, chunk_bytes};
use crate::demand::Demand;
use crate::growth::{Growth, MAX_REQUEST_BYTES, OWN_CHUNK_FRACTION, SMALL_CHUNK_BYTES};
use crate::lane::{ENTRY_LANES, LANES, NODE_LANE};
use crate::location::WINDOW_BYTES;

/// What is left in each lane, in bytes.
pub(crate) type Left = [usize; LANES];

/// The lanes that threads may allocate entries in.
const ANY_ENTRY_LANE: Range<usize> = 0..ENTRY_LANES;

/// The one for nodes.
const THE_NODE_LANE: Range<usize> = NODE_LANE..NODE_LANE + 1;

/// How many blocks a lane has at most before usual ones take [`SMALL_CHUNK_BYTES`], and one more.
/// (A chunk for one allocation is at least half a usual one, and counts a few bytes less: there are
/// five up to 2 KiB, three up to 4 KiB and three up to 8 KiB.)
const FEW_BLOCKS: usize = 12;

impl Growth {
    /// The most that [`reserved`](Growth::reserved) can grow by `entries`, in whichever lanes, and
    /// `nodes`.
    pub(crate) fn bound(&self, entries: Demand, nodes: Demand, left: &Left, limit: usize) -> usize {
        let node_blocks = self.blocks_bound(THE_NODE_LANE, nodes, left);
        let bound = |most: usize, blocks: usize| {
            let windows = windows_bound(entries.bytes.min(most), blocks)
                + windows_bound(nodes.bytes, node_blocks);
            self.chunks_bound(ANY_ENTRY_LANE, entries, left, windows)
                .min(most)
                .saturating_add(self.chunks_bound(THE_NODE_LANE, nodes, left, windows))
                .saturating_add(self.bookkeeping_bound(blocks + node_blocks, windows))
        };
        let room = limit.saturating_sub(self.reserved());
        let blocks = self.blocks_bound(ANY_ENTRY_LANE, entries, left);
        match bound(usize::MAX, blocks) {
            bound if bound <= room => bound,
            // Near the limit every entry may get a block of its own.
            _ => bound(room, entries.allocations.min(room / SMALLEST_BYTES)),
        }
    }

    /// The most blocks that `demand` can make: all but the last of a lane are given up when
    /// there is less left than the next allocation takes, or are for one allocation each.
    fn blocks_bound(&self, lanes: Range<usize>, demand: Demand, left: &Left) -> usize {
        let lacking = lanes.filter(|&lane| demand.bytes > left[lane]);
        let mut blocks = 0;
        let mut least_taken = usize::MAX;
        for lane in lacking {
            let capacity = self.least_capacity(lane);
            let later = capacity.max(SMALL_CHUNK_BYTES - CHUNK_OVERHEAD_BYTES);
            blocks += if capacity < later { FEW_BLOCKS } else { 1 };
            let taken = match later / OWN_CHUNK_FRACTION {
                third if demand.largest < third => later - demand.largest,
                third => third,
            };
            least_taken = least_taken.min(taken);
        }
        (blocks + demand.bytes / least_taken).min(demand.allocations)
    }

    /// The most that the chunks of these blocks can take, while no more than so many windows more
    /// come into use.
    fn chunks_bound(
        &self,
        lanes: Range<usize>,
        demand: Demand,
        left: &Left,
        windows: usize,
    ) -> usize {
        let lacking = lanes.filter(|&lane| demand.bytes > left[lane]);
        if demand.allocations == 1 {
            let own = chunk_bytes(demand.largest.min(MAX_REQUEST_BYTES) + 1);
            let usual = lacking.map(|lane| self.usual_chunk_bytes(lane, 0, windows));
            return usual.max().map_or(0, |usual| usual.max(own));
        }
        let mut cost = 0;
        let mut last = 0;
        for lane in lacking {
            let in_lane = cost_bound(demand, self.least_capacity(lane));
            cost = in_lane.max(cost);
            last += self.usual_chunk_bytes(lane, in_lane, windows);
        }
        cost.saturating_add(last)
    }

    /// How many bytes the next usual block for a lane has, at least.
    fn least_capacity(&self, lane: usize) -> usize {
        self.usual_chunk_bytes(lane, 0, 0) - CHUNK_OVERHEAD_BYTES
    }
}

/// The most windows that so many blocks, made for so many bytes, can have.
fn windows_bound(bytes: usize, blocks: usize) -> usize {
    blocks + bytes.saturating_add(blocks) / WINDOW_BYTES
}

/// What `demand` can cost in chunks, beside a last one in each lane, where usual blocks have
/// `capacity` bytes or more.
fn cost_bound(demand: Demand, capacity: usize) -> usize {
    let third = capacity / OWN_CHUNK_FRACTION;
    let times = |chunk: usize, taken: usize| {
        let cost = (demand.bytes as u128 * chunk as u128).div_ceil(taken as u128);
        usize::try_from(cost).unwrap_or(usize::MAX)
    };
    let largest = demand.largest;
    let usual = times(
        capacity + CHUNK_OVERHEAD_BYTES,
        capacity - largest.min(third),
    );
    if largest < third {
        return usual;
    }
    // The smallest that has a block of its own, and the smallest that needs the next larger one.
    let chunk = chunk_bytes(third + 1);
    let larger = chunk - CHUNK_OVERHEAD_BYTES;
    usual
        .max(times(chunk, third))
        .max(times(chunk_bytes(larger + 1), larger))
}
