//! What a server keeps of a user besides who it is and what it may: whether it is locked, when its password ends, its
//! attributes.

use serde_json::{Map, Value as Json};

use super::known::Known;
use super::{Account, Args, Expire, Returns, change};
use crate::kit::{Failure, Result, System};
use crate::mysql::{Session, is_mariadb, sql};

/// A user's lock, and when its password ends.
pub(super) struct Rules {
    pub(super) locked: bool,
    expired: bool,
    /// In days; `None` is as the server's own variable says, 0 is never.
    lifetime: Option<u64>,
}

impl Rules {
    pub(super) fn read(account: &Account, known: &Known, session: &mut Session) -> Result<Self> {
        let expired = known.row.named("password_expired") == Some("Y");
        if !is_mariadb(session) {
            return Ok(Self {
                locked: known.row.named("account_locked") == Some("Y"),
                expired,
                lifetime: known.row.named("password_lifetime").and_then(|days| days.parse().ok()),
            });
        }
        // Its table of users tells neither of the others.
        let query = format!(
            "SELECT JSON_EXTRACT(Priv, '$.account_locked') AS locked, \
             JSON_EXTRACT(Priv, '$.password_lifetime') AS lifetime \
             FROM mysql.global_priv WHERE User = {} AND Host = {}",
            sql::text(&account.name),
            sql::text(&account.host)
        );
        let row = session.query(&query).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self {
            locked: matches!(row.named("locked"), Some("true" | "1")),
            expired,
            // -1 is the server's own.
            lifetime: row.named("lifetime").and_then(|days| days.parse().ok()),
        })
    }
}

/// The part of a statement about when the password ends. `None` where it is as it is wanted.
pub(super) fn expires(args: &Args, now: Option<&Rules>) -> Option<String> {
    let days = args.password_expire_interval.unwrap_or_default();
    let (part, is_so) = match args.password_expire? {
        Expire::Now => (String::new(), now.is_some_and(|now| now.expired)),
        Expire::Never => (" NEVER".to_owned(), now.is_some_and(|now| now.lifetime == Some(0))),
        Expire::Default => (" DEFAULT".to_owned(), now.is_some_and(|now| now.lifetime.is_none())),
        Expire::Interval => {
            (format!(" INTERVAL {days} DAY"), now.is_some_and(|now| now.lifetime == Some(days)))
        }
    };
    (!is_so).then(|| format!(" PASSWORD EXPIRE{part}"))
}

/// Attributes that are asked for, on a server that keeps some.
pub(super) struct Attributes<'a>(&'a Map<String, Json>);

impl<'a> Attributes<'a> {
    /// `None` where none are asked for.
    pub(super) fn of(args: &'a Args, session: &mut Session) -> Result<Option<Self>> {
        let Some(wanted) = args.attributes.as_ref() else { return Ok(None) };
        if wanted.is_empty() {
            return Ok(None);
        }
        if is_mariadb(session)
            || session.query("SELECT attribute FROM INFORMATION_SCHEMA.USER_ATTRIBUTES LIMIT 0").is_err()
        {
            let msg = "user attributes were specified but the server does not support user attributes";
            return Err(Failure::new(msg));
        }
        Ok(Some(Self(wanted)))
    }

    /// Gives them to a new user; tells them.
    pub(super) fn create(
        &self,
        account: &Account,
        session: &mut Session,
        sys: &mut System<'_>,
    ) -> Result<Json> {
        set(account, self.0, session, sys)?;
        if sys.is_check() { Ok(Json::from(self.0.clone())) } else { attributes(account, session) }
    }

    /// Sees to it that a user has them; others stay.
    pub(super) fn ensure(
        &self,
        account: &Account,
        returns: &mut Returns,
        session: &mut Session,
        sys: &mut System<'_>,
    ) -> Result<()> {
        let now = attributes(account, session)?;
        let kept = now.as_object().cloned().unwrap_or_default();
        // What is not there need not go.
        let differs = |(key, value): &(&String, &Json)| kept.get(*key).unwrap_or(&Json::Null) != *value;
        let others: Map<String, Json> =
            self.0.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect();
        if others.is_empty() {
            returns.attributes = now;
            return Ok(());
        }
        set(account, &others, session, sys)?;
        let said: Vec<String> =
            others.iter().map(|(key, value)| format!("{key}: {}", shown(value))).collect();
        returns.msg = format!("Attributes updated: {}", said.join(", "));
        let mut after = kept;
        after.extend(others);
        after.retain(|_, value| !value.is_null());
        returns.attributes = if sys.is_check() {
            if after.is_empty() { Json::Null } else { after.into() }
        } else {
            attributes(account, session)?
        };
        Ok(())
    }
}

fn set(
    account: &Account,
    attributes: &Map<String, Json>,
    session: &mut Session,
    sys: &mut System<'_>,
) -> Result<()> {
    let attributes = Json::from(attributes.clone()).to_string();
    let statement = format!("ALTER USER {} ATTRIBUTE {}", account.sql(), sql::text(&attributes));
    change(session, &statement, &statement, sys)
}

/// What MySQL keeps of a user; null where it keeps nothing, or does not know how.
pub(super) fn attributes(account: &Account, session: &mut Session) -> Result<Json> {
    let query = format!(
        "SELECT attribute FROM INFORMATION_SCHEMA.USER_ATTRIBUTES WHERE user = {} AND host = {}",
        sql::text(&account.name),
        sql::text(&account.host)
    );
    // Servers before 8.0 have no such table.
    let Ok(answer) = session.query(&query) else { return Ok(Json::Object(Map::new())) };
    let told = answer.named("ATTRIBUTE").or_else(|| answer.named("attribute"));
    let Some(told) = told.filter(|told| !told.is_empty()) else { return Ok(Json::Null) };
    serde_json::from_str(told)
        .map_err(|error| Failure::new(format!("attributes of {} are no JSON: {error}", account.sql())))
}

/// A value as Python writes it into a message.
fn shown(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
