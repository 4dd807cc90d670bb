//! Asks every server that has a question, each in its own interval, while it is served.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use carnet_oauth::Random;
use tokio::task::{AbortHandle, JoinSet};

use crate::service::Member;
use crate::snapshot::SnapshotHandle;

/// Goes round for ever. Whoever is in the next snapshot too is asked on as if nothing had happened;
/// whoever is not is asked no more.
pub(crate) async fn rounds(snapshots: &SnapshotHandle, random: &Arc<dyn Random>) {
    let mut tasks = JoinSet::new();
    // By the address of the member, which its task keeps alive.
    let mut asked: BTreeMap<usize, AbortHandle> = BTreeMap::new();
    loop {
        let snapshot = snapshots.load();
        let members = snapshot.members().filter(|member| member.is_asked());
        let members: BTreeMap<usize, &Arc<Member>> =
            members.map(|m| (Arc::as_ptr(m).addr(), m)).collect();
        asked.retain(|address, task| {
            let stays = members.contains_key(address);
            if !stays {
                task.abort();
            }
            stays
        });
        for (address, member) in members {
            asked
                .entry(address)
                .or_insert_with(|| tasks.spawn(visit(Arc::clone(member), Arc::clone(random))));
        }
        drop(snapshot);
        while tasks.try_join_next().is_some() {}
        snapshots.changed().await;
    }
}

/// Asks one server in intervals, the first time after one of them.
async fn visit(member: Arc<Member>, random: Arc<dyn Random>) {
    while let Some(question) = member.question() {
        let interval = question.interval(member.is_up());
        tokio::time::sleep(jittered(interval, random.as_ref())).await;
        let outcome = question.ask().await;
        member.answered(outcome);
    }
}

/// A tenth more or less, so that servers are not all asked at once.
fn jittered(interval: Duration, random: &dyn Random) -> Duration {
    let mut byte = [0];
    random.fill(&mut byte);
    interval.mul_f64(0.9 + 0.2 * f64::from(byte[0]) / 255.0)
}
