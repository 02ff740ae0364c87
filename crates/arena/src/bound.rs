//! How much an arena can grow at most by allocations that are yet to be made.
//!
//! Known is how many bytes they take together, not how these are shared out. The bound is coarse:
//!
//! - A block is given up for another when there is less left in it than the next allocation takes.
//!   That is at most a third of the next block if that is a usual one, so that a usual chunk costs
//!   less than 1.7 bytes for each that is taken from it or given up before it.
//! - A block for one allocation is for 320 bytes or more. It costs most per byte just past a size
//!   of chunk, 2.3 bytes.
//! - The last usual block of a lane is not given up, and counts whole. It may be large because the
//!   lane has many, or because the least chunk has doubled. If that was twice or more, there were
//!   64 blocks while it was half as large, of which all but one a lane took a third: it is less than
//!   an eighth of the bytes.
//!
//! So chunks take at most two and a half times the bytes, and a usual chunk for each lane that has
//! not enough left for all of them.

use std::ops::Range;

use crate::block::{CHUNK_OVERHEAD_BYTES, SMALLEST_BYTES, chunk_bytes};
use crate::growth::{
    Growth, MAX_REQUEST_BYTES, OWN_CHUNK_FRACTION, SMALL_CHUNK_BYTES, WINDOWS_PER_DOUBLING,
};
use crate::lane::{ENTRY_LANES, LANES, NODE_LANE};
use crate::location::{Location, WINDOW_BYTES};

/// How many blocks a lane has at most before usual ones take [`SMALL_CHUNK_BYTES`], and one more.
/// (A chunk for one allocation is at least half a usual one, and counts a few bytes less: there are
/// five up to 2 KiB, three up to 4 KiB and three up to 8 KiB.)
const FEW_BLOCKS: usize = 12;

/// How many bytes are taken for each block after those, at least.
const LEAST_PER_BLOCK: usize = (SMALL_CHUNK_BYTES - CHUNK_OVERHEAD_BYTES) / OWN_CHUNK_FRACTION;

impl Growth {
    /// The most that [`reserved`](Growth::reserved) can grow by `entries` allocations of
    /// `entry_bytes` bytes together, in whichever lanes, and nodes of `node_bytes`, where so many
    /// bytes are left in each lane.
    pub(crate) fn bound(
        &self,
        entries: usize,
        entry_bytes: usize,
        node_bytes: usize,
        left: [usize; LANES],
        limit: usize,
    ) -> usize {
        // A byte each to make it a whole granule; one of no bytes takes two.
        let entry_bytes = entry_bytes.saturating_add(entries.saturating_mul(Location::GRANULE));
        let lacks =
            |bytes: usize, lanes: Range<usize>| lanes.filter(move |&lane| bytes > left[lane]);
        let in_entry_lanes = || lacks(entry_bytes, 0..ENTRY_LANES);
        let in_node_lane = || lacks(node_bytes, NODE_LANE..LANES);
        let blocks = |bytes: usize, lacking: usize| match lacking {
            0 => 0,
            _ => bytes / LEAST_PER_BLOCK + FEW_BLOCKS * lacking,
        };
        let node_blocks = blocks(node_bytes, in_node_lane().count());
        let bound = |entry_blocks: usize, most: usize| {
            let blocks = entry_blocks.saturating_add(node_blocks);
            let bytes = entry_bytes.min(most).saturating_add(node_bytes);
            let windows = blocks.saturating_add(bytes / WINDOW_BYTES);
            let last = |lane, taken| {
                let usual =
                    self.usual_chunk_bytes(lane, cost(taken), windows.min(WINDOWS_PER_DOUBLING));
                usual.max(bytes / 8)
            };
            let last_entry = |lane| last(lane, entry_bytes);
            let for_entries = match (entries, entry_blocks) {
                (_, 0) => 0,
                (1, _) => {
                    let own = chunk_bytes(entry_bytes.min(MAX_REQUEST_BYTES) + 1);
                    in_entry_lanes().map(last_entry).fold(own, usize::max)
                }
                _ => in_entry_lanes()
                    .map(last_entry)
                    .fold(cost(entry_bytes), usize::saturating_add),
            };
            let for_nodes =
                in_node_lane().map(|lane| last(lane, node_bytes).saturating_add(cost(node_bytes)));
            for_nodes
                .fold(for_entries.min(most), usize::saturating_add)
                .saturating_add(self.bookkeeping_bound(blocks, windows))
        };
        let entry_blocks = blocks(entry_bytes, in_entry_lanes().count()).min(entries);
        let room = limit.saturating_sub(self.reserved());
        match bound(entry_blocks, usize::MAX) {
            bound if bound <= room => bound,
            // Near the limit every entry may get a block of its own.
            _ => bound(entries.min(room / SMALLEST_BYTES), room),
        }
    }
}

/// The most that `bytes` bytes cost, beside a last chunk.
fn cost(bytes: usize) -> usize {
    bytes.saturating_mul(2).saturating_add(bytes / 2)
}
