use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::kit::{Failure, Result, System};
use crate::postgresql::{Changes, Login, Session, sql};

/// Sets a parameter of a PostgreSQL server, by `ALTER SYSTEM`.
///
/// # Examples
///
/// ```yaml
/// - name: A gigabyte of memory for sorting
///   postgresql_set: {name: work_mem, value: 1GB}
///
/// - name: As it was before
///   postgresql_set: {name: work_mem, reset: yes}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["value", "reset"]]))]
pub struct Args {
    /// The parameter.
    pub name: String,
    /// Its value, also with a unit; `default` takes it out of the server's file.
    pub value: Option<String>,
    /// Sets it to what the server starts with.
    #[serde(default)]
    pub reset: bool,
    /// The database to connect to.
    #[schemars(extend("aliases" = ["db"]))]
    pub login_db: Option<String>,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    prev_val_pretty: String,
    value_pretty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json>,
    context: String,
    restart_required: bool,
    queries: Vec<String>,
}

/// What the server tells of a parameter.
struct Parameter {
    setting: String,
    unit: Option<String>,
    context: String,
    boot: Option<String>,
    /// As `SHOW` has it.
    pretty: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    args.login.check_input(&[args.name.as_str(), args.value.as_deref().unwrap_or_default()])?;
    let mut session = args.login.open(args.login.database(args.login_db.as_deref()), sys)?;
    if session.version() < 90_400 {
        return Err(Failure::new("PostgreSQL is older than 9.4: it has no ALTER SYSTEM"));
    }
    let now = Parameter::read(&args.name, &mut session)?;
    let mut returns = Returns {
        name: args.name.clone(),
        prev_val_pretty: now.pretty.clone(),
        value_pretty: now.pretty.clone(),
        value: now.bytes(),
        context: now.context.clone(),
        restart_required: false,
        queries: Vec::new(),
    };
    if now.context == "internal" {
        return Err(Failure::new(format!(
            "{}: cannot be changed (internal context). See https://www.postgresql.org/docs/current/runtime-config-preset.html",
            args.name
        )));
    }
    let wanted = match (&args.value, args.reset) {
        (Some(value), _) => value.clone(),
        (None, true) => now.boot.clone().unwrap_or_default(),
        (None, false) => {
            let msg = format!("{}: at least one of value or reset param must be specified", args.name);
            return Err(Failure::new(msg));
        }
    };
    let is_default = args.value.as_ref().is_some_and(|value| value.eq_ignore_ascii_case("default"));
    // What is taken back to its default is no longer in the file that ALTER SYSTEM writes.
    let is_so = if is_default || args.value.is_none() {
        !is_set(&args.name, &mut session)?
    } else {
        now.is(&args.name, &wanted)
    };
    if is_so {
        return Ok(returns);
    }
    let mut changes = Changes::of(&mut session);
    let name = &args.name;
    if is_default {
        changes.run(&format!("ALTER SYSTEM SET {name} = DEFAULT"), sys)?;
    } else if args.reset {
        changes.run(&format!("ALTER SYSTEM RESET {name}"), sys)?;
    } else {
        changes.run(&format!("ALTER SYSTEM SET {name} = {}", written(&args.name, &wanted)), sys)?;
    }
    returns.queries = changes.statements;
    returns.restart_required = now.context == "postmaster";
    if !returns.restart_required && !sys.is_check() {
        session.query("SELECT pg_catalog.pg_reload_conf()")?;
        // The server reads its file when it comes to it.
        session.query("SELECT pg_catalog.pg_sleep(0.1)")?;
    }
    if sys.is_check() || returns.restart_required {
        returns.value_pretty = wanted;
    } else {
        let after = Parameter::read(&args.name, &mut session)?;
        returns.value = after.bytes();
        returns.value_pretty = after.pretty;
    }
    Ok(returns)
}

/// Whether `ALTER SYSTEM` has set the parameter; of old servers nobody knows.
fn is_set(name: &str, session: &mut Session) -> Result<bool> {
    if session.version() < 90_500 {
        return Ok(true);
    }
    let answer = session.query(&format!(
        "SELECT count(*) FROM pg_catalog.pg_file_settings WHERE name = {} AND sourcefile LIKE '%postgresql.auto.conf'",
        sql::text(name)
    ))?;
    Ok(answer.value() != Some("0"))
}

/// Parameters that are lists of names.
const LISTS: [&str; 8] = [
    "shared_preload_libraries",
    "session_preload_libraries",
    "local_preload_libraries",
    "search_path",
    "log_destination",
    "temp_tablespaces",
    "synchronous_standby_names",
    "unix_socket_directories",
];

/// Lists of names keep their commas.
fn written(name: &str, value: &str) -> String {
    if LISTS.contains(&name) && value.contains(',') {
        return names(value).map(sql::text).collect::<Vec<_>>().join(", ");
    }
    sql::text(value)
}

/// The names of a list: quotes are none of them.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|name| name.trim().trim_matches('"'))
}

impl Parameter {
    fn read(name: &str, session: &mut Session) -> Result<Self> {
        let answer = session.query(&format!(
            "SELECT setting, unit, context, boot_val, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings \
             WHERE name = {}",
            sql::text(name)
        ))?;
        let Some(row) = answer.rows.into_iter().next() else {
            return Err(Failure::new(format!(
                "No such parameter: {name}. Please check its spelling or presence in your PostgreSQL version \
                 (https://www.postgresql.org/docs/current/runtime-config.html)"
            )));
        };
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        Ok(Self {
            setting: next().unwrap_or_default(),
            unit: next(),
            context: next().unwrap_or_default(),
            boot: next(),
            pretty: next().unwrap_or_default(),
        })
    }

    /// A size, in bytes.
    fn bytes(&self) -> Option<Json> {
        let unit = self.unit.as_deref().filter(|unit| unit.ends_with('B'))?;
        let bytes = scaled(&self.setting, Some(unit))?;
        Some(json!({"value": bytes, "unit": "b"}))
    }

    /// Whether a value, with a unit or not, is the one that is there.
    fn is(&self, name: &str, wanted: &str) -> bool {
        let flag = |text: &str| match text.to_lowercase().as_str() {
            "on" | "true" | "yes" | "1" | "t" | "y" => Some(true),
            "off" | "false" | "no" | "0" | "f" | "n" => Some(false),
            _ => None,
        };
        let is_flag = ["on", "off"].contains(&self.setting.as_str());
        let number = |text: &str| scaled(text, self.unit.as_deref());
        wanted == self.setting
            || wanted == self.pretty
            || (is_flag && flag(wanted) == flag(&self.setting))
            || (LISTS.contains(&name) && names(wanted).eq(names(&self.setting)))
            || number(wanted).is_some_and(|wanted| Some(wanted) == number(&self.setting))
    }
}

/// A size in bytes, or a time in microseconds; a number without a unit has the parameter's.
fn scaled(text: &str, unit: Option<&str>) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, own) = text.split_at_checked(digits)?;
    let written = if own.trim().is_empty() { unit.unwrap_or_default() } else { own.trim() };
    let (factor, written) = match written.find(|c: char| !c.is_ascii_digit()) {
        Some(at) if at > 0 => (written.get(..at)?.parse().ok()?, written.get(at..)?),
        _ => (1, written),
    };
    let one = match written {
        "" | "B" | "us" => 1,
        "kB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        "ms" => 1000,
        "s" => 1_000_000,
        "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(one)?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_same_in_other_units() {
        let parameter = |setting: &str, unit: Option<&str>, pretty: &str| Parameter {
            setting: setting.to_owned(),
            unit: unit.map(str::to_owned),
            context: String::new(),
            boot: None,
            pretty: pretty.to_owned(),
        };
        let memory = parameter("4096", Some("kB"), "4MB");
        let is = |parameter: &Parameter, wanted: &str| parameter.is("x", wanted);
        assert!(is(&memory, "4MB") && is(&memory, "4096") && is(&memory, "4096kB") && !is(&memory, "8MB"));
        let buffers = parameter("16384", Some("8kB"), "128MB");
        assert!(is(&buffers, "128MB") && is(&buffers, "16384") && !is(&buffers, "16383"));
        let flag = parameter("on", None, "on");
        assert!(
            is(&flag, "true") && is(&flag, "on") && is(&flag, "1") && !is(&flag, "off") && !is(&flag, "x")
        );
        assert!(!is(&parameter("1", None, "1"), "on"));
        assert!(is(&parameter("300", Some("s"), "5min"), "5min"));
        let path = parameter("\"$user\", public", None, "\"$user\", public");
        assert!(path.is("search_path", "$user,public") && !path.is("search_path", "public, $user"));
        assert!(!path.is("application_name", "$user,public"));
    }
}
