//! Codes and refresh tokens become tokens, once.

use crate::store::sql::{Change, Engine, Row, Sql, revocations, tokens};
use crate::store::{
    Exchange, Grace, Redemption, RefreshTokenRow, Result, Reuse, Revocation, Revoked, TokenRow,
};

/// The refresh token of a digest.
pub(super) const FIND_REFRESH: &str =
    "SELECT digest, consent_id, issued_at, used_at, uses, expires_at, confirmation
     FROM refresh_token WHERE digest = $1";

/// Uses a code. One that was used before ends what it gave in the same change that notices it.
pub(super) async fn redeem_code<E: Engine>(
    store: &Sql<E>,
    digest: &str,
    exchange: &Exchange,
    again: Reuse,
) -> Result<Redemption> {
    let mut change = store.begin().await?;
    let sql = "SELECT consent_id, used_at FROM code WHERE digest = $1";
    let map = |row: &Row<'_, E>| Ok((row.text("consent_id")?, row.number("used_at")?));
    let code = change.first(sql, &[digest.into()], map).await?;
    let Some((consent_id, used_at)) = code else {
        return gone(change).await;
    };
    if used_at != 0 {
        return match again {
            Reuse::EndsConsent => used(change, &consent_id, exchange.now).await,
            Reuse::ChangesNothing => {
                change.rollback().await?;
                Ok(Redemption::Used)
            }
        };
    }
    if !is_open(&mut change, &consent_id).await? {
        return gone(change).await;
    }
    let sql = "UPDATE code SET used_at = $2 WHERE digest = $1";
    let values = [digest.into(), exchange.now.into()];
    change.write(sql, &values).await?;
    done(change, &consent_id, exchange).await
}

/// Uses a refresh token. Within its grace a used one works again and takes nothing back.
pub(super) async fn redeem_refresh_token<E: Engine>(
    store: &Sql<E>,
    digest: &str,
    exchange: &Exchange,
    grace: Grace,
) -> Result<Redemption> {
    let mut change = store.begin().await?;
    let found = change
        .first(FIND_REFRESH, &[digest.into()], refresh)
        .await?;
    let Some(row) = found else {
        return gone(change).await;
    };
    if row.used_at != 0 && !is_in_grace(&row, exchange.now, grace) {
        return used(change, &row.consent_id, exchange.now).await;
    }
    if !is_open(&mut change, &row.consent_id).await? {
        return gone(change).await;
    }
    if row.used_at == 0 {
        delete_access_tokens(&mut change, &row.consent_id).await?;
    }
    let sql = "UPDATE refresh_token SET uses = uses + 1,
         used_at = CASE WHEN used_at = 0 THEN $2 ELSE used_at END WHERE digest = $1";
    let values = [digest.into(), exchange.now.into()];
    change.write(sql, &values).await?;
    done(change, &row.consent_id, exchange).await
}

fn is_in_grace(row: &RefreshTokenRow, now: i64, grace: Grace) -> bool {
    // The first use is not one of the grace.
    let is_early = now < row.used_at.saturating_add(grace.period);
    is_early && (grace.uses == 0 || row.uses <= grace.uses)
}

/// Whether tokens of a consent count.
async fn is_open<E: Engine>(change: &mut Change<'_, E>, consent_id: &str) -> Result<bool> {
    let sql = "SELECT ended_at FROM consent WHERE id = $1";
    let map = |row: &Row<'_, E>| row.number("ended_at");
    let ended_at = change.first(sql, &[consent_id.into()], map).await?;
    Ok(ended_at == Some(0))
}

async fn gone<E: Engine>(change: Change<'_, E>) -> Result<Redemption> {
    change.rollback().await?;
    Ok(Redemption::Gone)
}

/// Somebody has what another one used: nobody can tell who is who.
async fn used<E: Engine>(
    mut change: Change<'_, E>,
    consent_id: &str,
    now: i64,
) -> Result<Redemption> {
    end(&mut change, consent_id, now).await?;
    change.commit().await?;
    Ok(Redemption::Used)
}

/// Adds the tokens, and lets their consent live as long as they do, and say what it says now.
async fn done<E: Engine>(
    mut change: Change<'_, E>,
    consent_id: &str,
    exchange: &Exchange,
) -> Result<Redemption> {
    let access = &exchange.access;
    let columns = tokens::Columns::of(access);
    change
        .write(tokens::INSERT, &columns.values(access))
        .await?;
    let mut until = access.expires_at;
    if let Some(row) = &exchange.refresh {
        insert_refresh(&mut change, row).await?;
        until = until.max(row.expires_at);
    }
    if let Some(document) = &exchange.document {
        let sql = "UPDATE consent SET document = $2 WHERE id = $1";
        let document = tokens::object(document);
        change
            .write(sql, &[consent_id.into(), (&document).into()])
            .await?;
    }
    let sql = "UPDATE consent SET expires_at = $2 WHERE id = $1 AND expires_at < $2";
    change
        .write(sql, &[consent_id.into(), until.into()])
        .await?;
    change.commit().await?;
    Ok(Redemption::Done)
}

async fn insert_refresh<E: Engine>(
    change: &mut Change<'_, E>,
    row: &RefreshTokenRow,
) -> Result<()> {
    let sql = "INSERT INTO refresh_token
         (digest, consent_id, issued_at, used_at, uses, expires_at, confirmation)
         VALUES ($1, $2, $3, 0, 0, $4, $5)";
    let confirmation = tokens::confirmed(&row.confirmation);
    let values = [
        (&row.digest).into(),
        (&row.consent_id).into(),
        row.issued_at.into(),
        row.expires_at.into(),
        (&confirmation).into(),
    ];
    change.write(sql, &values).await.map(drop)
}

/// Ends all tokens of a consent as a part of a change.
pub(super) async fn end<E: Engine>(
    change: &mut Change<'_, E>,
    consent_id: &str,
    now: i64,
) -> Result<()> {
    let sql = "UPDATE consent SET ended_at = $2 WHERE id = $1 AND ended_at = 0";
    change.write(sql, &[consent_id.into(), now.into()]).await?;
    // Signed ones are revoked by their names, for those who verify them by themselves.
    let rows = change
        .read(tokens::OF_CONSENT, &[consent_id.into()], tokens::token)
        .await?;
    let signed = rows.into_iter().filter_map(|row| signed(row, now));
    for revocation in signed {
        revocations::record(change, &revocation).await?;
    }
    delete_access_tokens(change, consent_id).await?;
    let sql = "DELETE FROM refresh_token WHERE consent_id = $1";
    change.write(sql, &[consent_id.into()]).await.map(drop)
}

/// What has no row is not active here any more.
async fn delete_access_tokens<E: Engine>(
    change: &mut Change<'_, E>,
    consent_id: &str,
) -> Result<()> {
    let sql = "DELETE FROM token WHERE consent_id = $1";
    change.write(sql, &[consent_id.into()]).await.map(drop)
}

/// The revocation of a signed token that would still count.
fn signed(row: TokenRow, now: i64) -> Option<Revocation> {
    let jti = row.holder.jti;
    (!jti.is_empty() && now <= row.expires_at).then_some(Revocation {
        revoked: Revoked::Token {
            jti,
            client_id: row.client_id,
        },
        not_before: row.issued_at,
        expires_at: row.expires_at,
    })
}

/// A refresh token as it was read.
pub(super) fn refresh<E: Engine>(row: &Row<'_, E>) -> Result<RefreshTokenRow> {
    let digest = row.text("digest")?;
    Ok(RefreshTokenRow {
        confirmation: tokens::confirmation(row, "refresh_token", &digest)?,
        digest,
        consent_id: row.text("consent_id")?,
        issued_at: row.number("issued_at")?,
        used_at: row.number("used_at")?,
        uses: row.number("uses")?,
        expires_at: row.number("expires_at")?,
    })
}
