//! The memory of proofs of possession that were used: it has what still counts, and what came since
//! expired rows were last looked for.

use std::io::Write as _;

use carnet_authserver::store::{expire, open};
use carnet_oauth::dpop::{AHEAD, PAST};

/// A server looks for expired rows so often, in seconds.
const PERIOD: i64 = 60;

/// The life of a proof.
const LIFE: i64 = PAST + AHEAD;

/// Uses so many proofs, so many a second of a clock that is handed in, as a server does that sweeps;
/// gives the most that were kept at a time.
async fn used(count: i64, a_second: i64) -> u64 {
    let store = open("memory").await.unwrap();
    let name = |n: i64| format!("{n:043}");
    let (mut kept, mut most) = (0, 0);
    for n in 0..count {
        let now = n / a_second;
        if n % (PERIOD * a_second) == 0 {
            kept -= expire(&*store, now, 500).await.unwrap().jtis;
        }
        assert!(store.use_jti(&name(n), now + LIFE).await.unwrap(), "{n}");
        kept += 1;
        most = most.max(kept);
        if n % 1_009 == 0 {
            let oldest = (n - (LIFE - 1) * a_second).max(0);
            for again in [n, n / 2 + oldest / 2, oldest] {
                assert!(
                    !store.use_jti(&name(again), now + LIFE).await.unwrap(),
                    "{again}"
                );
            }
        }
    }
    most
}

fn at_most(a_second: i64) -> u64 {
    u64::try_from((LIFE + 1 + PERIOD) * a_second).unwrap()
}

// Holds DP-03.
#[tokio::test]
async fn proofs_are_kept_while_they_count_and_taken_once() {
    // More than two sweeps, of which the second one finds some.
    let most = used(20_000, 100).await;
    assert!(most <= at_most(100), "{most}");
}

#[tokio::test]
#[ignore = "takes minutes; the long form of the test above, with figures"]
async fn of_a_million_proofs_those_of_two_minutes_are_kept() {
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let before = resident();
    let most = used(1_000_000, 1000).await;
    assert!(most <= at_most(1000), "{most}");
    let report = format!(
        "1,000,000 proofs: {most} kept at most, {} KiB of memory\n",
        resident() - before
    );
    std::io::stdout().write_all(report.as_bytes()).unwrap();
}
