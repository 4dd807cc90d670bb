//! What is counted about servers that give tokens, a series for each counter and server. No client
//! has a series: there may be any number of them.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;

use super::text::{counter, gauge};
use crate::token_source::{ProviderFigures, StoreFigures};

/// Name, description, and where it stands.
type Row = (&'static str, &'static str, fn(&ProviderFigures) -> u64);

const COUNTERS: [Row; 14] = [
    ("requests", "Requests that asked for a token", |f| {
        f.requests
    }),
    ("hits", "Requests that got a token from memory", |f| f.hits),
    ("joined", "Requests that waited for another's call", |f| {
        f.joined
    }),
    ("from_store", "Tokens that another gateway left", |f| {
        f.from_store
    }),
    (
        "refused_from_memory",
        "Requests refused as just before, without a call",
        |f| f.refused_from_memory,
    ),
    ("turned_away", "Requests that found too many waiting", |f| {
        f.turned_away
    }),
    ("calls", "Calls of the token endpoint", |f| f.calls),
    ("retries", "Of these, repeated ones", |f| f.retries),
    ("granted", "Exchanges that ended with a token", |f| {
        f.granted
    }),
    ("refreshes", "Exchanges ahead of a token's end", |f| {
        f.refreshes
    }),
    ("refused", "Exchanges that the server refused", |f| {
        f.refused
    }),
    ("failed", "Exchanges that failed otherwise", |f| f.failed),
    ("kept_back", "Calls kept from a server that is down", |f| {
        f.kept_back
    }),
    (
        "purged",
        "Tokens dropped because they were revoked or not taken",
        |f| f.purged,
    ),
];

const GAUGES: [Row; 2] = [
    ("waiting", "Requests that wait for a token", |f| f.waiting),
    ("down", "Whether calls are kept from the server", |f| {
        u64::from(f.is_kept_back)
    }),
];

pub(super) fn write(
    encoder: &mut DescriptorEncoder<'_>,
    providers: &[ProviderFigures],
) -> fmt::Result {
    let saved: Row = (
        "saved",
        "Calls that were not needed",
        ProviderFigures::saved,
    );
    for (name, help, value) in COUNTERS.into_iter().chain([saved]) {
        let name = format!("carnet_token_{name}_total");
        let mut series = counter(encoder, &name, help)?;
        for figures in providers {
            let labels = [("provider", figures.provider.as_str())];
            series
                .encode_family(&labels)?
                .encode_gauge(&value(figures))?;
        }
    }
    for (name, help, value) in GAUGES {
        let name = format!("carnet_token_{name}");
        let mut series = gauge(encoder, &name, help)?;
        for figures in providers {
            let labels = [("provider", figures.provider.as_str())];
            series
                .encode_family(&labels)?
                .encode_gauge(&value(figures))?;
        }
    }
    Ok(())
}

/// As [`Row`], of a store.
type StoreRow = (&'static str, &'static str, fn(&StoreFigures) -> u64);

const STORE_COUNTERS: [StoreRow; 2] = [
    ("commands", "Commands for a store of tokens", |f| f.commands),
    ("failures", "Commands and connections that failed", |f| {
        f.failures
    }),
];

pub(super) fn write_stores(
    encoder: &mut DescriptorEncoder<'_>,
    stores: &[StoreFigures],
) -> fmt::Result {
    for (name, help, value) in STORE_COUNTERS {
        let name = format!("carnet_token_store_{name}_total");
        let mut series = counter(encoder, &name, help)?;
        for figures in stores {
            let labels = [("store", figures.store.as_str())];
            series
                .encode_family(&labels)?
                .encode_gauge(&value(figures))?;
        }
    }
    let help = "Whether a store of tokens cannot be reached";
    let mut series = gauge(encoder, "carnet_token_store_down", help)?;
    for figures in stores {
        let labels = [("store", figures.store.as_str())];
        series
            .encode_family(&labels)?
            .encode_gauge(&u64::from(figures.is_down))?;
    }
    Ok(())
}
