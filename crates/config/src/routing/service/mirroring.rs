//! `mirroring`: one service, and others that get copies of its requests.

use super::weighted::is_health_checked;
use crate::document::Fields;

/// `mirroring`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirroring {
    /// Name of the service that answers.
    pub service: String,
    /// Copies have bodies. Default true.
    pub mirror_body: bool,
    /// Requests with a larger body are not copied. `None` is -1: no limit but the gateway's own.
    /// Default none.
    pub max_body_size: Option<u64>,
    /// Who gets copies.
    pub mirrors: Vec<Mirror>,
    /// `healthCheck: {}`: a service that this one is part of hears when `service` is down. Default
    /// false.
    pub health_check: bool,
}

/// `mirroring.mirrors[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Name of the service.
    pub name: String,
    /// So many of a hundred requests are copied. Default 0.
    pub percent: u64,
    /// Copies have the credentials of the request, too. Default false. Ours.
    pub credentials: bool,
}

impl Mirroring {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let service = fields.required_text("service");
        let mirrors = fields.maps("mirrors", |mirror| {
            let name = mirror.required_text("name");
            Mirror::read(mirror, name)
        });
        let mirrors = mirrors.into_iter().collect::<Option<Vec<_>>>();
        let health_check = is_health_checked(fields);
        let options = Self::read_options(fields);
        Some(Self {
            service: service?,
            mirrors: mirrors?,
            health_check,
            ..options
        })
    }

    /// Reads what files and Kubernetes objects have in common, without any service.
    pub fn read_options(fields: &mut Fields<'_>) -> Self {
        let limit = fields.integer("maxBodySize");
        Self {
            service: String::new(),
            mirror_body: fields.boolean("mirrorBody").unwrap_or(true),
            // Below zero means none, as in Traefik.
            max_body_size: limit.and_then(|limit| limit.try_into().ok()),
            mirrors: Vec::new(),
            health_check: false,
        }
    }
}

impl Mirror {
    /// Reads the options of a mirror whose name is known; `None` without one.
    pub fn read(fields: &mut Fields<'_>, name: Option<String>) -> Option<Self> {
        let percent = fields.number("percent").unwrap_or(0);
        if percent > 100 {
            fields.error("percent", "expects a number from 0 to 100");
        }
        Some(Self {
            percent,
            credentials: fields.boolean("credentials").unwrap_or(false),
            name: name?,
        })
    }
}
