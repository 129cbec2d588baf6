use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, Secret, System};
use crate::lineinfile::State;
use crate::rabbitmq::{self, Management, NODE};

/// Manages users of RabbitMQ, with `rabbitmqctl`.
///
/// Passwords go to its standard input, which RabbitMQ 3.8 and newer reads.
///
/// # Examples
///
/// ```yaml
/// - name: A user who may do all in a virtual host
///   rabbitmq_user:
///     user: app
///     password: "{{ app_password }}"
///     vhost: /app
///     configure_priv: .*
///     read_priv: .*
///     write_priv: .*
///
/// - name: No guests
///   rabbitmq_user: {user: guest, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The name of the user.
    #[schemars(extend("aliases" = ["username", "name"]))]
    user: String,
    /// The password. Without one nobody can log in by a password.
    password: Option<Secret>,
    /// Whether the password of a user who is there changes.
    #[serde(default)]
    update_password: Update,
    /// The tags, with commas between them: `administrator`, `management`, `monitoring`, `policymaker`.
    tags: Option<String>,
    /// What the user may do in which virtual host; nothing elsewhere.
    #[serde(default)]
    permissions: Vec<Permission>,
    /// What the user may do with which topics; nothing with others.
    #[serde(default)]
    topic_permissions: Vec<TopicPermission>,
    /// The virtual host of `configure_priv` and its kin, where `permissions` are not given. Others stay.
    #[serde(default = "root")]
    vhost: String,
    /// A regular expression: what the user may make and change.
    #[serde(default = "nothing")]
    configure_priv: String,
    /// A regular expression: what the user may write to.
    #[serde(default = "nothing")]
    write_priv: String,
    /// A regular expression: what the user may read.
    #[serde(default = "nothing")]
    read_priv: String,
    /// The node of the broker.
    #[serde(default = "node")]
    node: String,
    /// Makes the user anew, each time.
    #[serde(default)]
    force: bool,
    /// Whether the user is there.
    #[serde(default)]
    state: State,
    #[serde(flatten)]
    management: Management,
}

fn root() -> String {
    "/".into()
}

fn nothing() -> String {
    "^$".into()
}

fn topic() -> String {
    "amq.topic".into()
}

fn node() -> String {
    NODE.into()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Update {
    Always,
    #[default]
    OnCreate,
}

/// What a user may do in a virtual host.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
struct Permission {
    /// The virtual host.
    #[serde(default = "root")]
    vhost: String,
    /// What the user may make and change.
    #[serde(default = "nothing")]
    configure_priv: String,
    /// What the user may write to.
    #[serde(default = "nothing")]
    write_priv: String,
    /// What the user may read.
    #[serde(default = "nothing")]
    read_priv: String,
}

/// What a user may do with topics.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
struct TopicPermission {
    /// The virtual host.
    #[serde(default = "root")]
    vhost: String,
    /// The exchange.
    #[serde(default = "topic")]
    exchange: String,
    /// What the user may write to.
    #[serde(default = "nothing")]
    write_priv: String,
    /// What the user may read.
    #[serde(default = "nothing")]
    read_priv: String,
}

#[derive(Deserialize)]
struct Known {
    user: String,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Grant {
    vhost: String,
    /// Of topics alone.
    #[serde(default)]
    exchange: String,
    #[serde(default)]
    configure: String,
    #[serde(alias = "write_perm")]
    write: String,
    #[serde(alias = "read_perm")]
    read: String,
}

#[derive(Serialize)]
pub struct Returns {
    user: String,
    state: State,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    args.management.refuse()?;
    let user = args.user.as_str();
    let users: Vec<Known> = list(&args, &["list_users"], sys)?;
    let mut known = users.into_iter().find(|known| known.user == user);
    if known.is_some() && (args.state == State::Absent || args.force) {
        change(&args, &["delete_user", user], sys)?;
        known = None;
    }
    if args.state == State::Present {
        let is_new = known.is_none();
        if is_new {
            add(&args, sys)?;
        } else if args.update_password == Update::Always {
            update(&args, sys)?;
        }
        let wanted: Vec<&str> = args
            .tags
            .iter()
            .flat_map(|tags| tags.split(','))
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .collect();
        let mut tags: Vec<&str> = known.iter().flat_map(|known| &known.tags).map(String::as_str).collect();
        let mut sorted = wanted.clone();
        tags.sort_unstable();
        sorted.sort_unstable();
        if tags != sorted {
            change(&args, &[&["set_user_tags", user], wanted.as_slice()].concat(), sys)?;
        }
        permit(&args, is_new, sys)?;
        permit_topics(&args, is_new, sys)?;
    }
    Ok(Returns { user: args.user.clone(), state: args.state })
}

fn list<T: DeserializeOwned>(args: &Args, words: &[&str], sys: &mut System<'_>) -> Result<Vec<T>> {
    let command = rabbitmq::control(&args.node, words, sys)?.args(["--formatter", "json"]);
    let output = sys.ask(command).map_err(Failure::as_said)?;
    let text = output.stdout();
    // Warnings may stand before it.
    let json = text.find('[').and_then(|start| text.get(start..)).unwrap_or_default();
    serde_json::from_str(json)
        .map_err(|why| Failure::new(format!("rabbitmqctl {} tells no such list: {why}", words.join(" "))))
}

fn change(args: &Args, words: &[&str], sys: &mut System<'_>) -> Result<()> {
    let command = rabbitmq::control(&args.node, words, sys)?;
    sys.exec(command).map(drop).map_err(Failure::as_said)
}

/// A command that reads a password.
fn secret(args: &Args, verb: &str, password: &Secret, sys: &System<'_>) -> Result<Command> {
    let command = rabbitmq::control(&args.node, &[verb, &args.user], sys)?;
    Ok(command.stdin(format!("{}\n", password.expose())))
}

fn given(args: &Args) -> Option<&Secret> {
    args.password.as_ref().filter(|password| !password.expose().is_empty())
}

fn add(args: &Args, sys: &mut System<'_>) -> Result<()> {
    if let Some(password) = given(args) {
        let command = secret(args, "add_user", password, sys)?;
        sys.exec(command).map(drop).map_err(Failure::as_said)
    } else {
        change(args, &["add_user", &args.user, ""], sys)?;
        change(args, &["clear_password", &args.user], sys)
    }
}

/// Changes the password where the user cannot log in by it.
fn update(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let Some(password) = &args.password else { return Ok(()) };
    if password.expose().is_empty() {
        return change(args, &["clear_password", &args.user], sys);
    }
    let command = secret(args, "authenticate_user", password, sys)?;
    if !sys.query(command)?.ok() {
        let command = secret(args, "change_password", password, sys)?;
        sys.exec(command).map_err(Failure::as_said)?;
    }
    Ok(())
}

fn permit(args: &Args, is_new: bool, sys: &mut System<'_>) -> Result<()> {
    let user = args.user.as_str();
    // Nobody made yet has any.
    let grants: Vec<Grant> =
        if is_new { Vec::new() } else { list(args, &["list_user_permissions", user], sys)? };
    let single = [Permission {
        vhost: args.vhost.clone(),
        configure_priv: args.configure_priv.clone(),
        write_priv: args.write_priv.clone(),
        read_priv: args.read_priv.clone(),
    }];
    let wanted = if args.permissions.is_empty() { &single[..] } else { &args.permissions };
    if !args.permissions.is_empty() {
        let extra = grants.iter().filter(|grant| wanted.iter().all(|rule| rule.vhost != grant.vhost));
        for grant in extra {
            change(args, &["clear_permissions", "-p", &grant.vhost, user], sys)?;
        }
    }
    for rule in wanted {
        let Permission { vhost, configure_priv, write_priv, read_priv } = rule;
        let is_same = |grant: &Grant| {
            grant.vhost == *vhost
                && grant.configure == *configure_priv
                && grant.write == *write_priv
                && grant.read == *read_priv
        };
        if !grants.iter().any(is_same) {
            change(
                args,
                &["set_permissions", "-p", vhost, user, configure_priv, write_priv, read_priv],
                sys,
            )?;
        }
    }
    Ok(())
}

fn permit_topics(args: &Args, is_new: bool, sys: &mut System<'_>) -> Result<()> {
    let user = args.user.as_str();
    let grants: Vec<Grant> =
        if is_new { Vec::new() } else { list(args, &["list_user_topic_permissions", user], sys)? };
    let wanted = &args.topic_permissions;
    for Grant { vhost, exchange, .. } in &grants {
        if wanted.iter().all(|rule| (&rule.vhost, &rule.exchange) != (vhost, exchange)) {
            change(args, &["clear_topic_permissions", "-p", vhost, user, exchange], sys)?;
        }
    }
    for rule in wanted {
        let TopicPermission { vhost, exchange, write_priv, read_priv } = rule;
        let is_same = |grant: &Grant| {
            (&grant.vhost, &grant.exchange) == (vhost, exchange)
                && grant.write == *write_priv
                && grant.read == *read_priv
        };
        if !grants.iter().any(is_same) {
            let words = ["set_topic_permissions", "-p", vhost, user, exchange, write_priv, read_priv];
            change(args, &words, sys)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    const CONTROL: &str = "/usr/sbin/rabbitmqctl -q -n rabbit ";

    fn trial() -> Trial {
        let trial = Trial::of("rabbitmq_user");
        trial.host.program("/usr/sbin/rabbitmqctl").answer("/usr/sbin/rabbitmqctl", 0, "");
        for (verb, json) in [
            ("list_users", r#"[{"user":"joe","tags":["monitoring","policymaker"]}]"#),
            (
                "list_user_permissions",
                r#"[{"vhost":"/","configure":".*","write":".*","read":".*"},
                    {"vhost":"/o","configure":"a","write":"b","read":"c"}]"#,
            ),
            (
                "list_user_topic_permissions",
                r#"[{"vhost":"/","exchange":"amq.topic","write":"w","read":"r"}]"#,
            ),
        ] {
            trial.host.answer(&format!("{CONTROL}{verb}"), 0, json);
        }
        trial.host.script(&format!("{CONTROL}authenticate_user"), |command, _| {
            let right = command.stdin.as_deref() == Some(b"good\n");
            Output { code: if right { 0 } else { 65 }, ..Output::default() }
        });
        trial
    }

    /// With what joe has, but for what is given.
    fn joe(more: &Json) -> Json {
        let mut args = json!({
            "user": "joe", "tags": "policymaker,monitoring",
            "configure_priv": ".*", "write_priv": ".*", "read_priv": ".*",
            "topic_permissions": [{"write_priv": "w", "read_priv": "r"}],
        });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    }

    fn check(args: &Json, expected: &[&str]) {
        let trial = trial();
        trial.foretold(args, !expected.is_empty());
        let ran = trial.host.ran();
        let lines = ran.iter().map(|line| line.strip_prefix(CONTROL).unwrap());
        let looks = |line: &&str| line.starts_with("list_") || line.starts_with("authenticate");
        let made: Vec<&str> = lines.filter(|line| !looks(line)).collect();
        assert_eq!(made, expected, "{args}");
    }

    #[test]
    fn users_come_and_go() {
        check(
            &json!({"user": "new", "password": "pw", "tags": "a,b"}),
            &["add_user new", "set_user_tags new a b", "set_permissions -p / new ^$ ^$ ^$"],
        );
        check(
            &json!({"user": "new"}),
            &["add_user new ", "clear_password new", "set_permissions -p / new ^$ ^$ ^$"],
        );
        check(&json!({"user": "joe", "state": "absent"}), &["delete_user joe"]);
        check(&json!({"user": "new", "state": "absent"}), &[]);
        check(
            &json!({"user": "joe", "password": "pw", "force": true}),
            &["delete_user joe", "add_user joe", "set_permissions -p / joe ^$ ^$ ^$"],
        );
    }

    #[test]
    fn users_change() {
        check(&joe(&json!({})), &[]);
        check(&joe(&json!({"password": "other"})), &[]);
        check(&joe(&json!({"password": "good", "update_password": "always"})), &[]);
        check(&joe(&json!({"password": "other", "update_password": "always"})), &["change_password joe"]);
        check(&joe(&json!({"tags": "x"})), &["set_user_tags joe x"]);
        check(&joe(&json!({"tags": null})), &["set_user_tags joe"]);
        check(&joe(&json!({"vhost": "/n"})), &["set_permissions -p /n joe .* .* .*"]);
        check(
            &joe(&json!({"permissions": [{"vhost": "/o", "configure_priv": "a", "write_priv": "x"}]})),
            &["clear_permissions -p / joe", "set_permissions -p /o joe a x ^$"],
        );
        check(
            &joe(&json!({"topic_permissions": [{"vhost": "/o", "exchange": "e", "write_priv": "w"}]})),
            &["clear_topic_permissions -p / joe amq.topic", "set_topic_permissions -p /o joe e w ^$"],
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let got = trial().run(&json!({"user": "joe", "login_host": "h"}));
        assert_eq!(got["msg"], "login_host: not supported: rabbitmqctl is used, on the host of the node");
        let trial = trial();
        trial.host.answer(&format!("{CONTROL}list_users"), 0, "none\n");
        let msg = trial.run(&json!({"user": "joe"}))["msg"].clone();
        assert!(msg.as_str().unwrap().starts_with("rabbitmqctl list_users tells no such list: "), "{msg}");
    }
}
