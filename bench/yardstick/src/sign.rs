//! Signatures per second of processor time, without anything around them: the limit of every issuer
//! of signed tokens; and verifications, the limit of who takes them.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};

use crate::now;

/// As many bytes as header and claims of a token have.
const MESSAGE: [u8; 420] = [b'x'; 420];

/// How often the clock is looked at.
const BATCH: u32 = 16;

/// Signs for a time and writes the signatures per second of processor time.
pub(crate) fn run(algorithm: &str, bits: u32, seconds: f64) -> Result<()> {
    let random = SystemRandom::new();
    let duration = Duration::from_secs_f64(seconds);
    let rate = match (algorithm, bits) {
        ("ES256", _) => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
            rate(duration, || pair.sign(&random, &MESSAGE).map(drop))?
        }
        ("RS256", 2048 | 4096) => {
            let size = match bits {
                2048 => KeySize::Rsa2048,
                _ => KeySize::Rsa4096,
            };
            let pair = RsaKeyPair::generate(size)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            rate(duration, || {
                pair.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)
            })?
        }
        ("verify-RS256", 2048) => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)?;
            let parameters = &RSA_PKCS1_2048_8192_SHA256;
            let key = ParsedPublicKey::new(parameters, pair.public_key().as_ref())?;
            rate(duration, || key.verify_sig(&MESSAGE, &signature))?
        }
        _ => bail!(
            "{algorithm} with {bits} bits is not measured: ES256, RS256 with 2048 or 4096, \
             verify-RS256 with 2048"
        ),
    };
    writeln!(std::io::stdout(), "{rate:.1}")?;
    Ok(())
}

fn rate(
    duration: Duration,
    mut sign: impl FnMut() -> Result<(), aws_lc_rs::error::Unspecified>,
) -> Result<f64> {
    let (started, used, mut count) = (now(), cpu_seconds()?, 0_u32);
    while started.elapsed() < duration {
        for _ in 0..BATCH {
            sign().context("the library refused to sign")?;
        }
        count += BATCH;
    }
    Ok(f64::from(count) / (cpu_seconds()? - used))
}

/// The time that this thread has had on the processor, as the kernel counts it.
fn cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().unwrap_or_default();
    Ok(nanoseconds
        .parse::<f64>()
        .context("the kernel gives no time")?
        / 1e9)
}
