mod dump;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Failure, FilePath, Result, System};
use crate::postgresql::{Changes, Login, Session, sql};

/// Ensures that a PostgreSQL server has a database, or has it not; dumps and restores it.
///
/// # Examples
///
/// ```yaml
/// - name: A database
///   postgresql_db: {name: acme}
///
/// - name: With an encoding of its own
///   postgresql_db:
///     name: acme
///     encoding: UTF-8
///     lc_collate: de_DE.UTF-8
///     lc_ctype: de_DE.UTF-8
///     template: template0
///
/// - name: Into a file
///   postgresql_db: {name: acme, state: dump, target: /tmp/acme.sql.gz}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The database.
    #[schemars(extend("aliases" = ["db"]))]
    pub name: String,
    /// Who owns it.
    #[serde(default)]
    pub owner: String,
    /// What it is made from.
    #[serde(default)]
    pub template: String,
    /// Its encoding.
    #[serde(default)]
    pub encoding: String,
    /// How its text is sorted.
    #[serde(default)]
    pub lc_collate: String,
    /// What its letters are.
    #[serde(default)]
    pub lc_ctype: String,
    /// The locale of ICU.
    #[serde(default)]
    pub icu_locale: String,
    /// Whose locales these are: `icu` or `libc`.
    #[serde(default)]
    pub locale_provider: String,
    /// How many connections it takes.
    #[serde(default)]
    pub conn_limit: String,
    /// Where it is kept.
    #[serde(default)]
    pub tablespace: String,
    /// Whether it is there; `dump` writes it to `target`, `restore` reads it from there, `rename` names it `target`.
    #[serde(default)]
    pub state: State,
    /// Drops it though others are connected.
    #[serde(default)]
    pub force: bool,
    /// A comment on it; an empty one removes it.
    pub comment: Option<String>,
    /// The file to dump to or to restore from; with `rename` the new name.
    #[serde(default)]
    pub target: Option<FilePath>,
    /// More arguments for the program that dumps or restores.
    #[serde(default)]
    pub target_opts: String,
    /// More arguments for the program that dumps.
    #[serde(rename = "dump_extra_args")]
    pub dump_extra: Option<String>,
    /// The database to connect to.
    #[serde(default = "postgres")]
    pub maintenance_db: String,
    #[serde(flatten)]
    pub login: Login,
}

fn postgres() -> String {
    "postgres".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Dump,
    #[default]
    Present,
    Rename,
    Restore,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    args.login.check_input(&[
        &args.name,
        &args.owner,
        &args.template,
        &args.encoding,
        &args.lc_collate,
        &args.lc_ctype,
        &args.conn_limit,
        &args.tablespace,
    ])?;
    if matches!(args.state, State::Dump | State::Restore) {
        return dump::run(&args, sys);
    }
    let mut session = args.login.open(&args.maintenance_db, sys)?;
    let name = sql::identifier(&args.name);
    let now = Known::read(&args.name, &mut session)?;
    let mut changes = Changes::of(&mut session);
    match (args.state, now) {
        (State::Absent, Some(_)) => {
            let force = if args.force { " WITH (FORCE)" } else { "" };
            changes.run(&format!("DROP DATABASE {name}{force}"), sys)?;
        }
        (State::Present, None) => create(&args, &name, &mut changes, sys)?,
        (State::Present, Some(now)) => alter(&args, &name, &now, &mut changes, sys)?,
        (State::Rename, now) => {
            let target = args.target.as_ref().map(|target| target.text().into_owned()).unwrap_or_default();
            if target.is_empty() {
                return Err(Failure::new("The target option must be defined when state=rename is used."));
            }
            if target == args.name {
                return Err(Failure::new(
                    "The \"name/db\" option and the \"target\" option cannot be the same.",
                ));
            }
            let other = Known::read(&target, changes.session)?;
            match (now, other) {
                (None, None) => {
                    return Err(Failure::new("The source and the target databases do not exist."));
                }
                (Some(_), Some(_)) => {
                    return Err(Failure::new(format!(
                        "Both the source and target databases exist: \"{}\", \"{target}\"",
                        args.name
                    )));
                }
                (Some(_), None) => {
                    changes
                        .run(&format!("ALTER DATABASE {name} RENAME TO {}", sql::identifier(&target)), sys)?;
                }
                (None, Some(_)) => {}
            }
        }
        _ => {}
    }
    let mut returns = Map::new();
    returns.insert("db".to_owned(), args.name.clone().into());
    returns.insert("executed_commands".to_owned(), changes.statements.into());
    Ok(returns)
}

/// What a database is like.
struct Known {
    owner: String,
    encoding: String,
    lc_collate: String,
    lc_ctype: String,
    icu_locale: String,
    locale_provider: String,
    conn_limit: String,
    tablespace: String,
    comment: String,
}

impl Known {
    fn read(name: &str, session: &mut Session) -> Result<Option<Self>> {
        let answer = session.query(&format!(
            "SELECT pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, \
             d.datctype, coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'), \
             CASE to_jsonb(d)->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, \
             d.datconnlimit, t.spcname, pg_catalog.shobj_description(d.oid, 'pg_database') \
             FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace \
             WHERE d.datname = {}",
            sql::text(name)
        ))?;
        let Some(row) = answer.rows.into_iter().next() else { return Ok(None) };
        let mut row = row.into_iter();
        let mut next = || row.next().flatten().unwrap_or_default();
        Ok(Some(Self {
            owner: next(),
            encoding: next(),
            lc_collate: next(),
            lc_ctype: next(),
            icu_locale: next(),
            locale_provider: next(),
            conn_limit: next(),
            tablespace: next(),
            comment: next(),
        }))
    }
}

fn create(args: &Args, name: &str, changes: &mut Changes<'_>, sys: &mut System<'_>) -> Result<()> {
    let parts = [
        ("OWNER", &args.owner, true),
        ("TEMPLATE", &args.template, true),
        ("ENCODING", &args.encoding, false),
        ("LC_COLLATE", &args.lc_collate, false),
        ("LC_CTYPE", &args.lc_ctype, false),
        ("ICU_LOCALE", &args.icu_locale, false),
        ("LOCALE_PROVIDER", &args.locale_provider, false),
        ("TABLESPACE", &args.tablespace, true),
    ];
    let mut statement = format!("CREATE DATABASE {name}");
    for (word, value, is_name) in parts.into_iter().filter(|(_, value, _)| !value.is_empty()) {
        let value = if is_name { sql::identifier(value) } else { sql::text(value) };
        statement.extend([" ", word, " ", &value]);
    }
    if !args.conn_limit.is_empty() {
        statement.extend([" CONNECTION LIMIT ", &limit(args)?]);
    }
    changes.run(&statement, sys)?;
    match args.comment.as_deref() {
        Some(comment) if !comment.is_empty() => comment_on(name, comment, changes, sys),
        _ => Ok(()),
    }
}

fn limit(args: &Args) -> Result<String> {
    let limit: i64 = args
        .conn_limit
        .parse()
        .map_err(|_| Failure::new(format!("conn_limit must be a number, got: {}", args.conn_limit)))?;
    Ok(limit.to_string())
}

fn comment_on(name: &str, comment: &str, changes: &mut Changes<'_>, sys: &mut System<'_>) -> Result<()> {
    changes.run(&format!("COMMENT ON DATABASE {name} IS {}", sql::text(comment)), sys)
}

/// What may be changed is; what a database is born with may not.
fn alter(
    args: &Args,
    name: &str,
    now: &Known,
    changes: &mut Changes<'_>,
    sys: &mut System<'_>,
) -> Result<()> {
    let born = [
        ("database encoding", &args.encoding, &now.encoding),
        ("LC_COLLATE", &args.lc_collate, &now.lc_collate),
        ("LC_CTYPE", &args.lc_ctype, &now.lc_ctype),
        ("ICU_LOCALE", &args.icu_locale, &now.icu_locale),
        ("LOCALE_PROVIDER", &args.locale_provider, &now.locale_provider),
    ];
    for (what, wanted, now) in born {
        let plain = |text: &str| text.to_lowercase().replace('-', "");
        let same = if what == "database encoding" { plain(wanted) == plain(now) } else { wanted == now };
        if !wanted.is_empty() && !same {
            return Err(Failure::new(format!(
                "Changing {what} is not supported. Current {}: {now}",
                what.trim_start_matches("database ")
            )));
        }
    }
    if !args.owner.is_empty() && args.owner != now.owner {
        changes.run(&format!("ALTER DATABASE {name} OWNER TO {}", sql::identifier(&args.owner)), sys)?;
    }
    if !args.conn_limit.is_empty() && args.conn_limit != now.conn_limit {
        changes.run(&format!("ALTER DATABASE {name} CONNECTION LIMIT {}", limit(args)?), sys)?;
    }
    if !args.tablespace.is_empty() && args.tablespace != now.tablespace {
        changes.run(
            &format!("ALTER DATABASE {name} SET TABLESPACE {}", sql::identifier(&args.tablespace)),
            sys,
        )?;
    }
    match &args.comment {
        Some(comment) if *comment != now.comment => comment_on(name, comment, changes, sys),
        _ => Ok(()),
    }
}
