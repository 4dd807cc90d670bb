//! `hrw`: rendezvous hashing. Every member has a score for every client, and the highest wins: a
//! client stays with its member while that one lives, and only a lost member's clients move.
//! Scores are Traefik's, so that both send a client to the same server.

/// Members by the client's address.
#[derive(Debug)]
pub(in crate::service) struct Hrw {
    members: Vec<(Box<str>, f64)>,
}

impl Hrw {
    /// A hash over members with these names and weights.
    pub(in crate::service) fn new<'a>(members: impl Iterator<Item = (&'a str, u32)>) -> Self {
        Self {
            members: members
                .map(|(name, weight)| (name.into(), f64::from(weight)))
                .collect(),
        }
    }

    /// The eligible member with the client's highest score.
    pub(in crate::service) fn pick(
        &self,
        client: &[u8],
        is_eligible: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let prefix = fnv1a(FNV_OFFSET, client);
        let mut best = None;
        for (index, (name, weight)) in self.members.iter().enumerate() {
            let score = score(fnv1a(prefix, name.as_bytes())) * weight;
            let is_better = best.is_none_or(|(_, highest)| score > highest);
            if *weight > 0.0 && is_better && is_eligible(index) {
                best = Some((index, score));
            }
        }
        best.map(|(index, _)| index)
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a, 64 bits, going on from a state.
fn fnv1a(state: u64, bytes: &[u8]) -> u64 {
    let step = |state: u64, byte: &u8| (state ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
    bytes.iter().fold(state, step)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the highest bits decide, as in Traefik"
)]
fn score(hash: u64) -> f64 {
    let share = hash as f64 / 2_f64.powi(64);
    1.0 / -share.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, u32); 3] = [
        ("http://10.0.0.1:80", 1),
        ("http://10.0.0.2:80", 1),
        ("http://10.0.0.3:80", 2),
    ];

    fn picks(is_eligible: impl Fn(usize) -> bool) -> Vec<usize> {
        let hash = Hrw::new(NAMES.into_iter());
        let clients = (0..1000).map(|i| format!("192.0.{}.{}", i / 250, i % 250));
        clients
            .filter_map(|client| hash.pick(client.as_bytes(), &is_eligible))
            .collect()
    }

    #[test]
    fn clients_spread_by_weight() {
        let picked = picks(|_| true);
        let count = |wanted| picked.iter().filter(|member| **member == wanted).count();
        assert!((150..=350).contains(&count(0)), "{}", count(0));
        assert!((150..=350).contains(&count(1)), "{}", count(1));
        assert!((400..=600).contains(&count(2)), "{}", count(2));
    }

    #[test]
    fn only_the_clients_of_a_lost_member_move() {
        let (all, less) = (picks(|_| true), picks(|member| member != 1));
        let moved = all
            .iter()
            .zip(&less)
            .filter(|(before, after)| before != after);
        let lost = all.iter().filter(|member| **member == 1).count();
        assert_eq!(moved.count(), lost);
        assert!(picks(|_| false).is_empty());
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a(FNV_OFFSET, b"foobar"), 0x8594_4171_f739_67e8);
    }
}
