use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Failure, Result, System};
use crate::mysql::{Login, Session, is_mariadb, sql};

/// Sets a variable of a MySQL or MariaDB server, or tells it.
///
/// # Examples
///
/// ```yaml
/// - name: Nobody writes
///   mysql_variables: {variable: read_only, value: "1"}
///
/// - name: How many may come
///   mysql_variables: {variable: max_connections}
///   register: limit
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The variable.
    pub variable: String,
    /// Its value; without one it is told.
    pub value: Option<String>,
    /// Where it is set: `persist` also for the server's next start, `persist_only` for that alone.
    #[serde(default)]
    pub mode: Mode,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Global,
    Persist,
    PersistOnly,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Global => "GLOBAL",
            Self::Persist => "PERSIST",
            Self::PersistOnly => "PERSIST_ONLY",
        }
    }
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if !args.variable.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c)) {
        return Err(Failure::new(format!("invalid variable name \"{}\"", args.variable)));
    }
    let mut session = args.login.open(None, sys)?;
    let found = session
        .query(&format!("SHOW GLOBAL VARIABLES WHERE Variable_name = {}", sql::text(&args.variable)))
        .map_err(|error| Failure::new(error.to_string()))?;
    let now = found.rows.first().and_then(|row| row.get(1)).cloned().flatten();
    let Some(now) = now else {
        return Err(Failure::new(format!("Variable not available \"{}\"", args.variable)));
    };
    let mut returns = Map::new();
    let Some(wanted) = &args.value else {
        returns.insert("msg".to_owned(), now.into());
        return Ok(returns);
    };
    // What the next start will set, and, but for `persist_only`, what is set now.
    let persisted = match args.mode {
        Mode::Global => None,
        _ => Some(persisted(&args.variable, &mut session)?),
    };
    let is_now = args.mode == Mode::PersistOnly || is_same(&now, wanted);
    if is_now && persisted.is_none_or(|kept| kept.is_some_and(|kept| is_same(&kept, wanted))) {
        returns.insert("msg".to_owned(), "Variable is already set to requested value.".into());
        return Ok(returns);
    }
    let plain = wanted.parse::<f64>().is_ok() || flag(wanted).is_some();
    let value = if plain { wanted.clone() } else { sql::text(wanted) };
    let query = format!("SET {} {} = {value}", args.mode.word(), sql::identifier(&args.variable));
    if !sys.is_check() {
        session.query(&query).map_err(|error| Failure::new(error.to_string()))?;
    }
    sys.count_as_change(query.clone());
    returns.insert("msg".to_owned(), format!("Variable change succeeded prev_value={now}").into());
    returns.insert("queries".to_owned(), vec![query].into());
    Ok(returns)
}

/// What the server sets at its next start. MariaDB keeps no such things, and refuses to.
fn persisted(variable: &str, session: &mut Session) -> Result<Option<String>> {
    if is_mariadb(session) {
        return Ok(None);
    }
    let name = sql::text(variable);
    let query = format!(
        "SELECT VARIABLE_VALUE FROM performance_schema.persisted_variables WHERE VARIABLE_NAME = {name}"
    );
    let found = session.query(&query).map_err(|error| Failure::new(error.to_string()))?;
    Ok(found.first_column().into_iter().next())
}

fn flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}

fn is_same(now: &str, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let set = |text: &str| {
        flag(text).or(match text {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        })
    };
    now == wanted
        || (flag(now).is_some() && set(wanted) == flag(now))
        || number(now).is_some_and(|now| Some(now) == number(wanted))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn values_are_the_same_in_other_words() {
        for (now, wanted, same) in [
            ("ON", "1", true),
            ("OFF", "off", true),
            ("ON", "0", false),
            ("151", "151", true),
            ("10.000000", "10", true),
            ("utf8", "utf8mb4", false),
            ("1", "ON", false),
        ] {
            assert_eq!(is_same(now, wanted), same, "{now} {wanted}");
        }
    }
}
