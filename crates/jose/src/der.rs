//! As much DER as it takes to read the numbers out of an RSA private key (RFC 8017, A.1.2) in its
//! PKCS #8 envelope, since the crypto library exports private keys in no other form, and out of a
//! public key (RFC 5280, section 4.1) alone or in a certificate.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// A seed alone, where a key may also be expanded.
const SEED: u8 = 0x80;
/// `version` of a certificate, which the first version lacks.
const VERSION: u8 = 0xa0;

/// `rsaEncryption` (RFC 8017, appendix C).
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `id-Ed25519` (RFC 8410, section 3).
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A `SubjectPublicKeyInfo`, read.
#[derive(Debug)]
pub(crate) struct PublicKey<'a> {
    /// The identifier of its algorithm.
    pub(crate) algorithm: &'a [u8],
    /// What follows the identifier.
    pub(crate) parameters: &'a [u8],
    /// The key.
    pub(crate) key: &'a [u8],
}

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

/// The seed of an ML-DSA key (RFC 9881, section 6) in its PKCS #8 envelope.
pub(crate) fn ml_dsa_seed(pkcs8: &[u8]) -> Option<&[u8]> {
    let (mut envelope, _) = element(pkcs8, SEQUENCE)?;
    for tag in [INTEGER, SEQUENCE] {
        (_, envelope) = element(envelope, tag)?;
    }
    let (octets, _) = element(envelope, OCTET_STRING)?;
    element(octets, SEED).map(|(seed, _)| seed)
}

/// Reads a `SubjectPublicKeyInfo`.
pub(crate) fn public_key(der: &[u8]) -> Option<PublicKey<'_>> {
    let (info, _) = element(der, SEQUENCE)?;
    let (algorithm, rest) = element(info, SEQUENCE)?;
    let (algorithm, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    Some(PublicKey {
        algorithm,
        parameters,
        // Keys are whole bytes: none of their bits is unused.
        key: bits.strip_prefix(&[0])?,
    })
}

/// The `SubjectPublicKeyInfo` of a certificate.
pub(crate) fn certified(certificate: &[u8]) -> Option<&[u8]> {
    let (signed, _) = element(certificate, SEQUENCE)?;
    let (mut fields, _) = element(signed, SEQUENCE)?;
    if let Some((_, after)) = element(fields, VERSION) {
        fields = after;
    }
    // The serial number, the algorithm of the signature, issuer, validity and subject come first.
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        (_, fields) = element(fields, tag)?;
    }
    Some(fields)
}

/// `n` and `e` of an RSA public key (RFC 8017, A.1.1), without leading zeros.
pub(crate) fn rsa_public_numbers(key: &[u8]) -> Option<[&[u8]; 2]> {
    let (numbers, _) = element(key, SEQUENCE)?;
    let (n, rest) = element(numbers, INTEGER)?;
    let (e, _) = element(rest, INTEGER)?;
    Some([without_leading_zeros(n), without_leading_zeros(e)])
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
