//! What the server knows of a user.

use serde_json::{Map, Value as Json};
use sha1::Digest;

use super::Account;
use crate::kit::crypt::sha_crypt::{UNSAID_ROUNDS, Variant};
use crate::kit::digest::hex;
use crate::kit::{Failure, Result};
use crate::mysql::{Answer, Session, sql};

/// Limits: in statements, and in the table of users.
pub(crate) const LIMITS: [(&str, &str); 4] = [
    ("MAX_QUERIES_PER_HOUR", "max_questions"),
    ("MAX_UPDATES_PER_HOUR", "max_updates"),
    ("MAX_CONNECTIONS_PER_HOUR", "max_connections"),
    ("MAX_USER_CONNECTIONS", "max_user_connections"),
];

pub(super) struct Known {
    pub(super) plugin: Option<String>,
    /// What is kept of the password.
    pub(super) hash: Option<String>,
    pub(super) row: Answer,
}

/// From where users of that name are.
pub(super) fn hosts(name: &str, session: &mut Session) -> Result<Vec<String>> {
    let query = format!("SELECT Host FROM mysql.user WHERE User = {} ORDER BY Host", sql::text(name));
    Ok(session.query(&query).map_err(|error| Failure::new(error.to_string()))?.first_column())
}

impl Known {
    pub(super) fn read(account: &Account, session: &mut Session) -> Result<Self> {
        let query = format!(
            "SELECT * FROM mysql.user WHERE User = {} AND Host = {}",
            sql::text(&account.name),
            sql::text(&account.host)
        );
        let row = session.query(&query).map_err(|error| Failure::new(error.to_string()))?;
        let value = |name: &str| row.named(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            plugin: value("plugin"),
            hash: value("authentication_string").or_else(|| value("Password")),
            row,
        })
    }

    pub(super) fn limit(&self, name: &str) -> Option<u64> {
        let (_, column) = LIMITS.iter().find(|(limit, _)| *limit == name)?;
        self.row.named(column)?.parse().ok()
    }

    /// Whether the connection must be what is wanted of it.
    pub(super) fn requires(&self, wanted: &Map<String, Json>) -> Result<bool> {
        let column = |name: &str| self.row.named(name).unwrap_or_default().to_owned();
        let now = match column("ssl_type").as_str() {
            "" => " REQUIRE NONE".to_owned(),
            "ANY" => " REQUIRE SSL".to_owned(),
            "X509" => " REQUIRE X509".to_owned(),
            _ => {
                let parts =
                    [("CIPHER", "ssl_cipher"), ("ISSUER", "x509_issuer"), ("SUBJECT", "x509_subject")]
                        .into_iter()
                        .map(|(word, name)| (word.to_owned(), Json::from(column(name))))
                        .filter(|(_, value)| value != "");
                required(&parts.collect())?
            }
        };
        Ok(required(wanted)? == now)
    }
}

/// The part of a statement that says what a connection must be.
pub(super) fn required(wanted: &Map<String, Json>) -> Result<String> {
    let mut parts = Vec::new();
    for (name, value) in wanted {
        let name = name.to_uppercase();
        match (name.as_str(), value) {
            ("SSL" | "X509", _) => return Ok(format!(" REQUIRE {name}")),
            ("SUBJECT" | "ISSUER" | "CIPHER", Json::String(value)) => {
                parts.push(format!("{name} {}", sql::text(value)));
            }
            _ => return Err(Failure::new(format!("tls_requires: {name} is not known, or has no value"))),
        }
    }
    parts.sort();
    Ok(if parts.is_empty() {
        " REQUIRE NONE".to_owned()
    } else {
        format!(" REQUIRE {}", parts.join(" AND "))
    })
}

/// What `mysql_native_password` keeps of a password.
pub(super) fn hashed(password: &str) -> String {
    let twice = sha1::Sha1::digest(sha1::Sha1::digest(password));
    format!("*{}", hex(&twice).to_uppercase())
}

/// What `caching_sha2_password` and `sha256_password` keep of a password, with that salt.
pub(super) fn salted(password: &str, salt: &str) -> String {
    format!("$A$005${salt}{}", Variant::Sha256.digest(password, salt, UNSAID_ROUNDS))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn passwords_are_known_again() {
        assert_eq!(hashed("password"), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
        // What the real module sends of these.
        let hash = "$A$005$12345678901234567890hlFtcpzc2hwpIj.tGDKcgKS6eT8Spd4wk3iRpjsRhh8";
        assert_eq!(salted("secret", "12345678901234567890"), hash);
    }

    #[test]
    fn requirements_are_statements() {
        let said = |wanted: Json| required(wanted.as_object().unwrap()).map_err(|failure| failure.msg);
        assert_eq!(said(json!({})).unwrap(), " REQUIRE NONE");
        assert_eq!(said(json!({"SSL": null})).unwrap(), " REQUIRE SSL");
        assert_eq!(
            said(json!({"SUBJECT": "a", "CIPHER": "b"})).unwrap(),
            " REQUIRE CIPHER 'b' AND SUBJECT 'a'"
        );
        assert!(said(json!({"FOO": "a"})).unwrap_err().contains("FOO"));
    }
}
