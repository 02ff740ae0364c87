//! Values that no table can hold. A test program of its own, because it needs 4 GiB of zeroed
//! memory: the system's allocator gives that as address space and no page is touched, while the
//! counting allocator of the other tests would fill it.

use strata_dbformat::BytewiseComparator;
use strata_table::LONGEST_ENTRY;
use strata_write_buffer::{WriteBuffer, WriteBufferOptions, WriteError};

#[test]
fn what_no_table_can_hold_is_refused_when_it_is_written() {
    let longest = usize::try_from(LONGEST_ENTRY).unwrap();
    let huge = vec![0; longest + 1];
    let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
    buffer.put(b"key", b"value").unwrap();
    for (key, value) in [(&b""[..], &huge[..]), (b"key", &huge[..longest - 2])] {
        let error = buffer.put(key, value).unwrap_err();
        let bytes = LONGEST_ENTRY + 1;
        assert!(
            matches!(error, WriteError::EntryTooLong { bytes: found } if found == bytes),
            "{error}"
        );
        assert!(error.to_string().contains(&bytes.to_string()));
    }
    let error = buffer.delete(&huge).unwrap_err();
    assert!(matches!(error, WriteError::EntryTooLong { .. }), "{error}");
    // Nothing is left of it, and what was there is flushed.
    assert_eq!(buffer.last_sequence().get(), 1);
    assert_eq!(buffer.memtables()[0].entries, 1);
}
