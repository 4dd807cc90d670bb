//! Points that are no keys: off their curve, or of an order so low that one signature fits every
//! message. A key set that names one names a key that anybody has.

use aws_lc_rs::signature::ParsedPublicKey;

use crate::{Curve, jwk::members};

/// The `y` of all points of Ed25519 whose order divides 8, in every spelling that readers take,
/// little-endian and without the sign of `x` (RFC 7748, section 6 warns of their kin).
const LOW_ORDER: [[u8; 32]; 7] = [
    word(0x00, 0x00, 0x00),
    word(0x01, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    // The field's prime less one, the prime itself, and one more.
    word(0xec, 0xff, 0x7f),
    word(0xed, 0xff, 0x7f),
    word(0xee, 0xff, 0x7f),
];

/// A number of 32 bytes: the first, those between, the last.
const fn word(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Whether the coordinates are a point of the curve.
pub(super) fn is_on(curve: Curve, x: &[u8], y: &[u8]) -> bool {
    ParsedPublicKey::new(curve.verification(), members::point(x, y)).is_ok()
}

/// Whether a point of Ed25519 has a low order.
pub(super) fn is_of_low_order(point: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(point) else {
        return false;
    };
    y[31] &= 0x7f;
    LOW_ORDER.contains(&y)
}
