//! As much DER as it takes to read the numbers out of an RSA private key (RFC 8017, A.1.2) in its
//! PKCS #8 envelope. The crypto library exports private keys in no other form.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// `n, e, d, p, q, dp, dq, qi`, without leading zeros.
pub(crate) type RsaNumbers<'a> = [&'a [u8]; 8];

/// Reads the numbers of an RSA key.
pub(crate) fn rsa_numbers(pkcs8: &[u8]) -> Option<RsaNumbers<'_>> {
    let (mut envelope, _) = element(pkcs8, SEQUENCE)?;
    for tag in [INTEGER, SEQUENCE] {
        (_, envelope) = element(envelope, tag)?;
    }
    let (octets, _) = element(envelope, OCTET_STRING)?;
    let (numbers, _) = element(octets, SEQUENCE)?;
    let (_version, mut rest) = element(numbers, INTEGER)?;
    let mut found: RsaNumbers<'_> = [&[]; 8];
    for slot in &mut found {
        let number;
        (number, rest) = element(rest, INTEGER)?;
        *slot = without_leading_zeros(number);
    }
    Some(found)
}

/// The content of the first element, which must have the tag, and what follows it.
fn element(bytes: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, tail) = rest.split_at_checked(count)?;
        length = digits
            .iter()
            .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = tail;
    }
    if tag != expected {
        return None;
    }
    rest.split_at_checked(length)
}

/// A big-endian number in its shortest form.
pub(crate) fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
