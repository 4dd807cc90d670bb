//! Random bytes of the crypto library.

use carnet_oauth::Random;

/// The generator of aws-lc, seeded by the kernel.
#[derive(Debug)]
pub(super) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        if aws_lc_rs::rand::fill(buffer).is_err() {
            // Better no server than one whose keys can be guessed.
            std::process::abort();
        }
    }
}
