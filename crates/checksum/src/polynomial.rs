//! Arithmetic modulo the polynomial of CRC-32C.
//!
//! A value is a polynomial over GF(2) of degree below 32, in the order of a checksum's register:
//! bit 31 is the coefficient of x^0, bit 0 that of x^31. A register that takes a byte becomes
//! `(register + byte)·x^8`, with the byte in its low eight bits.

/// x^32 modulo the polynomial.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// x^0.
pub(crate) const ONE: u32 = 1 << 31;

/// x^24.
pub(crate) const X24: u32 = 1 << 7;

/// The low byte, multiplied by x^8.
const LOW_BYTE_TIMES_X8: [u32; 256] = low_byte_times_x8();

/// The high byte, divided by x^8.
const HIGH_BYTE_OVER_X8: [u32; 256] = high_byte_over_x8();

const fn times_x(value: u32) -> u32 {
    (value >> 1) ^ (POLYNOMIAL & (value & 1).wrapping_neg())
}

const fn low_byte_times_x8() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte;
        let mut step = 0;
        while step < 8 {
            value = times_x(value);
            step += 1;
        }
        table[byte as usize] = value;
        byte += 1;
    }
    table
}

/// The high bytes of the other table are all different, so that they say what the low byte was.
const fn high_byte_over_x8() -> [u32; 256] {
    let mut table = [0; 256];
    let mut low = 0;
    while low < 256 {
        let product = LOW_BYTE_TIMES_X8[low as usize];
        table[(product >> 24) as usize] = (product << 8) ^ low;
        low += 1;
    }
    table
}

/// `value`·x^8.
#[inline]
pub(crate) const fn times_x8(value: u32) -> u32 {
    (value >> 8) ^ LOW_BYTE_TIMES_X8[(value & 0xff) as usize]
}

/// `value`·x^-8.
#[inline]
pub(crate) const fn over_x8(value: u32) -> u32 {
    (value << 8) ^ HIGH_BYTE_OVER_X8[(value >> 24) as usize]
}

/// `value` times the polynomial whose coefficients of x^0 to x^7 are the bits 7 to 0 of `byte`.
#[inline]
pub(crate) const fn times_byte(mut value: u32, byte: u32) -> u32 {
    let mut product = 0;
    let mut bit = 8;
    while bit > 0 {
        bit -= 1;
        product ^= value & ((byte >> bit) & 1).wrapping_neg();
        value = times_x(value);
    }
    product
}

/// `a`·`b`.
#[inline]
pub(crate) const fn multiply(a: u32, b: u32) -> u32 {
    let b1 = times_x8(b);
    let b2 = times_x8(b1);
    let b3 = times_x8(b2);
    times_byte(b, a >> 24) ^ times_byte(b1, a >> 16) ^ times_byte(b2, a >> 8) ^ times_byte(b3, a)
}

/// The register after `register` has taken a byte.
#[inline]
pub(crate) fn take(register: u32, byte: u8) -> u32 {
    times_x8(register ^ u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_times_anything_is_that() {
        for value in [0, 1, ONE, POLYNOMIAL, 0x1234_5678, u32::MAX] {
            assert_eq!(multiply(ONE, value), value);
            assert_eq!(multiply(value, ONE), value);
            assert_eq!(multiply(value, 0), 0);
        }
    }

    #[test]
    fn dividing_undoes_multiplying_and_products_commute() {
        let mut value = 0x9e37_79b9u32;
        for _ in 0..1000 {
            let other = value.rotate_left(7).wrapping_mul(0x85eb_ca6b);
            assert_eq!(over_x8(times_x8(value)), value);
            assert_eq!(times_x8(over_x8(value)), value);
            assert_eq!(multiply(value, other), multiply(other, value));
            assert_eq!(times_x8(value), multiply(value, ONE >> 8));
            assert_eq!(multiply(value, X24), times_x8(times_x8(times_x8(value))));
            value = other ^ 0x5bd1_e995;
        }
    }

    #[test]
    fn a_register_that_takes_bytes_is_their_checksum() {
        let register = b"123456789".iter().fold(!0, |r, &byte| take(r, byte));
        assert_eq!(!register, 0xe306_9283);
    }
}
