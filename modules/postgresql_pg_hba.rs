mod rule;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use self::rule::{Line, Rule};
use crate::command::yes;
use crate::kit::change::Shape;
use crate::kit::{Failure, FileAttributes, FilePath, Result, Suboptions, System, WriteOptions};
use crate::lineinfile::State;

/// Manages who may log in at a PostgreSQL server from where, and how: the rules of its file `pg_hba.conf`.
///
/// A file that changes is written anew: its comments come first, then the rules, the narrower ones before the wider
/// ones. Without `contype` and `rules` it is only told what is there.
///
/// # Examples
///
/// ```yaml
/// - name: The application logs in from its network
///   postgresql_pg_hba:
///     dest: /etc/postgresql/15/main/pg_hba.conf
///     contype: host
///     databases: app
///     users: web
///     address: 10.1.0.0/16
///     method: scram-sha-256
///
/// - name: These rules and no others
///   postgresql_pg_hba:
///     dest: /etc/postgresql/15/main/pg_hba.conf
///     overwrite: true
///     rules:
///       - {contype: local, users: postgres, method: peer}
///       - {contype: hostssl, address: 10.0.0.0/8, method: cert}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file.
    pub dest: FilePath,
    #[serde(flatten)]
    pub rule: RuleOptions,
    /// Several rules, each with `contype`, `address`, `netmask`, `databases`, `users`, `method`, `options`, `comment`,
    /// `state`.
    pub rules: Option<Vec<Map<String, Json>>>,
    /// What the options of one rule mean beside `rules`: an error, or what its rules do not say themselves.
    #[serde(default)]
    pub rules_behavior: Behavior,
    /// Removes all other rules.
    #[serde(default)]
    pub overwrite: bool,
    /// Makes the file when there is none.
    #[serde(default)]
    pub create: bool,
    /// Keeps the old file.
    #[serde(default)]
    pub backup: bool,
    /// Where, in place of a name that is made up.
    pub backup_file: Option<FilePath>,
    /// Whether the rules of a file that changes are sorted.
    #[serde(default = "yes")]
    pub sort_rules: bool,
    /// Comments stay with their rules, whatever it says: Ansible gives up the option.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "it has no meaning any more")]
    pub keep_comments_at_rules: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

/// What is said of one rule, by the options or by an item of `rules`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RuleOptions {
    /// What kind of connection a rule is about: `local` is by the server's socket.
    pub contype: Option<Kind>,
    /// From where: a network, a host's name, `.domain`, `all`, `samehost` or `samenet`. `local` rules have none.
    #[schemars(extend("aliases" = ["source", "src"]))]
    pub address: Option<String>,
    /// The network's mask, where `address` has none.
    pub netmask: Option<String>,
    /// Databases, with commas between them; each makes a rule.
    pub databases: Option<String>,
    /// Users, with commas between them; each makes a rule.
    pub users: Option<String>,
    /// How a user shows who it is.
    pub method: Option<Method>,
    /// Options of the method: `map=ssl clientcert=1`.
    pub options: Option<String>,
    /// A comment behind the rule.
    pub comment: Option<String>,
    /// Whether the rule is there.
    pub state: Option<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Local,
    Host,
    Hostnossl,
    Hostssl,
    Hostgssenc,
    Hostnogssenc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    Cert,
    Gss,
    Ident,
    Krb5,
    Ldap,
    Md5,
    Pam,
    Password,
    Peer,
    Radius,
    Reject,
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    Sspi,
    Trust,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Behavior {
    #[default]
    Conflict,
    Combine,
}

#[derive(Serialize)]
pub struct Returns {
    msgs: Vec<String>,
    /// The rules, as they stand in the file afterwards.
    pg_hba: Vec<Json>,
    pg_hba_string: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
}

/// A rule that is to be there, or not.
struct Wish {
    rule: Rule,
    state: State,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let wishes = wishes(&args)?;
    let dest = args.dest.text().into_owned();
    let old = sys.read_to_rewrite(&args.dest)?;
    if old.is_none() && !args.create {
        return Err(Failure::new(format!(
            "pg_hba file '{dest}' doesn't exist. Use the create option to autocreate."
        )));
    }
    let text = old.clone().unwrap_or_default();
    let lines = match rule::parse(&text) {
        Ok(lines) => lines,
        // What is replaced as a whole may be anything.
        Err(_) if args.overwrite => Vec::new(),
        Err(why) => return Err(Failure::new(format!("Error reading file:\n{why}"))),
    };
    let mut comments: Vec<String> = Vec::new();
    let mut there: Vec<Rule> = Vec::new();
    for line in lines {
        match line {
            Line::Rule(rule) => there.push(rule),
            Line::Comment(text) => comments.push(text),
        }
    }
    let mut rules = if args.overwrite { Vec::new() } else { there.clone() };
    let mut work = Work::default();
    for wish in wishes {
        work.ensure(&mut rules, wish);
    }
    let same = |one: &Rule| there.iter().any(|other| other.is_same(one));
    let differs = if args.overwrite {
        rules.len() != there.len() || !rules.iter().all(same)
    } else {
        !work.msgs.is_empty()
    };
    if args.overwrite {
        work = Work::default();
        comments.clear();
    }
    if !differs {
        if old.is_some() {
            sys.set_attributes(&args.dest, &args.attributes, false)?;
        }
        let told = there.iter().map(Rule::told).collect();
        return Ok(Returns { msgs: Vec::new(), pg_hba: told, pg_hba_string: text, backup_file: None });
    }
    if args.sort_rules {
        rules.sort_by(Rule::order);
    }
    let rendered: Vec<String> = comments.into_iter().chain(rules.iter().map(Rule::line)).collect();
    let new = rendered.join("\n");
    work.msgs.push("Changed".to_owned());
    let backup = args.backup && old.is_some();
    let mut returns = Returns {
        msgs: work.msgs,
        pg_hba: rules.iter().map(Rule::told).collect(),
        pg_hba_string: new.clone(),
        backup_file: None,
    };
    if !sys.is_check() {
        returns.msgs.extend(backup.then(|| "Creating Backup".to_owned()));
        returns.msgs.push("Writing".to_owned());
    }
    if let Some(to) = args.backup_file.as_ref().filter(|_| backup) {
        let kept = WriteOptions { hidden: true, ..WriteOptions::default() };
        sys.write_with(to, text, &kept)?;
        returns.backup_file = Some(to.text().into_owned());
    }
    let options = WriteOptions {
        attributes: Some(&args.attributes),
        backup: backup && args.backup_file.is_none(),
        hidden: true,
        ..WriteOptions::default()
    };
    let written = sys.write_with(&args.dest, new, &options)?;
    returns.backup_file = returns.backup_file.or(written.backup_file);
    let states = |rules: Vec<String>| {
        Map::from_iter([("file".to_owned(), dest.clone().into()), ("pg_hba".to_owned(), rules.into())])
    };
    sys.shape_diff(Shape::States { before: states(work.before), after: states(work.after) });
    Ok(returns)
}

/// What was done to the rules, and those it was done to.
#[derive(Default)]
struct Work {
    msgs: Vec<String>,
    before: Vec<String>,
    after: Vec<String>,
}

impl Work {
    fn ensure(&mut self, rules: &mut Vec<Rule>, wish: Wish) {
        let Wish { rule, state } = wish;
        let line = rule.line();
        let known: Vec<&Rule> = rules.iter().filter(|known| known.is_about_same(&rule)).collect();
        let old: Vec<String> = known.iter().map(|known| known.line()).collect();
        match (state, old.is_empty()) {
            (State::Absent, true) => {}
            (State::Absent, false) => {
                self.msgs.push(format!("Removing rule {line}"));
                self.before.extend(old);
                rules.retain(|known| !known.is_about_same(&rule));
            }
            (State::Present, true) => {
                self.msgs.push(format!("Adding rule {line}"));
                self.after.push(line);
                rules.push(rule);
            }
            (State::Present, false) if known.iter().any(|known| known.is_same(&rule)) => {}
            (State::Present, false) => {
                self.msgs.push(format!("Updating rule {line}"));
                self.before.extend(old);
                self.after.push(line);
                let place = rules.iter().position(|known| known.is_about_same(&rule)).unwrap_or_default();
                rules.retain(|known| !known.is_about_same(&rule));
                rules.insert(place.min(rules.len()), rule);
            }
        }
    }
}

fn wishes(args: &Args) -> Result<Vec<Wish>> {
    let own = &args.rule;
    let Some(rules) = &args.rules else {
        return if own.contype.is_some() { expand(own) } else { Ok(Vec::new()) };
    };
    let given: Vec<String> = own
        .fields()
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, _)| format!("'{name}'"))
        .collect();
    if args.rules_behavior == Behavior::Conflict && !given.is_empty() {
        return Err(Failure::new(format!(
            "conflict: either argument \"rules_behavior\" needs to be changed or \"rules\" must not be set or [{}] must \
             not be set",
            given.join(", ")
        )));
    }
    let mut wishes = Vec::new();
    for item in rules {
        let rule = own.overlaid(item)?;
        if rule.contype.is_none() {
            return Err(Failure::new("rules: each rule needs a contype"));
        }
        wishes.extend(expand(&rule)?);
    }
    Ok(wishes)
}

impl RuleOptions {
    /// What an item of `rules` says, and of what it does not say, what is said here.
    fn overlaid(&self, item: &Map<String, Json>) -> Result<Self> {
        let fields = self.fields();
        let known: Vec<&str> = fields.keys().map(String::as_str).collect();
        let item = Suboptions::of("rules", item, &known)?;
        let mut said = fields.clone();
        for name in known {
            said.extend(item.text(name)?.map(|text| (name.to_owned(), text.into())));
        }
        serde_json::from_value(said.into()).map_err(|error| Failure::new(format!("rules: {error}")))
    }

    /// Each by its name, sorted; null where nothing is said.
    fn fields(&self) -> Map<String, Json> {
        let Json::Object(mut fields) = json!(self) else { return Map::new() };
        fields.sort_keys();
        fields
    }
}

/// A rule for each database and user.
fn expand(said: &RuleOptions) -> Result<Vec<Wish>> {
    let wrong = |why: String| Failure::new(format!("Error modifying rules:\n{why}"));
    let kind = said.contype.unwrap_or(Kind::Host);
    let method = said.method.unwrap_or(Method::Md5);
    let source = if kind == Kind::Local {
        None
    } else {
        let address = said.address.as_deref().unwrap_or("samehost");
        Some(rule::source(address, said.netmask.as_deref()).map_err(wrong)?)
    };
    let all = || "all".to_owned();
    let databases = said.databases.clone().unwrap_or_else(all);
    let users = said.users.clone().unwrap_or_else(all);
    let word = |value: Json| value.as_str().unwrap_or_default().to_owned();
    let mut wishes = Vec::new();
    for database in databases.split(',') {
        for user in users.split(',') {
            let rule = Rule::new(
                &word(json!(kind)),
                (database, user, source.as_deref(), &word(json!(method))),
                said.options.as_deref().unwrap_or_default(),
                said.comment.as_deref(),
            )
            .map_err(wrong)?;
            wishes.push(Wish { rule, state: said.state.unwrap_or_default() });
        }
    }
    Ok(wishes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    const FILE: &str = "# who\n\nlocal   all  postgres  peer\n# there\nhost all all 127.0.0.1/32 md5 # us\n";

    #[test]
    fn rules_come_change_and_go() {
        let trial = Trial::of("postgresql_pg_hba");
        trial.host.file("/f", FILE);
        let told = trial.foretold(&json!({"dest": "/f"}), false);
        assert_eq!((&told["pg_hba_string"], &told["pg_hba"][0]["usr"]), (&json!(FILE), &json!("postgres")));
        let mut rule = json!({"dest": "/f", "contype": "host", "databases": "app", "users": "web,\"Joe\"",
            "address": "10.1.0.0", "netmask": "255.255.0.0", "method": "ldap", "options": "b=2 a=1"});
        let told = trial.run(&rule);
        let added = "Adding rule host\tapp\tweb\t10.1.0.0/16\tldap\ta=1 b=2";
        assert_eq!((&told["changed"], &told["msgs"][0]), (&json!(true), &json!(added)), "{told}");
        let lines = "# who\n# there\nlocal   all  postgres  peer\nhost all all 127.0.0.1/32 md5 # us\n\
                     host\tapp\t\"Joe\"\t10.1.0.0/16\tldap\ta=1 b=2\nhost\tapp\tweb\t10.1.0.0/16\tldap\ta=1 b=2";
        assert_eq!(trial.host.read("/f").unwrap(), lines);
        assert_eq!(trial.foretold(&rule, false)["msgs"], json!([]));
        rule["method"] = json!("trust");
        rule["options"] = json!(null);
        rule["comment"] = json!("why");
        let told = trial.foretold(&rule, true);
        assert_eq!(told["msgs"][0], "Updating rule host\tapp\tweb\t10.1.0.0/16\ttrust\t#why");
        rule["state"] = json!("absent");
        trial.foretold(&rule, true);
        let rest = "# who\n# there\nlocal   all  postgres  peer\nhost all all 127.0.0.1/32 md5 # us";
        assert_eq!(trial.host.read("/f").unwrap(), rest);
    }

    #[test]
    fn rules_may_be_these_alone() {
        let trial = Trial::of("postgresql_pg_hba");
        trial.host.file("/f", FILE);
        let args = json!({"dest": "/f", "overwrite": true, "backup": true, "backup_file": "/old",
            "rules_behavior": "combine", "method": "peer", "rules": [{"contype": "local", "users": "postgres"}]});
        let told = trial.foretold(&args, true);
        assert_eq!(told["backup_file"], "/old");
        assert_eq!(trial.host.read("/f").unwrap(), "local\tall\tpostgres\tpeer");
        assert_eq!(trial.host.read("/old").unwrap(), FILE);
        trial.foretold(&args, false);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("postgresql_pg_hba");
        trial.host.file("/f", FILE);
        for (args, msg) in [
            (
                json!({"dest": "/none", "contype": "local"}),
                "pg_hba file '/none' doesn't exist. Use the create option to autocreate.",
            ),
            (
                json!({"dest": "/f", "contype": "local", "rules": [{"contype": "local"}]}),
                "conflict: either argument \"rules_behavior\" needs to be changed or \"rules\" must not be set or \
                 ['contype'] must not be set",
            ),
            (json!({"dest": "/f", "rules": [{"users": "a"}]}), "rules: each rule needs a contype"),
            (
                json!({"dest": "/f", "rules": [{"contype": "local", "source": "all"}]}),
                "Unsupported parameters: rules.source. Supported parameters include: address, comment, contype, \
                 databases, method, netmask, options, state, users.",
            ),
            (
                json!({"dest": "/f", "rules": [{"contype": "local", "state": "gone"}]}),
                "rules: unknown variant `gone`, expected `present` or `absent`",
            ),
            (
                json!({"dest": "/f", "contype": "local", "options": "map"}),
                "Error modifying rules:\nThe option 'map' has no value: key=value is one",
            ),
        ] {
            assert_eq!(trial.run(&args)["msg"], msg);
        }
        assert_eq!(trial.host.read("/f").unwrap(), FILE);
    }
}
