mod account;
mod aging;
mod local;
mod ssh_key;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::account::Account;
use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Result, Secret, System, User};
use crate::lineinfile::State;

/// Manages users.
///
/// # Examples
///
/// ```yaml
/// - name: The user johnd, with a number and a primary group
///   user:
///     name: johnd
///     comment: John Doe
///     uid: 1040
///     group: users
///
/// - name: One more group, the others stay
///   user:
///     name: james
///     shell: /bin/bash
///     groups: admins,developers
///     append: yes
///
/// - name: The user johnd is gone, with his home
///   user:
///     name: johnd
///     state: absent
///     remove: yes
///
/// - name: A system user without a home or a login
///   user: {name: app, system: yes, create_home: no, shell: /usr/sbin/nologin}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["append", true, ["groups"]]]))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// Name of the user.
    #[schemars(extend("aliases" = ["user"]))]
    pub name: String,
    /// Whether the user exists.
    #[serde(default)]
    pub state: State,
    /// The user's number; the system chooses when not given.
    pub uid: Option<u32>,
    /// The lowest number the system may choose.
    pub uid_min: Option<u32>,
    /// The highest number the system may choose.
    pub uid_max: Option<u32>,
    /// Lets the number be one that is already taken.
    #[serde(default)]
    pub non_unique: bool,
    /// The primary group, by name or number.
    pub group: Option<String>,
    /// The other groups. Empty removes the user from all but the primary one.
    pub groups: Option<Vec<String>>,
    /// Adds to the user's groups instead of replacing them.
    #[serde(default)]
    pub append: bool,
    /// The description (GECOS).
    pub comment: Option<String>,
    /// The home directory.
    pub home: Option<FilePath>,
    /// Whether the home directory is made for a new user.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["createhome"]))]
    pub create_home: bool,
    /// Moves the contents of the old home to the new one.
    #[serde(default)]
    pub move_home: bool,
    /// The directory a new home is copied from.
    pub skeleton: Option<String>,
    /// The umask for a new home.
    pub umask: Option<String>,
    /// The login shell.
    pub shell: Option<FilePath>,
    /// The hashed password, as `/etc/shadow` has it. See the `password_hash` filter.
    pub password: Option<Secret>,
    /// Whether the password of an existing user is changed too.
    #[serde(default)]
    pub update_password: UpdatePassword,
    /// Locks or unlocks the password.
    pub password_lock: Option<bool>,
    /// Days after which the password must be changed.
    pub password_expire_max: Option<i64>,
    /// Days before the password may be changed again.
    pub password_expire_min: Option<i64>,
    /// Days before the password expires that the user is warned.
    pub password_expire_warn: Option<i64>,
    /// Days after the password expires that the account is disabled.
    pub password_expire_account_disable: Option<i64>,
    /// When the account expires, in seconds since 1970; negative: never.
    pub expires: Option<f64>,
    /// Makes a system user.
    #[serde(default)]
    pub system: bool,
    /// The SELinux user.
    pub seuser: Option<String>,
    /// Uses the `l…` commands, which know local users only.
    #[serde(default)]
    pub local: bool,
    /// With `state: absent`, removes the user even when logged in.
    #[serde(default)]
    pub force: bool,
    /// With `state: absent`, removes home and mail.
    #[serde(default)]
    pub remove: bool,
    /// Makes an SSH key for the user, unless there is one.
    #[serde(default)]
    pub generate_ssh_key: bool,
    /// The size of the key in bits.
    pub ssh_key_bits: Option<u32>,
    /// The kind of key.
    #[serde(default = "rsa")]
    pub ssh_key_type: String,
    /// Where the key is, relative to the home.
    pub ssh_key_file: Option<FilePath>,
    /// The comment of the key.
    #[serde(default = "key_comment")]
    pub ssh_key_comment: String,
    /// The passphrase of the key.
    pub ssh_key_passphrase: Option<Secret>,
    /// For macOS only; does nothing on Linux, and says so.
    pub hidden: Option<bool>,
    /// For BSD only; does nothing on Linux, and says so.
    pub login_class: Option<String>,
    /// For Illumos only; does nothing on Linux, and says so.
    pub profile: Option<String>,
    /// For Illumos only; does nothing on Linux, and says so.
    pub authorization: Option<String>,
    /// For Illumos only; does nothing on Linux, and says so.
    pub role: Option<String>,
}

fn rsa() -> String {
    "rsa".to_owned()
}

fn key_comment() -> String {
    "ansible-generated on $HOSTNAME".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePassword {
    #[default]
    Always,
    OnCreate,
}

#[derive(Default, Serialize)]
pub struct Returns {
    name: String,
    state: &'static str,
    #[serde(flatten)]
    is: Option<Is>,
    #[serde(skip_serializing_if = "Option::is_none")]
    append: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    move_home: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_home: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    force: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remove: Option<bool>,
    #[serde(flatten)]
    said: Said,
    #[serde(flatten)]
    key: Option<ssh_key::Key>,
}

/// What the tools had to say, though all went well.
#[derive(Default, Serialize)]
struct Said {
    #[serde(skip_serializing_if = "String::is_empty")]
    stdout: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    stderr: String,
}

impl Said {
    /// Runs a tool.
    fn by(&mut self, command: Command, args: &Args, sys: &mut System<'_>) -> Result<()> {
        let output = sys.exec(command).map_err(|failure| told(failure, &args.name))?;
        if let Some(output) = output {
            self.stdout.push_str(&output.stdout());
            self.stderr.push_str(&output.stderr());
        }
        Ok(())
    }
}

/// What the user is in the end.
#[derive(Serialize)]
struct Is {
    uid: u32,
    group: u32,
    comment: String,
    home: String,
    shell: String,
}

pub(crate) fn run(mut args: Args, sys: &mut System<'_>) -> Result<Returns> {
    judge(&args, sys)?;
    let selinux = sys.exists(std::path::Path::new("/sys/fs/selinux/enforce"))?;
    if let Some(seuser) = args.seuser.take_if(|_| !selinux) {
        sys.warn(format!(
            "'seuser' is set to '{seuser}' but SELinux is not enabled on this system. The 'seuser' parameter will be \
             ignored."
        ));
    }
    let known = known(sys, &args)?;
    let mut returns = Returns { name: args.name.clone(), ..Returns::default() };
    if args.state == State::Absent {
        returns.state = "absent";
        if known.is_some() {
            returns.force = Some(args.force);
            returns.remove = Some(args.remove);
            account::remove(&args, &mut returns.said, sys)?;
            sys.foretell_user_gone(&args.name)?;
        }
        return Ok(returns);
    }
    returns.state = "present";
    let account = Account::wanted(&args, sys)?;
    let groups = account.groups_afterwards(&args, known.as_ref(), sys)?;
    returns.groups = Some(account::joined(&groups));
    match &known {
        None => {
            account::create(&args, &account, &mut returns.said, sys)?;
            account::foretell(&args, &account, None, sys)?;
            returns.create_home = Some(args.create_home);
            returns.system = Some(args.system);
        }
        Some(user) => {
            account::modify(&args, &account, user, &mut returns.said, sys)?;
            if args.create_home {
                let user = self::known(sys, &args)?.unwrap_or_else(|| user.clone());
                account::make_home(&args, &user, &mut returns.said, sys)?;
            }
            account::foretell(&args, &account, Some(user), sys)?;
            returns.append = Some(args.append);
            returns.move_home = Some(args.move_home);
        }
    }
    aging::ensure(&args, &mut returns.said, sys)?;
    returns.password = args.password.as_ref().map(|_| "NOT_LOGGING_PASSWORD");
    // The number of a user that check mode did not make is a guess.
    let is_guess = sys.is_check() && known.is_none();
    if let Some(user) = self::known(sys, &args)?.filter(|_| !is_guess) {
        if args.generate_ssh_key {
            returns.key = Some(ssh_key::ensure(&args, &user, &mut returns.said, sys)?);
        }
        returns.is = Some(Is {
            uid: user.uid,
            group: user.gid,
            comment: user.comment,
            home: user.home,
            shell: user.shell,
        });
    }
    Ok(returns)
}

/// A failure of one of the tools in Ansible's words: what the tool said.
pub(crate) fn told(failure: Failure, name: &str) -> Failure {
    let Some(said) = failure.fields.get("stderr").and_then(|said| said.as_str()) else { return failure };
    let said = said.trim();
    let msg = if said.is_empty() { failure.msg.clone() } else { said.to_owned() };
    let rc = failure.fields.get("rc").cloned();
    Failure::new(msg).with("name", name).with("rc", rc)
}

/// What does not go together is an error; what does nothing here is told.
fn judge(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let not_local = [
        ("uid_min", args.uid_min.is_some()),
        ("uid_max", args.uid_max.is_some()),
        ("umask", args.umask.is_some()),
    ];
    if let Some((option, _)) = not_local.into_iter().find(|(_, given)| args.local && *given) {
        return Err(Failure::new(format!("'{option}' can not be used with 'local'")));
    }
    let foreign = [
        ("hidden", args.hidden.is_some()),
        ("login_class", args.login_class.is_some()),
        ("profile", args.profile.is_some()),
        ("authorization", args.authorization.is_some()),
        ("role", args.role.is_some()),
    ];
    for (option, _) in foreign.into_iter().filter(|(_, given)| *given) {
        sys.warn(format!(
            "'{option}' is given, but does nothing on Linux. The '{option}' parameter will be ignored."
        ));
    }
    if args.password.as_ref().is_some_and(|password| !looks_hashed(password.expose())) {
        sys.warn(
            "The input password appears not to have been hashed. The 'password' argument must be encrypted for this \
             module to work properly.",
        );
    }
    Ok(())
}

/// Whether `/etc/shadow` can mean a password by that: a hash as `crypt` makes them, or one of the marks for none.
fn looks_hashed(password: &str) -> bool {
    if password.is_empty() || ["*", "!", "*************"].contains(&password) {
        return true;
    }
    let is_salted = |c: char| c.is_ascii_alphanumeric() || "./".contains(c);
    let fields: Vec<&str> = password.split('$').collect();
    match fields.as_slice() {
        ["", kind, .., hash] if !kind.is_empty() => {
            let length = match *kind {
                "1" => 22,
                "5" => 43,
                "6" => 86,
                _ => return true,
            };
            hash.len() == length && hash.chars().all(is_salted)
        }
        _ => password.len() == 13 && password.chars().all(is_salted),
    }
}

fn known(sys: &System<'_>, args: &Args) -> Result<Option<User>> {
    if args.local {
        return Ok(sys.users()?.into_iter().find(|user| user.name == args.name));
    }
    sys.user(&args.name)
}

/// The command that manages users, by its full path: `sbin` is not in every `PATH`.
fn tool(sys: &System<'_>, local: bool, name: &str) -> Result<Command> {
    let name = if local { format!("l{name}") } else { name.to_owned() };
    for dir in ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin"] {
        let path = std::path::Path::new(dir).join(&name);
        if sys.exists(&path)? {
            return Ok(Command::new(path));
        }
    }
    sys.need(&name).map(Command::new)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000:Bob:/home/bob:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nbob:x:1000:\nwheel:x:10:bob\ndev:x:20:\n";

    fn check(args: &Json, expected: &[&str]) {
        let trial = Trial::of("user");
        trial
            .host
            .file("/etc/passwd", PASSWD)
            .file("/etc/group", GROUP)
            .file("/etc/shadow", "bob:$6$x:1:0:99999:7:::\n")
            .dir("/home/bob");
        for tool in ["useradd", "usermod", "userdel", "chage"] {
            trial.host.program(&format!("/usr/sbin/{tool}")).answer(&format!("/usr/sbin/{tool}"), 0, "");
        }
        let result = trial.run(args);
        assert_eq!(result["failed"], Json::Null, "{args} {result}");
        assert_eq!(trial.host.ran(), expected, "{args}");
        assert_eq!(result["changed"], !expected.is_empty(), "{args}");
    }

    #[test]
    fn users_are_made() {
        check(&json!({"name": "new"}), &["/usr/sbin/useradd -m new"]);
        check(
            &json!({"name": "app", "system": true, "create_home": false, "shell": "/sbin/nologin", "uid": 99}),
            &["/usr/sbin/useradd -u 99 -s /sbin/nologin -M -r app"],
        );
        check(
            &json!({"name": "x", "group": "dev", "groups": "wheel", "comment": "X Y"}),
            &["/usr/sbin/useradd -g dev -G wheel -c X Y -m x"],
        );
    }

    #[test]
    fn users_are_changed_only_where_they_differ() {
        check(&json!({"name": "bob", "shell": "/bin/sh", "groups": "wheel"}), &[]);
        check(&json!({"name": "bob", "groups": "dev", "append": true}), &["/usr/sbin/usermod -a -G dev bob"]);
        check(&json!({"name": "bob", "groups": "dev"}), &["/usr/sbin/usermod -G dev bob"]);
        check(&json!({"name": "bob", "groups": []}), &["/usr/sbin/usermod -G  bob"]);
        // The primary group does not count, by number or name; nor does a number of another.
        check(&json!({"name": "bob", "groups": ["bob", "10"]}), &[]);
        check(
            &json!({"name": "bob", "groups": ["bob"], "append": true}),
            &["/usr/sbin/usermod -a -G bob bob"],
        );
        check(
            &json!({"name": "bob", "group": "dev", "groups": ["dev", "wheel"]}),
            &["/usr/sbin/usermod -g dev bob"],
        );
        check(&json!({"name": "bob", "shell": "/bin/zsh"}), &["/usr/sbin/usermod -s /bin/zsh bob"]);
        check(&json!({"name": "bob", "password": "$6$x"}), &[]);
        check(&json!({"name": "bob", "password_expire_max": 30}), &["/usr/sbin/chage -M 30 bob"]);
        check(&json!({"name": "bob", "password_expire_account_disable": -1}), &[]);
        check(&json!({"name": "bob", "password_expire_max": -1}), &["/usr/sbin/chage -M -1 bob"]);
    }

    #[test]
    fn a_home_that_is_missing_is_made() {
        let trial = Trial::of("user");
        trial.host.file("/etc/passwd", PASSWD).file("/etc/group", GROUP).program("/usr/sbin/usermod");
        trial.host.file("/etc/login.defs", "UMASK 022\nHOME_MODE\t0700\n").answer("sh", 0, "");
        assert_eq!(trial.run(&json!({"name": "bob", "create_home": false}))["changed"], false);
        assert_eq!(trial.run(&json!({"name": "bob"}))["changed"], true);
        assert!(trial.host.ran().join("\n").contains("/home/bob /etc/skel 1000:1000 0700"));
    }

    #[test]
    fn users_are_removed() {
        check(&json!({"name": "bob", "state": "absent", "remove": true}), &["/usr/sbin/userdel -r bob"]);
        check(&json!({"name": "none", "state": "absent"}), &[]);
    }

    #[test]
    fn a_missing_group_is_an_error() {
        let trial = Trial::of("user");
        trial.host.file("/etc/passwd", PASSWD).file("/etc/group", GROUP);
        let result = trial.run(&json!({"name": "bob", "groups": "nope"}));
        assert_eq!(result["msg"], "Group nope does not exist");
    }
}
