mod document;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use self::document::Document;
use crate::kit::{Failure, FileAttributes, FileFacts, FilePath, Result, System, WriteOptions};
use crate::lineinfile::State;

/// Manages options of interfaces in files such as `/etc/network/interfaces`.
///
/// # Examples
///
/// ```yaml
/// - name: What interfaces there are
///   interfaces_file: {dest: /etc/network/interfaces}
///   register: known
///
/// - name: Larger packets
///   interfaces_file: {dest: /etc/network/interfaces, iface: eth1, option: mtu, value: 8000}
///
/// - name: A route when it comes up
///   interfaces_file: {dest: /etc/network/interfaces, iface: eth1, option: up, value: route add default gw 10.0.0.1}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_by" = {"option": ["iface"]}))]
pub struct Args {
    /// The file.
    #[serde(default = "usual")]
    pub dest: FilePath,
    /// The interface.
    pub iface: Option<String>,
    /// Which of its address families is meant, where it has several.
    pub address_family: Option<String>,
    /// The option. `method` is the method of the interface; of `pre-up`, `up`, `post-up` and `down` there may be many.
    pub option: Option<String>,
    /// The option's value.
    pub value: Option<String>,
    /// Keeps a copy of the old file, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// Whether the interface has the option.
    #[serde(default)]
    pub state: State,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

fn usual() -> FilePath {
    "/etc/network/interfaces".into()
}

#[derive(Serialize)]
pub struct Returns {
    dest: String,
    /// What the file says of each interface; of several address families the last.
    ifaces: Map<String, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(flatten)]
    facts: FileFacts,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    // Where a link leads: it stays one.
    let path = sys.resolve(&args.dest)?;
    let texts = [("iface", &args.iface), ("option", &args.option), ("value", &args.value)];
    if let Some((name, _)) =
        texts.iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.contains('\n')))
    {
        return Err(Failure::new(format!("{name}: it has a line break, and would be two lines of the file")));
    }
    let Some(old) = sys.read_to_rewrite(&path)? else {
        return Err(Failure::new(format!("cannot read {}: there is no such file", args.dest.text())));
    };
    let mut document =
        Document::parse(&old).map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
    if let (Some(iface), Some(option)) = (&args.iface, &args.option) {
        let value = args.value.as_deref();
        if args.state == State::Present && value.is_none() {
            return Err(Failure::new("Value must be set if option is defined and state is 'present'"));
        }
        if !document.has(iface, args.address_family.as_deref()) {
            return Err(Failure::new(format!("Error: interface {iface} not found")));
        }
        let family = args.address_family.as_deref();
        match (args.state, value) {
            (State::Present, Some(value)) => document.set(iface, family, option, value),
            (State::Present, None) => {}
            (State::Absent, value) => document.remove(iface, family, option, value),
        }
    }
    let options =
        WriteOptions { attributes: Some(&args.attributes), backup: args.backup, ..WriteOptions::default() };
    let backup_file = sys.write_with(&path, document.text(), &options)?.backup_file;
    let facts = sys.file_facts(&args.dest, false)?;
    Ok(Returns { dest: args.dest.text().into_owned(), ifaces: document.interfaces(), backup_file, facts })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const FILE: &str = "# c\nauto lo eth0\niface lo inet loopback\n\niface eth0 inet static\n    address 10.0.0.2\n    \
                        mtu 1400\n    up a\n    up b\n\niface eth0 inet6 auto\n    mtu 1300\nmapping x\n    script y\n";

    fn check(mut args: Json, from: &str, to: &str) -> Json {
        let trial = Trial::of("interfaces_file");
        trial.host.file("/i", FILE);
        args["dest"] = json!("/i");
        let got = trial.lawful(&args);
        assert_eq!(trial.host.read("/i").unwrap(), FILE.replacen(from, to, 1), "{args}");
        got
    }

    #[test]
    fn options_are_set() {
        let got = check(json!({}), "", "");
        let eth0 = json!({"address_family": "inet6", "method": "auto", "mtu": "1300", "pre-up": [], "up": [], "down": [],
                          "post-up": []});
        assert_eq!(got["ifaces"]["eth0"], eth0);
        let set = |option: &str, value: &str| json!({"iface": "eth0", "option": option, "value": value});
        check(set("mtu", "9000"), "mtu 1300", "mtu 9000");
        check(set("mtu", "1300"), "", "");
        let inet = |option: &str, value: &str| {
            json!({"iface": "eth0", "address_family": "inet", "option": option,
                                                      "value": value})
        };
        check(inet("mtu", "9000"), "mtu 1400", "mtu 9000");
        check(inet("gateway", "10.0.0.1"), "    up b\n", "    up b\n    gateway 10.0.0.1\n");
        check(inet("up", "c"), "    up b\n", "    up b\n    up c\n");
        check(inet("up", "a"), "", "");
        check(inet("method", "dhcp"), "inet static", "inet dhcp");
        let lo = json!({"iface": "lo", "option": "mtu", "value": 1});
        check(lo, "loopback\n", "loopback\n    mtu 1\n");
    }

    #[test]
    fn what_is_bare_gets_its_value() {
        let trial = Trial::of("interfaces_file");
        trial.host.file("/i", "iface a inet dhcp\n    mtu\n").link("/l", "/i");
        trial.lawful(&json!({"dest": "/l", "iface": "a", "option": "mtu", "value": "9000"}));
        assert_eq!(trial.host.read("/i").unwrap(), "iface a inet dhcp\n    mtu 9000\n");
        assert_eq!(trial.host.meta("/l").map(|meta| meta.is_link()), Some(true));
        trial.host.file("/i", b"iface a inet dhcp\n# \xff\n");
        let before = trial.host.snapshot();
        let got = trial.run(&json!({"dest": "/i", "iface": "a", "option": "mtu", "value": "1"}));
        assert_eq!(
            (&got["msg"], trial.host.snapshot()),
            (&json!("/i is not in UTF-8: it was left as it is"), before)
        );
    }

    #[test]
    fn options_go() {
        let gone = |more: Json| {
            let mut args = json!({"iface": "eth0", "address_family": "inet", "state": "absent"});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            args
        };
        check(gone(json!({"option": "mtu"})), "    mtu 1400\n", "");
        check(gone(json!({"option": "up", "value": "a"})), "    up a\n", "");
        check(gone(json!({"option": "up"})), "    up a\n    up b\n", "");
        check(gone(json!({"option": "nope"})), "", "");
        let trial = Trial::of("interfaces_file");
        trial.host.file("/i", FILE);
        trial.lawful(&json!({"dest": "/i", "iface": "eth0", "option": "mtu", "state": "absent"}));
        assert!(!trial.host.read("/i").unwrap().contains("mtu"));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("interfaces_file");
        trial.host.file("/i", FILE);
        for (args, msg) in [
            (json!({"dest": "/i", "option": "mtu"}), "missing parameter(s) required by 'option': iface"),
            (
                json!({"dest": "/i", "iface": "eth0", "option": "mtu"}),
                "Value must be set if option is defined and state is 'present'",
            ),
            (
                json!({"dest": "/i", "iface": "x", "option": "mtu", "value": 1}),
                "Error: interface x not found",
            ),
            (
                json!({"dest": "/i", "iface": "eth0", "option": "up", "value": "a\niface evil inet dhcp"}),
                "value: it has a line break, and would be two lines of the file",
            ),
            (json!({"dest": "/none"}), "cannot read /none: there is no such file"),
        ] {
            assert_eq!(trial.run(&args)["msg"], msg);
        }
    }
}
