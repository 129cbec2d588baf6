//! What the server is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Args;
use crate::kit::{Failure, Result};
use crate::lineinfile::State;
use crate::postgresql::sql;

/// What privileges are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    Database,
    DefaultPrivs,
    ForeignDataWrapper,
    ForeignServer,
    Function,
    Group,
    Language,
    Parameter,
    Procedure,
    Schema,
    Sequence,
    #[default]
    Table,
    Tablespace,
    Type,
}

impl Object {
    /// As options name it.
    fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::DefaultPrivs => "default_privs",
            Self::ForeignDataWrapper => "foreign_data_wrapper",
            Self::ForeignServer => "foreign_server",
            Self::Function => "function",
            Self::Group => "group",
            Self::Language => "language",
            Self::Parameter => "parameter",
            Self::Procedure => "procedure",
            Self::Schema => "schema",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Tablespace => "tablespace",
            Self::Type => "type",
        }
    }

    /// The objects are parts of a schema.
    fn has_schema(self) -> bool {
        matches!(
            self,
            Self::Table | Self::Sequence | Self::Function | Self::Procedure | Self::Type | Self::DefaultPrivs
        )
    }

    /// What tells who was granted what. Two answers differ when something changed.
    pub fn granted(self, version: u32) -> String {
        let (table, column) = match self {
            Self::Database => ("pg_database", "datacl"),
            Self::DefaultPrivs => {
                return "SELECT defaclrole, defaclnamespace, defaclobjtype, defaclacl::text \
                        FROM pg_catalog.pg_default_acl ORDER BY 1, 2, 3"
                    .to_owned();
            }
            Self::Group => {
                return "SELECT roleid, member, admin_option FROM pg_catalog.pg_auth_members ORDER BY 1, 2, 3"
                    .to_owned();
            }
            Self::Parameter if version < 150_000 => return "SELECT 1".to_owned(),
            Self::Parameter => ("pg_parameter_acl", "paracl"),
            Self::ForeignDataWrapper => ("pg_foreign_data_wrapper", "fdwacl"),
            Self::ForeignServer => ("pg_foreign_server", "srvacl"),
            Self::Function | Self::Procedure => ("pg_proc", "proacl"),
            Self::Language => ("pg_language", "lanacl"),
            Self::Schema => ("pg_namespace", "nspacl"),
            Self::Sequence | Self::Table => ("pg_class", "relacl"),
            Self::Tablespace => ("pg_tablespace", "spcacl"),
            Self::Type => ("pg_type", "typacl"),
        };
        format!("SELECT oid, {column}::text FROM pg_catalog.{table} WHERE {column} IS NOT NULL ORDER BY 1")
    }
}

const PRIVILEGES: [&str; 17] = [
    "ALL",
    "ALTER_SYSTEM",
    "CONNECT",
    "CREATE",
    "DELETE",
    "EXECUTE",
    "INSERT",
    "MAINTAIN",
    "REFERENCES",
    "SELECT",
    "SET",
    "TEMP",
    "TEMPORARY",
    "TRIGGER",
    "TRUNCATE",
    "UPDATE",
    "USAGE",
];

/// The options, made sense of.
#[derive(Debug)]
pub(super) struct Wish {
    pub object: Object,
    granted: bool,
    grant_option: Option<bool>,
    privs: Vec<String>,
    objs: Vec<String>,
    pub schema: Option<String>,
    pub roles: Vec<String>,
    pub target_roles: Vec<String>,
}

impl Wish {
    pub fn of(args: &Args) -> Result<Self> {
        let object = args.r#type;
        let refuse = |what: &str, how: &str| {
            Err(Failure::new(format!("Argument \"{what}\" is {how} for type \"{}\".", object.name())))
        };
        let schema = match args.schema.as_deref() {
            Some("not-specified") => None,
            Some(_) if !object.has_schema() => return refuse("schema", "not allowed"),
            Some(schema) => Some(schema.to_owned()),
            None => object.has_schema().then(|| "public".to_owned()),
        };
        let objs = match (&args.objs, object) {
            (Some(objs), _) => split(objs),
            (None, Object::Database) => vec![args.login_db.clone()],
            (None, _) => return refuse("objs", "required"),
        };
        let privs = match (&args.privs, object) {
            (Some(_), Object::Group) => return refuse("privs", "not allowed"),
            (None, Object::Group) => Vec::new(),
            (None, _) => return refuse("privs", "required"),
            (Some(privs), _) => privs_of(privs)?,
        };
        Ok(Self {
            object,
            granted: args.state == State::Present,
            grant_option: args.grant_option,
            privs,
            objs,
            schema,
            roles: split(&args.roles),
            target_roles: args.target_roles.as_deref().map(split).unwrap_or_default(),
        })
    }

    pub fn statements(&self, roles: &[String]) -> Result<Vec<String>> {
        let whom = roles.join(",");
        if self.object == Object::DefaultPrivs {
            return self.defaults(&whom);
        }
        let what = if self.object == Object::Group {
            self.objs.iter().map(|role| sql::identifier(role)).collect::<Vec<_>>().join(",")
        } else {
            format!("{} ON {}", self.privs.join(","), self.on()?)
        };
        let option = if self.object == Object::Group { "ADMIN" } else { "GRANT" };
        Ok(match (self.granted, self.grant_option) {
            (false, _) => vec![format!("REVOKE {what} FROM {whom};")],
            (true, None) => vec![format!("GRANT {what} TO {whom};")],
            (true, Some(true)) => vec![format!("GRANT {what} TO {whom} WITH {option} OPTION;")],
            (true, Some(false)) => vec![
                format!("GRANT {what} TO {whom};"),
                format!("REVOKE {option} OPTION FOR {what} FROM {whom};"),
            ],
        })
    }

    /// The objects, with what they are.
    fn on(&self) -> Result<String> {
        let kind = self.object.name();
        let schema = self.schema.as_deref().map(sql::identifier);
        if self.objs == ["ALL_IN_SCHEMA"]
            && matches!(self.object, Object::Table | Object::Sequence | Object::Function | Object::Procedure)
        {
            let schema = schema
                .ok_or_else(|| Failure::new("objs: ALL_IN_SCHEMA needs a schema, which is not-specified"))?;
            return Ok(format!("ALL {}S IN SCHEMA {schema}", kind.to_uppercase()));
        }
        let name = |text: &str| match &schema {
            Some(schema) => format!("{schema}.{}", sql::identifier(text)),
            None if self.object.has_schema() => sql::qualified(text),
            None => sql::identifier(text),
        };
        let mut names = Vec::new();
        for obj in &self.objs {
            names.push(match self.object {
                Object::Function | Object::Procedure => {
                    let (function, types) =
                        obj.strip_suffix(')').and_then(|text| text.split_once('(')).ok_or_else(|| {
                            Failure::new(format!("Illegal function / procedure signature: \"{obj}\"."))
                        })?;
                    format!("{}({})", name(function), checked(&types.replace(':', ","))?)
                }
                _ => name(obj),
            });
        }
        Ok(format!("{} {}", kind.replace('_', " "), names.join(",")))
    }

    /// What is granted on what is yet to be made: first all is taken away, so that the rest is just what is asked for.
    fn defaults(&self, whom: &str) -> Result<Vec<String>> {
        const ALL: [&str; 4] = ["TABLES", "SEQUENCES", "TYPES", "FUNCTIONS"];
        let objs: Vec<String> = self.objs.iter().map(|obj| obj.to_uppercase()).collect();
        let all = objs.iter().any(|obj| obj == "ALL_DEFAULT");
        let known = |obj: &String| ALL.contains(&obj.as_str()) || obj == "SCHEMAS" || obj == "ALL_DEFAULT";
        if let Some(obj) = objs.iter().find(|obj| !known(obj)) {
            return Err(Failure::new(format!("Invalid Object set specified: {obj}")));
        }
        let kinds: Vec<&str> = if all { ALL.to_vec() } else { objs.iter().map(String::as_str).collect() };
        self.check_defaults(&kinds)?;
        // Schemas are in no schema.
        let schema = self.schema.as_deref().filter(|_| !kinds.contains(&"SCHEMAS"));
        let schema = schema.map_or(String::new(), |schema| format!(" IN SCHEMA {}", sql::identifier(schema)));
        let owners: Vec<String> = self.target_roles.iter().map(|role| sql::identifier(role)).collect();
        let owners =
            if owners.is_empty() { String::new() } else { format!(" FOR ROLE {}", owners.join(",")) };
        let alter = format!("ALTER DEFAULT PRIVILEGES{owners}{schema}");
        let revoked =
            if self.granted { kinds.clone() } else { vec!["TABLES", "FUNCTIONS", "SEQUENCES", "TYPES"] };
        let mut statements: Vec<String> =
            revoked.iter().map(|kind| format!("{alter} REVOKE ALL ON {kind} FROM {whom};")).collect();
        if self.granted {
            let option = if self.grant_option == Some(true) { " WITH GRANT OPTION" } else { "" };
            let privs = self.privs.join(",");
            statements.extend(
                kinds.iter().map(|kind| format!("{alter} GRANT {privs} ON {kind} TO {whom}{option};")),
            );
        }
        Ok(statements)
    }

    /// Whether all of these can be granted on all of those.
    fn check_defaults(&self, kinds: &[&str]) -> Result<()> {
        for privilege in &self.privs {
            let fits: &[&str] = match privilege.as_str() {
                "ALL" => continue,
                "SELECT" | "UPDATE" => &["TABLES", "SEQUENCES"],
                "USAGE" => &["SEQUENCES", "TYPES", "SCHEMAS"],
                "EXECUTE" => &["FUNCTIONS"],
                "CREATE" => &["SCHEMAS"],
                _ => &["TABLES"],
            };
            if let Some(kind) = kinds.iter().find(|kind| !fits.contains(kind)) {
                return Err(Failure::new(format!(
                    "Invalid priv specified: {privilege} is for {}, not for {kind}",
                    fits.join(" and ")
                )));
            }
        }
        Ok(())
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).filter(|part| !part.is_empty()).collect()
}

fn privs_of(text: &str) -> Result<Vec<String>> {
    let mut privs: Vec<String> = Vec::new();
    for privilege in text.split(',').map(str::to_uppercase) {
        if !PRIVILEGES.contains(&privilege.as_str()) {
            return Err(Failure::new(format!("Invalid privileges specified: {privilege:?}")));
        }
        let privilege = privilege.replace('_', " ");
        if !privs.contains(&privilege) {
            privs.push(privilege);
        }
    }
    Ok(privs)
}

/// The types of a function's arguments: they cannot be quoted, so they must be nothing but types.
fn checked(types: &str) -> Result<String> {
    let fits = |c: char| c.is_alphanumeric() || " _,.[]\"".contains(c);
    if types.chars().all(fits) && types.matches('"').count().is_multiple_of(2) {
        return Ok(types.to_owned());
    }
    Err(Failure::new(format!("Illegal function / procedure signature: \"{types}\".")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::Wish;
    use crate::find;

    fn check(args: &Json, expected: &[&str]) {
        let mut whole = json!({"login_db": "acme", "roles": "ann"});
        whole.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        let module = find("community.postgresql.postgresql_privs").unwrap();
        let args = module.spec().normalise(whole.as_object().unwrap()).unwrap();
        let args = serde_json::from_value(Json::Object(args)).unwrap();
        let told = Wish::of(&args).and_then(|wish| wish.statements(&["\"ann\"".to_owned()]));
        let told = told.unwrap_or_else(|failure| vec![failure.msg]);
        assert_eq!(told, expected);
    }

    #[test]
    fn statements() {
        check(
            &json!({"privs": "select,insert", "objs": "a,B"}),
            &[r#"GRANT SELECT,INSERT ON table "public"."a","public"."B" TO "ann";"#],
        );
        check(
            &json!({"privs": "ALL", "objs": "s.t", "schema": "not-specified"}),
            &[r#"GRANT ALL ON table "s"."t" TO "ann";"#],
        );
        check(
            &json!({"privs": "SELECT", "objs": "a", "grant_option": false}),
            &[
                r#"GRANT SELECT ON table "public"."a" TO "ann";"#,
                r#"REVOKE GRANT OPTION FOR SELECT ON table "public"."a" FROM "ann";"#,
            ],
        );
        check(&json!({"privs": "ALL", "type": "database"}), &[r#"GRANT ALL ON database "acme" TO "ann";"#]);
        check(&json!({"type": "group", "objs": "g", "state": "absent"}), &[r#"REVOKE "g" FROM "ann";"#]);
        check(
            &json!({"privs": "ALL", "type": "function", "objs": "f(int:text[])"}),
            &[r#"GRANT ALL ON function "public"."f"(int,text[]) TO "ann";"#],
        );
        check(
            &json!({"privs": "SELECT", "type": "default_privs", "objs": "TABLES", "target_roles": "bob"}),
            &[
                r#"ALTER DEFAULT PRIVILEGES FOR ROLE "bob" IN SCHEMA "public" REVOKE ALL ON TABLES FROM "ann";"#,
                r#"ALTER DEFAULT PRIVILEGES FOR ROLE "bob" IN SCHEMA "public" GRANT SELECT ON TABLES TO "ann";"#,
            ],
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        check(&json!({"privs": "FLY", "objs": "a"}), &["Invalid privileges specified: \"FLY\""]);
        check(&json!({"privs": "ALL"}), &["Argument \"objs\" is required for type \"table\"."]);
        check(
            &json!({"privs": "ALL", "type": "schema", "objs": "s", "schema": "s"}),
            &["Argument \"schema\" is not allowed for type \"schema\"."],
        );
        let evil = "f(int) FROM x; DROP TABLE t; --)";
        check(
            &json!({"privs": "ALL", "type": "function", "objs": evil}),
            &["Illegal function / procedure signature: \"int) FROM x; DROP TABLE t; --\"."],
        );
        check(
            &json!({"privs": "SELECT", "type": "default_privs", "objs": "TYPES"}),
            &["Invalid priv specified: SELECT is for TABLES and SEQUENCES, not for TYPES"],
        );
    }
}
