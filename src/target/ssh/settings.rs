//! Everything one connection needs to know, from the inventory, the arguments and `ssh_config`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::PrivateKey;

use super::{args, identity};
use crate::target::ssh_config::{self, ConfigFiles, Source, Tokens, Use, Values, expand_env};
use crate::target::surroundings::Surroundings;
use crate::target::{Secret, SshOptions};

/// As Ansible's `timeout`.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A link that says nothing for four times this long is dead.
const ALIVE: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Where to connect.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<Secret>,
    pub keys: Keys,
    pub methods: Methods,
    pub proxy: Proxy,
    pub connect_timeout: Duration,
    pub attempts: u32,
    pub trust: Trust,
    pub alive: Option<Duration>,
    pub alive_max: usize,
    pub compression: bool,
    pub family: Family,
    pub bind: Option<IpAddr>,
    /// The user's wishes for algorithms, in OpenSSH's notation.
    pub algorithms: Algorithms,
    /// For `-v`: what was asked for and makes no difference.
    pub notes: Vec<String>,
}

/// Which keys may be tried.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// The key whose text was given, or why it cannot be used.
    pub given: Option<Result<Arc<PrivateKey>, String>>,
    /// Files asked for by name; the usual ones when empty.
    pub files: Vec<PathBuf>,
    /// Whether the agent's other keys are left alone.
    pub only: bool,
    pub certificates: Vec<PathBuf>,
    pub agent: Option<PathBuf>,
    /// The agent that hosts may ask.
    pub forward: Option<PathBuf>,
    /// Whether nobody is to be asked for a passphrase.
    pub batch: bool,
}

/// How host keys are checked.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub user_files: Vec<PathBuf>,
    pub global_files: Vec<PathBuf>,
    pub alias: Option<String>,
    pub strict: Strict,
    /// Whether names are recorded as hashes.
    pub hashed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    None,
    /// The last jump host, itself reached through those before it.
    Jump(Box<SshOptions>),
    Command(String),
}

/// `StrictHostKeyChecking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strict {
    Yes,
    No,
    AcceptNew,
    Ask,
}

/// Which ways to authenticate may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Methods {
    pub publickey: bool,
    pub password: bool,
    pub keyboard: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Algorithms {
    pub kex: Option<String>,
    pub ciphers: Option<String>,
    pub macs: Option<String>,
    pub host_keys: Option<String>,
}

/// Puts together what is known about a host. Reads files and may run `Match exec` commands: not for an async
/// thread.
pub(super) fn resolve(
    options: &SshOptions,
    surroundings: &Surroundings,
    files: &ConfigFiles,
) -> Result<Settings, String> {
    check_names(options)?;
    let mut values = Values::default();
    let mut first = |key, value: String| values.set(key, Use::Honoured, vec![value]);
    if options.host_key_checking == Some(false) {
        first("stricthostkeychecking", "no".to_owned());
    }
    if let Some(port) = options.port {
        first("port", port.to_string());
    }
    if let Some(user) = &options.user {
        first("user", user.clone());
    }
    if let Some(key) = &options.private_key {
        values.set("identityfile", Use::Accumulated, vec![key.to_string_lossy().replace('%', "%%")]);
    }
    let flags = args::read(&mut values, &options.args)?;
    ssh_config::read(&mut values, &flags.source, &options.host, surroundings, files)?;
    Pieces { values: &values, options, surroundings, source: &flags.source }.settings(flags.notes)
}

/// Names come from inventories, or from what hosts said; they end up in commands (`ProxyCommand`, `Match exec`). What
/// OpenSSH refuses on its command line, we do.
fn check_names(options: &SshOptions) -> Result<(), String> {
    let shell = |c: char| c.is_control() || "'`\"$;&<>|(){}\\".contains(c);
    let bad_host = |host: &str| host.starts_with('-') || host.contains(|c: char| shell(c) || c == ' ');
    if bad_host(&options.host) {
        return Err(format!("hostname contains invalid characters: {:?}", options.host));
    }
    // A user may be of a domain: `DOMAIN\\user`.
    let bad_user =
        |user: &str| user.starts_with('-') || user.ends_with('\\') || user.replace('\\', "").contains(shell);
    match options.user.as_deref().filter(|user| bad_user(user)) {
        Some(user) => Err(format!("remote username contains invalid characters: {user:?}")),
        None => Ok(()),
    }
}

struct Pieces<'a> {
    values: &'a Values,
    options: &'a SshOptions,
    surroundings: &'a Surroundings,
    source: &'a Source,
}

impl Pieces<'_> {
    fn settings(&self, mut notes: Vec<String>) -> Result<Settings, String> {
        notes.extend(self.values.unsupported.iter().cloned());
        let original = &self.options.host;
        let host = match self.values.get("hostname") {
            Some(name) => ssh_config::hostname(name, original)?,
            None => original.clone(),
        };
        let host = host.to_lowercase();
        let port = self.number("port", 22)?;
        let user = self.values.get("user").unwrap_or(&self.surroundings.user).to_owned();
        let alias = self.values.get("hostkeyalias");
        let jump = self.values.get("proxyjump").unwrap_or_default();
        let tokens =
            Tokens { surroundings: self.surroundings, host: &host, original, port, user: &user, alias, jump };
        let proxy = self.proxy(&tokens)?;
        let alive: u64 = self.seconds("serveraliveinterval")?.unwrap_or(ALIVE.as_secs());
        Ok(Settings {
            password: self.options.password.clone(),
            keys: Keys {
                given: self
                    .options
                    .key
                    .as_ref()
                    .map(|text| identity::parse(text, self.options.passphrase.as_ref())),
                files: self.paths("identityfile", &tokens)?,
                only: self.flag("identitiesonly", false)?,
                certificates: self.paths("certificatefile", &tokens)?,
                agent: self.agent(&tokens)?,
                forward: self.forward(&tokens)?,
                batch: self.flag("batchmode", false)?,
            },
            methods: self.methods()?,
            proxy,
            connect_timeout: match self.options.connect_timeout {
                Some(timeout) => timeout,
                None => self.seconds("connecttimeout")?.map_or(TIMEOUT, Duration::from_secs),
            },
            attempts: self.number("connectionattempts", 1)?.max(self.options.retries.saturating_add(1)),
            trust: Trust {
                user_files: match self.paths("userknownhostsfile", &tokens)? {
                    files if self.values.get("userknownhostsfile").is_some() => files,
                    _ => ["known_hosts", "known_hosts2"].map(|name| self.surroundings.ssh_dir(name)).to_vec(),
                },
                global_files: match self.paths("globalknownhostsfile", &tokens)? {
                    files if self.values.get("globalknownhostsfile").is_some() => files,
                    _ => self.surroundings.global_known_hosts.clone(),
                },
                alias: alias.map(str::to_owned),
                strict: self.strict()?,
                hashed: self.flag("hashknownhosts", false)?,
            },
            alive: (alive > 0).then(|| Duration::from_secs(alive)),
            alive_max: self.number("serveralivecountmax", 3)?,
            compression: self.flag("compression", false)?,
            family: match self.values.get("addressfamily") {
                None | Some("any") => Family::Any,
                Some("inet") => Family::V4,
                Some("inet6") => Family::V6,
                Some(other) => return Err(format!("AddressFamily {other} is none")),
            },
            bind: match self.values.get("bindaddress") {
                None => None,
                Some(text) => Some(text.parse().map_err(|_| format!("BindAddress {text} is no IP address"))?),
            },
            algorithms: Algorithms {
                kex: self.text("kexalgorithms"),
                ciphers: self.text("ciphers"),
                macs: self.text("macs"),
                host_keys: self.text("hostkeyalgorithms"),
            },
            notes,
            host,
            port,
            user,
        })
    }

    fn text(&self, key: &str) -> Option<String> {
        self.values.get(key).map(str::to_owned)
    }

    fn number<T: std::str::FromStr>(&self, key: &str, default: T) -> Result<T, String> {
        match self.values.get(key) {
            Some(text) => text.parse().map_err(|_| format!("{key} {text} is no number")),
            None => Ok(default),
        }
    }

    /// `10`, `2m`, `1h30m`; `none` is as good as absent.
    fn seconds(&self, key: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.values.get(key).filter(|text| *text != "none") else { return Ok(None) };
        let bad = || format!("{key} {text} is no time");
        let (mut total, mut number) = (0_u64, None::<u64>);
        for c in text.chars() {
            if let Some(digit) = c.to_digit(10) {
                let grown = number.unwrap_or(0).checked_mul(10).ok_or_else(bad)?;
                number = Some(grown + u64::from(digit));
                continue;
            }
            let unit = match c.to_ascii_lowercase() {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                'w' => 604_800,
                _ => return Err(bad()),
            };
            total += number.take().and_then(|number| number.checked_mul(unit)).ok_or_else(bad)?;
        }
        Ok(Some(total + number.unwrap_or(0)))
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, String> {
        match self.values.get(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("yes" | "true") => Ok(true),
            Some("no" | "false") => Ok(false),
            // These say how it is to be tied to the host's key, which we leave to the server.
            Some("unbound" | "host-bound") if key == "pubkeyauthentication" => Ok(true),
            Some(other) => Err(format!("{key} {other} is neither yes nor no")),
        }
    }

    fn paths(&self, key: &str, tokens: &Tokens<'_>) -> Result<Vec<PathBuf>, String> {
        let words = self.values.all(key).iter().filter(|word| !word.eq_ignore_ascii_case("none"));
        words.map(|word| Ok(self.surroundings.expand_tilde(&expand_env(&tokens.expand(word)?)?))).collect()
    }

    fn agent(&self, tokens: &Tokens<'_>) -> Result<Option<PathBuf>, String> {
        match self.values.get("identityagent") {
            None | Some("SSH_AUTH_SOCK") => Ok(self.surroundings.agent.clone()),
            Some("none") => Ok(None),
            Some(variable) if variable.starts_with('$') && !variable.starts_with("${") => {
                Ok(std::env::var_os(variable.trim_start_matches('$')).map(PathBuf::from))
            }
            Some(_) => Ok(self.paths("identityagent", tokens)?.pop()),
        }
    }

    /// Our agent, or the one whose socket is named.
    fn forward(&self, tokens: &Tokens<'_>) -> Result<Option<PathBuf>, String> {
        match self.values.get("forwardagent") {
            Some(variable) if variable.starts_with('$') && !variable.starts_with("${") => {
                Ok(std::env::var_os(variable.trim_start_matches('$')).map(PathBuf::from))
            }
            Some(path) if path.starts_with(['/', '~', '%', '$']) => {
                Ok(self.paths("forwardagent", tokens)?.pop())
            }
            _ if self.flag("forwardagent", false)? => self.agent(tokens),
            _ => Ok(None),
        }
    }

    fn strict(&self) -> Result<Strict, String> {
        match self.values.get("stricthostkeychecking").map(str::to_ascii_lowercase).as_deref() {
            None | Some("ask") => Ok(Strict::Ask),
            Some("yes" | "true") => Ok(Strict::Yes),
            Some("no" | "off" | "false") => Ok(Strict::No),
            Some("accept-new") => Ok(Strict::AcceptNew),
            Some(other) => Err(format!("StrictHostKeyChecking {other} is none of yes, no, accept-new, ask")),
        }
    }

    fn methods(&self) -> Result<Methods, String> {
        let preferred = self.values.get("preferredauthentications");
        let wanted = |name| preferred.is_none_or(|list| list.split(',').any(|method| method.trim() == name));
        Ok(Methods {
            publickey: wanted("publickey") && self.flag("pubkeyauthentication", true)?,
            password: wanted("password") && self.flag("passwordauthentication", true)?,
            keyboard: wanted("keyboard-interactive") && self.flag("kbdinteractiveauthentication", true)?,
        })
    }

    fn proxy(&self, tokens: &Tokens<'_>) -> Result<Proxy, String> {
        if let Some(command) = self.text("proxycommand").filter(|command| command != "none") {
            return Ok(Proxy::Command(tokens.expand(&command)?));
        }
        let Some(jumps) = self.values.get("proxyjump").filter(|jumps| !jumps.eq_ignore_ascii_case("none"))
        else {
            return Ok(Proxy::None);
        };
        let jumps = tokens.expand(jumps)?;
        let (before, last) = match jumps.rsplit_once(',') {
            Some((before, last)) => (Some(before), last),
            None => (None, jumps.as_str()),
        };
        // As `ssh -J`: a jump host has the configuration file, not the arguments of the host behind it.
        let mut args = match self.source {
            Source::Standard => Vec::new(),
            Source::Nothing => vec!["-F none".to_owned()],
            Source::File(path) => vec![shlex::try_join(["-F", &path.to_string_lossy()]).unwrap_or_default()],
        };
        if let Some(before) = before {
            args.push(shlex::try_join(["-J", before]).map_err(|error| error.to_string())?);
        }
        let (user, host, port) =
            jump(last.trim()).ok_or_else(|| format!("ProxyJump {jumps} makes no sense"))?;
        let connect_timeout = self.options.connect_timeout;
        Ok(Proxy::Jump(Box::new(SshOptions {
            host,
            port,
            user,
            args,
            connect_timeout,
            ..SshOptions::default()
        })))
    }
}

/// `[user@]host[:port]`, or the same as `ssh://` URI.
fn jump(text: &str) -> Option<(Option<String>, String, Option<u16>)> {
    let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, text),
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match rest.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    (!host.is_empty() && user.as_deref() != Some("")).then(|| (user, host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn resolve_with(config: &str, options: &SshOptions) -> Result<Settings, String> {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("config");
        std::fs::write(&path, config).unwrap();
        let surroundings = Surroundings {
            home: "/home/me".into(),
            user: "me".into(),
            agent: Some("/run/agent".into()),
            user_config: Some(path),
            system_config: None,
            ..Surroundings::real()
        };
        resolve(options, &surroundings, &ConfigFiles::default())
    }

    fn web() -> SshOptions {
        SshOptions { host: "web".to_owned(), ..SshOptions::default() }
    }

    #[test]
    fn names_that_would_speak_to_a_shell() {
        for (host, user, fine) in [
            ("web.example.org", "bob", true),
            ("fe80::1%eth0", r"CORP\bob", true),
            ("-oProxyCommand=x", "bob", false),
            ("x$(id)", "bob", false),
            ("web", "bob;id", false),
            ("web", "-x", false),
        ] {
            let options = SshOptions { host: host.into(), user: Some(user.into()), ..SshOptions::default() };
            assert_eq!(check_names(&options).is_ok(), fine, "{host} {user}");
        }
    }

    #[test]
    fn the_inventory_wins_over_arguments_and_those_over_files() {
        let config = "Host web\n HostName %h.example.com\n Port 1\n User file\n ConnectTimeout 1m30s\n IdentityFile ~/f-%r\n";
        let plain = resolve_with(config, &web()).unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.user.as_str()), ("web.example.com", 1, "file"));
        assert_eq!(plain.connect_timeout, Duration::from_secs(90));
        assert_eq!(plain.keys.files, [PathBuf::from("/home/me/f-file")]);
        let args = vec!["-o Port=2 -l arg -i ~/a -o ConnectTimeout=5".to_owned()];
        let with_args = resolve_with(config, &SshOptions { args: args.clone(), ..web() }).unwrap();
        assert_eq!((with_args.port, with_args.user.as_str()), (2, "arg"));
        assert_eq!(with_args.connect_timeout, Duration::from_secs(5));
        let options = SshOptions {
            args,
            port: Some(3),
            user: Some("inventory".into()),
            private_key: Some("/k/100%".into()),
            connect_timeout: Some(Duration::from_secs(7)),
            ..web()
        };
        let all = resolve_with(config, &options).unwrap();
        assert_eq!((all.port, all.user.as_str(), all.connect_timeout.as_secs()), (3, "inventory", 7));
        let files = ["/k/100%", "/home/me/a", "/home/me/f-inventory"].map(PathBuf::from);
        assert_eq!(all.keys.files, files);
    }

    #[test]
    fn defaults() {
        let settings = resolve_with("", &web()).unwrap();
        assert_eq!((settings.port, settings.user.as_str(), settings.trust.strict), (22, "me", Strict::Ask));
        assert_eq!(settings.connect_timeout, TIMEOUT);
        assert_eq!(settings.keys.agent, Some("/run/agent".into()));
        let files = ["/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2"].map(PathBuf::from);
        assert_eq!(settings.trust.user_files, files);
        let unchecked = SshOptions { host_key_checking: Some(false), ..web() };
        assert_eq!(resolve_with("StrictHostKeyChecking yes", &unchecked).unwrap().trust.strict, Strict::No);
    }

    #[test]
    fn proxies() {
        /// `expect`: `user host port args` of the last jump host, with `-` for what is absent.
        fn check(config: &str, expect: &str) {
            let got = match resolve_with(config, &web()).unwrap().proxy {
                Proxy::Jump(jump) => {
                    let SshOptions { user, host, port, args, .. } = *jump;
                    let port = port.map_or_else(|| "-".to_owned(), |port| port.to_string());
                    format!("{} {host} {port} {}", user.unwrap_or_else(|| "-".to_owned()), args.join(" "))
                }
                other => format!("{other:?}"),
            };
            assert_eq!(got.trim_end(), expect, "{config}");
        }
        check("", "None");
        check("ProxyJump none", "None");
        check("ProxyJump gate", "- gate -");
        check("ProxyJump me@[fe80::1]:2200", "me fe80::1 2200");
        check("ProxyJump ssh://me@gate:2200/", "me gate 2200");
        check("ProxyJump %r@gate-%h:%p", "me gate-web 22");
        check("ProxyJump a,b@c:1,d", "- d - -J 'a,b@c:1'");
        let command = resolve_with("ProxyCommand nc %h %p", &web()).unwrap().proxy;
        assert_eq!(command, Proxy::Command("nc web 22".to_owned()));
        let args = vec!["-F /etc/fanfare/ssh".to_owned(), "-J gate".to_owned()];
        assert!(
            resolve_with("", &SshOptions { args, ..web() })
                .unwrap_err()
                .contains("Can't open user config file")
        );
    }

    #[test]
    fn agents_for_hosts() {
        fn check(config: &str, expect: Option<&str>) {
            let forward = resolve_with(config, &web()).unwrap().keys.forward;
            assert_eq!(forward, expect.map(PathBuf::from), "{config}");
        }
        check("", None);
        check("ForwardAgent no", None);
        check("ForwardAgent yes", Some("/run/agent"));
        check("ForwardAgent yes\nIdentityAgent none", None);
        check("ForwardAgent ~/other-%r", Some("/home/me/other-me"));
        check("PubkeyAuthentication unbound\nForwardAgent yes", Some("/run/agent"));
    }

    #[test]
    fn bad_values_are_errors() {
        fn check(config: &str, expect: &str) {
            assert_eq!(resolve_with(config, &web()).unwrap_err(), expect);
        }
        check("Port many", "port many is no number");
        check("ConnectTimeout soon", "connecttimeout soon is no time");
        check(
            "StrictHostKeyChecking perhaps",
            "StrictHostKeyChecking perhaps is none of yes, no, accept-new, ask",
        );
        check("IdentitiesOnly perhaps", "identitiesonly perhaps is neither yes nor no");
        check("IdentityFile %q", "unknown token %q in `%q`");
        check("ProxyJump @", "ProxyJump @ makes no sense");
        check("ForwardAgent perhaps", "forwardagent perhaps is neither yes nor no");
    }
}
