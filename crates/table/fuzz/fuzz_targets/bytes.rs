//! Any bytes as a table, as they are and behind a footer that makes one of them: opening, verifying,
//! listing, looking up and going both ways end with an answer or with what is wrong with the bytes.
//! If `verify` finds nothing wrong, the entries ascend strictly, are what its summary says, what `get`
//! finds, and what a cursor comes by.

#![no_main]

mod check;

use libfuzzer_sys::fuzz_target;

/// The end of every table.
const MAGIC: [u8; 8] = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];

fuzz_target!(|bytes: &[u8]| {
    let with_magic = [bytes, &MAGIC].concat();
    for bytes in [bytes, &with_magic] {
        if let Ok(table) = check::open(bytes) {
            check::read(table, &[b"", b"a", &bytes[..bytes.len() / 8]]);
        }
    }
});
