//! The coding layer: integers and slices, a thousand a pass, in a buffer that stays in the cache.

use benches::{SplitMix64, criterion};
use criterion::{BenchmarkId, Criterion, Throughput};
use strata_coding::{
    DecodeError, get_fixed32, get_fixed64, get_length_prefixed_slice, get_varint32, get_varint64,
    put_fixed32, put_fixed64, put_length_prefixed_slice, put_varint32, put_varint64,
};

/// How many integers or slices are encoded or decoded in one pass.
const COUNT: u64 = 1000;

fn main() {
    let mut criterion = criterion();
    let lengths = |bits| format!("count=1k/bits=1..{bits}");

    // Lengths of keys and values are mostly of this kind: one byte, no branch to mispredict.
    let short = numbers(7, narrow);
    let mixed = numbers(u32::BITS, narrow);
    for (numbers, bits) in [(&short, 7), (&mixed, u32::BITS)] {
        encode(
            &mut criterion,
            "put_varint32",
            &lengths(bits),
            numbers,
            put_varint32,
        );
        decode(
            &mut criterion,
            "get_varint32",
            &lengths(bits),
            numbers,
            put_varint32,
            get_varint32,
        );
    }
    let wide = numbers(u64::BITS, |number| number);
    encode(
        &mut criterion,
        "put_varint64",
        &lengths(u64::BITS),
        &wide,
        put_varint64,
    );
    decode(
        &mut criterion,
        "get_varint64",
        &lengths(u64::BITS),
        &wide,
        put_varint64,
        get_varint64,
    );

    let fixed = "count=1k";
    encode(&mut criterion, "put_fixed32", fixed, &mixed, put_fixed32);
    decode(
        &mut criterion,
        "get_fixed32",
        fixed,
        &mixed,
        put_fixed32,
        get_fixed32,
    );
    encode(&mut criterion, "put_fixed64", fixed, &wide, put_fixed64);
    decode(
        &mut criterion,
        "get_fixed64",
        fixed,
        &wide,
        put_fixed64,
        get_fixed64,
    );

    for bytes in [16, 1000] {
        slices(&mut criterion, bytes);
    }
    criterion.final_summary();
}

/// Numbers of 1 to `most_bits` bits, every count of bits as likely as the next one.
fn numbers<N>(most_bits: u32, narrow: impl Fn(u64) -> N) -> Vec<N> {
    let mut rng = SplitMix64::new(u64::from(most_bits));
    (0..COUNT)
        .map(|_| {
            let bits = 1 + rng.below(u64::from(most_bits));
            let top = 1 << (bits - 1);
            narrow(top | (rng.next_u64() & (top - 1)))
        })
        .collect()
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap()
}

fn encode<N: Copy>(
    criterion: &mut Criterion,
    name: &str,
    parameters: &str,
    numbers: &[N],
    put: impl Fn(&mut Vec<u8>, N),
) {
    let mut group = criterion.benchmark_group("coding");
    group.throughput(Throughput::Elements(COUNT));
    let mut buffer = Vec::new();
    group.bench_function(BenchmarkId::new(name, parameters), |bencher| {
        bencher.iter(|| {
            buffer.clear();
            numbers.iter().for_each(|&number| put(&mut buffer, number));
            buffer.len()
        });
    });
    group.finish();
}

fn decode<N: Copy + PartialEq + std::fmt::Debug>(
    criterion: &mut Criterion,
    name: &str,
    parameters: &str,
    numbers: &[N],
    put: impl Fn(&mut Vec<u8>, N),
    get: impl Fn(&[u8]) -> Result<(N, &[u8]), DecodeError>,
) {
    let mut encoded = Vec::new();
    numbers.iter().for_each(|&number| put(&mut encoded, number));
    let decode = |visit: &mut dyn FnMut(N)| {
        let mut rest = &encoded[..];
        while !rest.is_empty() {
            let (number, after) = get(rest).unwrap();
            visit(number);
            rest = after;
        }
    };
    let mut decoded = Vec::new();
    decode(&mut |number| decoded.push(number));
    assert_eq!(decoded, numbers, "{name}");

    let mut group = criterion.benchmark_group("coding");
    group.throughput(Throughput::Elements(COUNT));
    group.bench_function(BenchmarkId::new(name, parameters), |bencher| {
        bencher.iter(|| {
            let mut rest = &encoded[..];
            let mut last = None;
            while let Ok((number, after)) = get(rest) {
                last = std::hint::black_box(Some(number));
                rest = after;
            }
            last
        });
    });
    group.finish();
}

fn slices(criterion: &mut Criterion, bytes: usize) {
    let slice = vec![b'x'; bytes];
    let put = |buffer: &mut Vec<u8>| {
        buffer.clear();
        for _ in 0..COUNT {
            put_length_prefixed_slice(buffer, &slice).unwrap();
        }
    };
    let get = |encoded: &[u8]| {
        let (mut rest, mut count) = (encoded, 0);
        while let Ok((slice, after)) = get_length_prefixed_slice(rest) {
            count += u64::from(slice.len() == bytes);
            rest = after;
        }
        count
    };
    let mut encoded = Vec::new();
    put(&mut encoded);
    assert_eq!(get(&encoded), COUNT);

    let mut group = criterion.benchmark_group("coding");
    group.throughput(Throughput::Elements(COUNT));
    let parameters = format!("count=1k/slice={bytes}B");
    let mut buffer = Vec::new();
    let id = BenchmarkId::new("put_length_prefixed_slice", &parameters);
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            put(&mut buffer);
            buffer.len()
        });
    });
    let id = BenchmarkId::new("get_length_prefixed_slice", &parameters);
    group.bench_function(id, |bencher| bencher.iter(|| get(&encoded)));
    group.finish();
}
