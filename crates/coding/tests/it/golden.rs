//! Literal bytes, so that encoder and decoder can't agree on a wrong format.

use strata_coding::{
    DecodeError::{self, TooLong, Truncated},
    get_length_prefixed_slice, get_varint32, get_varint64, put_fixed32, put_fixed64,
    put_length_prefixed_slice, put_varint32, put_varint64,
};

#[test]
fn fixed_integers_are_little_endian() {
    let mut buffer = Vec::new();
    put_fixed32(&mut buffer, 0x0403_0201);
    assert_eq!(buffer, [1, 2, 3, 4]);
    put_fixed64(&mut buffer, 0x0c0b_0a09_0807_0605);
    assert_eq!(buffer, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
}

#[test]
fn varints_are_written_in_their_shortest_form() {
    let cases: [(u64, &[u8]); 9] = [
        (0, &[0x00]),
        (1, &[0x01]),
        (127, &[0x7f]),
        (128, &[0x80, 0x01]),
        (300, &[0xac, 0x02]),
        (16383, &[0xff, 0x7f]),
        (16384, &[0x80, 0x80, 0x01]),
        (u64::from(u32::MAX), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        (
            u64::MAX,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ),
    ];
    for (value, bytes) in cases {
        let mut buffer = Vec::new();
        put_varint64(&mut buffer, value);
        assert_eq!(buffer, bytes, "varint64 of {value}");
        assert_eq!(get_varint64(bytes), Ok((value, &[][..])));
        if let Ok(value) = u32::try_from(value) {
            buffer.clear();
            put_varint32(&mut buffer, value);
            assert_eq!(buffer, bytes, "varint32 of {value}");
            assert_eq!(get_varint32(bytes), Ok((value, &[][..])));
        }
    }
}

/// The forms on which decoders differ: what LevelDB does with each.
#[test]
fn varint32_accepts_what_leveldb_accepts() {
    let cases: [(&[u8], Result<u32, DecodeError>); 12] = [
        (&[], Err(Truncated)),
        (&[0x80], Err(Truncated)),
        (&[0xff, 0xff, 0xff, 0xff], Err(Truncated)),
        (&[0x80, 0x00], Ok(0)),
        (&[0x80, 0x80, 0x80, 0x80, 0x00], Ok(0)),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f], Ok(u32::MAX)),
        (&[0xff, 0xff, 0xff, 0xff, 0x7f], Ok(u32::MAX)),
        (&[0x81, 0x80, 0x80, 0x80, 0x70], Ok(1)),
        (&[0x80, 0x80, 0x80, 0x80, 0x80], Err(TooLong)),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], Err(TooLong)),
        (&[0xff, 0xff, 0xff, 0xff, 0xff], Err(TooLong)),
        (&[0x81, 0x82, 0x83, 0x84, 0x85, 0x11], Err(TooLong)),
    ];
    for (bytes, expected) in cases {
        assert_eq!(
            get_varint32(bytes).map(|(value, _)| value),
            expected,
            "{bytes:02x?}"
        );
    }
}

#[test]
fn varint64_accepts_what_leveldb_accepts() {
    let mut tenth_byte_02 = [0x80; 10];
    tenth_byte_02[9] = 0x02;
    let mut tenth_byte_7f = [0xff; 10];
    tenth_byte_7f[9] = 0x7f;
    let mut over_long_zero = [0x80; 10];
    over_long_zero[9] = 0x00;
    let cases: [(&[u8], Result<u64, DecodeError>); 6] = [
        (&tenth_byte_02, Ok(0)),
        (&tenth_byte_7f, Ok(u64::MAX)),
        (&over_long_zero, Ok(0)),
        (&[0x80; 9], Err(Truncated)),
        (&[0x80; 10], Err(TooLong)),
        (
            &[
                0x81, 0x82, 0x83, 0x84, 0x85, 0x81, 0x82, 0x83, 0x84, 0x85, 0x11,
            ],
            Err(TooLong),
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(
            get_varint64(bytes).map(|(value, _)| value),
            expected,
            "{bytes:02x?}"
        );
    }
}

#[test]
fn length_prefixed_slices_carry_their_length() {
    let mut buffer = Vec::new();
    put_length_prefixed_slice(&mut buffer, b"").unwrap();
    put_length_prefixed_slice(&mut buffer, b"foo").unwrap();
    put_length_prefixed_slice(&mut buffer, &[b'x'; 200]).unwrap();
    assert_eq!(buffer[..6], *b"\x00\x03foo\xc8");
    assert_eq!(buffer[6], 0x01);
    assert_eq!(buffer.len(), 1 + 4 + 202);

    assert_eq!(get_length_prefixed_slice(b"\x04foo"), Err(Truncated));
    assert_eq!(get_length_prefixed_slice(b""), Err(Truncated));
    assert_eq!(get_length_prefixed_slice(&[0xff; 6]), Err(TooLong));
    assert_eq!(
        get_length_prefixed_slice(b"\xff\xff\xff\xff\x0fshort"),
        Err(Truncated)
    );
}
