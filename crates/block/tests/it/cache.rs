//! Blocks that files share in a cache.

use std::sync::Arc;

use strata_block::{BlockCache, BlockSource, Compression, ReadOptions};

use crate::support::{entry, list, only, write};

#[test]
fn a_block_in_the_cache_is_not_read_again_and_each_source_has_its_own() {
    let cache = Arc::new(BlockCache::new(64 << 20));
    let options = ReadOptions {
        cache: Some(Arc::clone(&cache)),
        ..ReadOptions::default()
    };
    let files: Vec<Vec<u8>> = (0..3)
        .map(|value| write(&[entry(b"key", &[value])], 16, Compression::None))
        .collect();
    let open = |file| BlockSource::new(file, &options).unwrap();
    let sources: Vec<_> = files.iter().map(open).collect();
    for (value, (source, file)) in (0..).zip(sources.iter().zip(&files)) {
        let first = source.read_shared_block(only(file)).unwrap();
        assert_eq!(list(&first).unwrap(), [entry(b"key", &[value])]);
        let again = source.read_shared_block(only(file)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
    }
    assert!((3 * 128..2000).contains(&cache.bytes()), "{cache:?}");
}
