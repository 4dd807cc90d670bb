//! `janitor`: removes what has expired, for those who call Hydra's by a timer. A running server
//! does the same by itself.

use std::time::SystemTime;

use carnet_authserver::store::{self, Ended, Perishable, Store, Sweep};

use crate::args::Janitor;
use crate::commands::migrate::sql;
use crate::output::{self, Failure};
use crate::process::Process;

/// Removes, and tells of each kind that it is done, in Hydra's words.
pub(super) async fn run(args: Janitor, process: &Process) -> Result<(), Failure> {
    let how = how(&args, process)?;
    let store = store::open(&sql::dsn(&args.database, process)?)
        .await
        .map_err(failed)?;
    let done = |what: &str| {
        let line = format!("Successfully completed Janitor run on {what}\n");
        output::print(process, &line);
    };
    if args.tokens {
        let people = [Perishable::Code, Perishable::RefreshToken].map(Ended::People);
        clean(&*store, &[Ended::Tokens, Ended::Revocations], how).await?;
        clean(&*store, &people, how).await?;
        done("access tokens");
        done("refresh tokens");
    }
    if args.requests {
        let people = [
            Perishable::Consent,
            Perishable::LoginSession,
            Perishable::Device,
        ]
        .map(Ended::People);
        clean(&*store, &people, how).await?;
        done("login-consent requests");
    }
    if args.grants {
        clean(&*store, &[Ended::Jtis], how).await?;
        done("grants");
    }
    Ok(())
}

async fn clean(store: &dyn Store, kinds: &[Ended], how: Sweep) -> Result<(), Failure> {
    for &kind in kinds {
        store::sweep(store, kind, how).await.map_err(failed)?;
    }
    Ok(())
}

fn how(args: &Janitor, process: &Process) -> Result<Sweep, Failure> {
    if !(args.tokens || args.requests || args.grants) {
        return Err(Failure::new(
            "janitor does not know what to remove: add --tokens, --requests or --grants",
        ));
    }
    let positive = |name: &str, number: i64| {
        u32::try_from(number)
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Failure::new(format!("--{name} must be greater than 0")))
    };
    let limit = positive("limit", args.limit)?;
    let batch = positive("batch-size", args.batch_size)?;
    if batch > limit {
        return Err(Failure::new(
            "--batch-size must not be greater than --limit",
        ));
    }
    let now = process.clock.now().duration_since(SystemTime::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
    let kept = args
        .keep_if_younger
        .map_or(0, |kept| kept.as_seconds().max(0));
    Ok(Sweep {
        before: now.saturating_sub(kept),
        batch,
        limit: limit.into(),
    })
}

fn failed(error: store::StoreError) -> Failure {
    Failure::new(error.to_string())
}
