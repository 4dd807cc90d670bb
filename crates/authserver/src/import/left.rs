//! What Hydra's other tables are about, for those who leave them behind.

/// Rows of taken tables that are not taken.
pub(super) const OTHER_NETWORK: &str = "rows of another network; Hydra did not serve them either";

/// Tables about the database itself.
pub(super) fn is_bookkeeping(table: &str) -> bool {
    matches!(
        table,
        "networks" | "schema_migration" | "schema_migration_lock"
    ) || !table.starts_with("hydra_")
}

/// What is in a table, and what follows from its absence.
pub(super) fn meaning(table: &str) -> &'static str {
    match table {
        "hydra_oauth2_refresh" => "refresh tokens; their people log in again",
        "hydra_oauth2_code" | "hydra_oauth2_oidc" | "hydra_oauth2_pkce" => {
            "logins that are under way; they are begun again"
        }
        "hydra_oauth2_flow" => "logins and consents; people are asked again",
        "hydra_oauth2_authentication_session" => "remembered logins; people log in again",
        "hydra_oauth2_obfuscated_authentication_session" => {
            "pairwise subjects; with the same salt they are made again, but for those that were forced"
        }
        "hydra_oauth2_logout_request" => "logouts that are under way",
        "hydra_oauth2_device_auth_codes" => "devices that are being connected",
        "hydra_oauth2_jti_blacklist" => {
            "assertions that were used; the same one could be used once more until it expires"
        }
        _ => "not known to this program",
    }
}
