//! Privileges: as options name them, as the server tells them, and what lies between.

use serde_json::Value as Json;

use super::{Account, Args};
use crate::kit::{Failure, Result, System};
use crate::mysql::{Session, is_mariadb, sql};

/// What on which tables, in order.
pub(super) type Grants = Vec<(String, Vec<String>)>;

/// Privileges that the server tells by another name.
const SYNONYMS: [(&str, &str); 4] = [
    ("BINLOG MONITOR", "REPLICATION CLIENT"),
    ("REPLICATION REPLICA", "REPLICATION SLAVE"),
    ("REPLICATION REPLICA ADMIN", "REPLICATION SLAVE ADMIN"),
    ("DELETE VERSIONING ROWS", "DELETE HISTORY"),
];

/// What is wanted. `None` where nothing is asked.
pub(super) fn privileges(given: Option<&Json>, keep_case: bool) -> Result<Option<Grants>> {
    let wrong = |given: &Json| {
        Failure::new(format!(
            "invalid privileges string: priv is \"database.table:PRIV,PRIV/…\" or a mapping, got: {given}"
        ))
    };
    let mut grants = Grants::new();
    // Of a place that is named twice the last wish counts.
    let mut add = |on: &str, names: &str| {
        let (on, names) = (place(on), split(names, keep_case));
        match grants.iter_mut().find(|(known, _)| *known == on) {
            Some((_, wished)) => *wished = names,
            None => grants.push((on, names)),
        }
    };
    match given {
        None => return Ok(None),
        Some(Json::String(text)) if text.is_empty() => return Ok(None),
        Some(Json::String(text)) => {
            for part in text.trim().split('/') {
                let (on, names) = part.trim().rsplit_once(':').ok_or_else(|| wrong(&Json::from(part)))?;
                add(on, names);
            }
        }
        Some(Json::Object(map)) => {
            for (on, names) in map {
                add(on, names.as_str().ok_or_else(|| wrong(names))?);
            }
        }
        Some(other) => return Err(wrong(other)),
    }
    if grants.iter().all(|(on, _)| on != "*.*") {
        grants.push(("*.*".to_owned(), vec!["USAGE".to_owned()]));
    }
    Ok(Some(grants))
}

/// `db.table`, each part quoted, with what it is before it (`FUNCTION`).
fn place(on: &str) -> String {
    let (kind, name) = match on.trim().split_once(' ') {
        Some((kind, name)) if ["FUNCTION", "PROCEDURE"].contains(&kind.to_uppercase().as_str()) => {
            (format!("{} ", kind.to_uppercase()), name)
        }
        _ => (String::new(), on.trim()),
    };
    let quoted = |part: &str| {
        let bare = part.trim().trim_matches('`');
        if bare == "*" { bare.to_owned() } else { sql::identifier(bare) }
    };
    match name.split_once('.') {
        Some((database, table)) => format!("{kind}{}.{}", quoted(database), quoted(table)),
        None => format!("{kind}{}", quoted(name)),
    }
}

/// At commas outside of parentheses; columns in order.
fn split(names: &str, keep_case: bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in names.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match parts.last_mut() {
            Some(_) if c == ',' && depth == 0 => parts.push(String::new()),
            Some(last) => last.push(c),
            None => {}
        }
    }
    parts.iter().map(|part| name(part.trim(), keep_case)).filter(|name| !name.is_empty()).collect()
}

fn name(text: &str, keep_case: bool) -> String {
    let Some((lead, columns)) = text.split_once('(') else {
        let upper = text.to_uppercase();
        let known = SYNONYMS.iter().find(|(told, _)| *told == upper).map(|(_, name)| (*name).to_owned());
        return match upper.as_str() {
            "ALL PRIVILEGES" => "ALL".to_owned(),
            "GRANT OPTION" => "GRANT".to_owned(),
            _ => known.unwrap_or(upper),
        };
    };
    let column = |column: &str| {
        let bare = column.trim().trim_matches('`');
        if keep_case { bare.to_owned() } else { bare.to_uppercase() }
    };
    let mut columns: Vec<String> = columns.trim_end_matches(')').split(',').map(column).collect();
    columns.sort();
    format!("{} ({})", lead.trim().to_uppercase(), columns.join(", "))
}

/// What the server tells.
fn read(account: &Account, session: &mut Session) -> Result<Grants> {
    read_of(&account.sql(), session)
}

fn read_of(who: &str, session: &mut Session) -> Result<Grants> {
    let answer =
        session.query(&format!("SHOW GRANTS FOR {who}")).map_err(|error| Failure::new(error.to_string()))?;
    Ok(merged(answer.first_column().iter().filter_map(|line| told(line))))
}

/// `db.*:SELECT,INSERT/*.*:…`. That somebody may log in goes without saying, where more is told.
pub(super) fn told_in_one(who: &str, session: &mut Session) -> Result<String> {
    Ok(in_one(&read_of(who, session)?))
}

fn in_one(grants: &Grants) -> String {
    let one = |(on, names): &(String, Vec<String>)| format!("{}:{}", on.replace('`', ""), names.join(","));
    let more: Vec<String> = grants.iter().filter(|(_, names)| *names != ["USAGE"]).map(one).collect();
    if more.is_empty() { grants.iter().map(one).collect::<Vec<_>>().join("/") } else { more.join("/") }
}

/// One entry a place: MySQL tells what is static and what is dynamic on `*.*` in lines of their own.
fn merged(lines: impl Iterator<Item = (String, Vec<String>)>) -> Grants {
    let mut grants = Grants::new();
    for (on, names) in lines {
        match grants.iter_mut().find(|(known, _)| *known == on) {
            Some((_, all)) => {
                for name in names.into_iter().filter(|name| name != "USAGE") {
                    if !all.contains(&name) {
                        all.push(name);
                    }
                }
            }
            None => grants.push((on, names)),
        }
    }
    grants
}

/// `GRANT SELECT, INSERT ON `db`.* TO … WITH GRANT OPTION`. Roles and proxies are none of ours.
fn told(line: &str) -> Option<(String, Vec<String>)> {
    let rest = line.strip_prefix("GRANT ")?;
    let (names, rest) = rest.split_once(" ON ")?;
    let (on, rest) = rest.split_once(" TO ")?;
    if names == "PROXY" {
        return None;
    }
    let mut names = split(names, true);
    if rest.contains("WITH") && rest.contains("GRANT OPTION") {
        names.push("GRANT".to_owned());
    }
    Some((on.to_owned(), names))
}

pub(super) fn grant(
    session: &mut Session,
    account: &Account,
    on: &str,
    names: &[String],
    sys: &mut System<'_>,
) -> Result<()> {
    let mut list: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != "GRANT").collect();
    if list.is_empty() {
        list.push("USAGE");
    }
    let option = if names.iter().any(|name| name == "GRANT") { " WITH GRANT OPTION" } else { "" };
    let statement = format!("GRANT {} ON {on} TO {}{option}", list.join(","), account.sql());
    if !sys.is_check() {
        session.query(&statement).map_err(|error| {
            Failure::new(format!(
                "Error granting privileges, invalid priv string: {} , query: {statement} , exception: {error}.",
                list.join(",")
            ))
        })?;
    }
    sys.count_as_change(statement);
    Ok(())
}

fn revoke(
    session: &mut Session,
    account: &Account,
    on: &str,
    names: &[String],
    sys: &mut System<'_>,
) -> Result<()> {
    let list: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !["GRANT", "USAGE"].contains(name)).collect();
    let mut statements = Vec::new();
    if names.iter().any(|name| name == "GRANT") {
        statements.push(format!("REVOKE GRANT OPTION ON {on} FROM {}", account.sql()));
    }
    if !list.is_empty() {
        statements.push(format!("REVOKE {} ON {on} FROM {}", list.join(","), account.sql()));
    }
    for statement in statements {
        super::change(session, &statement, &statement, sys)?;
    }
    Ok(())
}

/// Ensures the privileges; what was done, in words.
pub(super) fn ensure(
    args: &Args,
    account: &Account,
    wanted: &Grants,
    session: &mut Session,
    sys: &mut System<'_>,
) -> Result<Option<String>> {
    let now = read(account, session)?;
    let find =
        |list: &Grants, on: &str| list.iter().find(|(known, _)| known == on).map(|(_, names)| names.clone());
    let mut msg = None;
    let updated = |granted: &[String], revoked: &[String]| {
        let list =
            |names: &[String]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        format!("Privileges updated: granted [{}], revoked [{}]", list(granted), list(revoked))
    };
    let less = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|name| !other.contains(name)).cloned().collect()
    };
    if args.subtract_privs {
        for (on, names) in wanted {
            let there = find(&now, on).unwrap_or_default();
            let going: Vec<String> =
                names.iter().filter(|name| there.contains(name) && *name != "USAGE").cloned().collect();
            if !going.is_empty() {
                revoke(session, account, on, &going, sys)?;
                msg = Some(updated(&[], &going));
            }
        }
        return Ok(msg);
    }
    if !args.append_privs {
        for (on, names) in now.iter().filter(|(on, _)| find(wanted, on).is_none()) {
            if args.name == "root" {
                continue;
            }
            revoke(session, account, on, names, sys)?;
            msg = Some("Privileges updated".to_owned());
        }
    }
    for (on, names) in wanted {
        let Some(there) = find(&now, on) else {
            grant(session, account, on, names, sys)?;
            msg = Some("New privileges granted".to_owned());
            continue;
        };
        let mut coming = less(names, &there);
        // Who may all, may each; and of the server's own rights some are told one by one.
        let is_all = is_mariadb(session) || on != "*.*";
        if there.iter().any(|name| name == "ALL")
            && !names.iter().any(|name| name == "ALL")
            && args.append_privs
        {
            coming.retain(|name| name == "GRANT");
        }
        if !is_all && names.iter().any(|name| name == "ALL") && there.len() > 25 {
            coming.retain(|name| name != "ALL");
        }
        coming.retain(|name| name != "USAGE");
        let mut going = if args.append_privs { Vec::new() } else { less(&there, names) };
        going.retain(|name| name != "USAGE");
        if !is_all && names.iter().any(|name| name == "ALL") {
            going.retain(|name| name == "GRANT");
        }
        if coming.is_empty() && going.is_empty() {
            continue;
        }
        if !going.is_empty() {
            revoke(session, account, on, &going, sys)?;
        }
        if !coming.is_empty() {
            grant(session, account, on, &coming, sys)?;
        }
        if coming == ["GRANT"] {
            coming.push("USAGE".to_owned());
        }
        msg = Some(updated(&coming, &going));
    }
    Ok(msg)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(given: &Json) -> String {
        let grants = privileges(Some(given), true).unwrap().unwrap();
        grants.iter().map(|(on, names)| format!("{on}={}", names.join("+"))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn wishes_are_read() {
        assert_eq!(
            said(&json!("db.*:select, INSERT/x.y:ALL,GRANT")),
            "`db`.*=SELECT+INSERT `x`.`y`=ALL+GRANT *.*=USAGE"
        );
        assert_eq!(said(&json!({"*.*": "ALL PRIVILEGES"})), "*.*=ALL");
        assert_eq!(said(&json!("d.t:SELECT (b,a),UPDATE")), "`d`.`t`=SELECT (a, b)+UPDATE *.*=USAGE");
        assert_eq!(said(&json!("FUNCTION d.f:EXECUTE")), "FUNCTION `d`.`f`=EXECUTE *.*=USAGE");
        assert_eq!(said(&json!("d.*:SELECT/*.*:USAGE/d.*:INSERT")), "`d`.*=INSERT *.*=USAGE");
        assert!(privileges(Some(&json!("nothing")), true).is_err());
        assert_eq!(privileges(Some(&json!("")), true).unwrap(), None);
    }

    #[test]
    fn lines_about_one_place_are_one() {
        let lines = [
            "GRANT SELECT, SHUTDOWN ON *.* TO `a`@`%` WITH GRANT OPTION",
            "GRANT BACKUP_ADMIN,ROLE_ADMIN ON *.* TO `a`@`%` WITH GRANT OPTION",
            "GRANT INSERT ON `d`.* TO `a`@`%`",
        ];
        let read = merged(lines.iter().filter_map(|line| told(line)));
        let said: Vec<String> = read.iter().map(|(on, names)| format!("{on}={}", names.join("+"))).collect();
        assert_eq!(in_one(&read), "*.*:SELECT,SHUTDOWN,GRANT,BACKUP_ADMIN,ROLE_ADMIN/d.*:INSERT");
        let nothing = vec![("*.*".to_owned(), vec!["USAGE".to_owned()])];
        assert_eq!(in_one(&nothing), "*.*:USAGE");
        assert_eq!(said, ["*.*=SELECT+SHUTDOWN+GRANT+BACKUP_ADMIN+ROLE_ADMIN", "`d`.*=INSERT"]);
    }

    #[test]
    fn what_the_server_tells_is_read() {
        for (line, on, names) in [
            ("GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*1'", "*.*", "USAGE"),
            ("GRANT SELECT, INSERT ON `d`.* TO `a`@`%`", "`d`.*", "SELECT+INSERT"),
            ("GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION", "*.*", "ALL+GRANT"),
            ("GRANT SELECT (`b`, `a`), INSERT ON `d`.`t` TO `a`@`%`", "`d`.`t`", "SELECT (a, b)+INSERT"),
            (
                "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `a`@`%`",
                "*.*",
                "REPLICATION SLAVE+REPLICATION CLIENT",
            ),
        ] {
            let (read, list) = told(line).unwrap();
            assert_eq!((read.as_str(), list.join("+").as_str()), (on, names));
        }
        assert_eq!(told("GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION"), None);
        assert_eq!(told("GRANT `role` TO `a`@`%`"), None);
    }
}
