use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;

use super::settings::Names;
use super::*;

/// Loads an `ansible.cfg` with this text in a directory of its own, under these variables, and shows one thing of
/// the result; errors, warnings and notes as they are.
fn check(text: &str, variables: &[(&str, &str)], show: fn(&Config) -> String, expect: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("ansible.cfg"), text).expect("written");
    let mut surroundings = Surroundings { directory: directory.path().to_owned(), ..Default::default() };
    surroundings.variables.insert("HOME".into(), "/home/me".into());
    surroundings.variables.extend(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    let got = match Config::load(&surroundings).and_then(Config::for_run) {
        Ok(config) => show(&config),
        Err(error) => format!("{error}"),
    };
    assert_eq!(got.replace(&*directory.path().to_string_lossy(), "DIR"), expect);
}

fn told(config: &Config) -> String {
    let warnings = config.warnings.iter().map(|warning| format!("{warning} {:?}", warning.hints()));
    warnings.chain(config.notes.iter().cloned()).collect::<Vec<_>>().join("; ")
}

#[test]
fn precedence() {
    let forks = |config: &Config| config.run.forks.map_or(0, NonZeroUsize::get).to_string();
    check("", &[], forks, "0");
    check("[defaults]\nforks = 7\n", &[], forks, "7");
    check("[defaults]\nforks = 7\n", &[("ANSIBLE_FORKS", "9")], forks, "9");
}

#[test]
fn values() {
    let inventory = |config: &Config| format!("{:?}", config.inventory.sources);
    check("[defaults]\ninventory = hosts, ~/more\n", &[], inventory, r#"["DIR/hosts", "/home/me/more"]"#);
    check("", &[("ANSIBLE_INVENTORY", "web1,web2,")], inventory, r#"["web1,web2,"]"#);
    let roles = |config: &Config| format!("{:?}", config.run.roles_path);
    check(
        "[defaults]\nroles_path = roles:$HOME/r:{{CWD}}/x\n",
        &[],
        roles,
        r#"["DIR/roles", "/home/me/r", "DIR/x"]"#,
    );
    let gathering = |config: &Config| format!("{:?}", config.run.gathering);
    check("[defaults]\ngathering = smart\n", &[], gathering, "Smart");
    check(
        "[defaults]\ngathering = never\n",
        &[],
        gathering,
        "defaults.gathering: expected one of implicit, explicit, smart, got \"never\"",
    );
    check(
        "[defaults]\nforks = many\n",
        &[],
        gathering,
        "defaults.forks: expected a whole number, got \"many\"",
    );
    check(
        "[defaults]\nhost_key_checking = maybe\n",
        &[],
        gathering,
        "defaults.host_key_checking: expected yes or no, got \"maybe\"",
    );
    check(
        "[defaults]\nerror_on_undefined_vars = no\n",
        &[],
        gathering,
        "defaults.error_on_undefined_vars: not supported: an undefined variable is always an error",
    );
    let colour = |config: &Config| format!("{:?}", config.display.colour);
    check("", &[("NO_COLOR", "1")], colour, "Never");
    check("[defaults]\nnocolor = 0\n", &[], colour, "Auto");
    check("", &[("NO_COLOR", "1"), ("ANSIBLE_FORCE_COLOR", "true")], colour, "Always");
}

#[test]
fn nothing_is_ignored_silently() {
    check(
        "[defaults]\nfroks = 7\n",
        &[],
        told,
        r#"unknown setting: defaults.froks ["did you mean defaults.forks?"]"#,
    );
    check(
        "[ssh_connection]\nforks = 7\n",
        &[],
        told,
        r#"unknown setting: ssh_connection.forks ["did you mean defaults.forks?"]"#,
    );
    check(
        "",
        &[("ANSIBLE_FORK", "7")],
        told,
        r#"unknown setting: ANSIBLE_FORK ["did you mean ANSIBLE_FORKS?"]"#,
    );
    check("", &[("ANSIBLE_MY_OWN_TOOL", "7")], told, "");
    check("[defaults]\nnocows = 1\n", &[], told, "defaults.nocows has no meaning here: there are no cows");
    check(
        "[galaxy]\nserver = x\n",
        &[],
        told,
        "galaxy.server has no meaning here: it is for a plugin of Ansible's",
    );
}

#[test]
fn a_world_writable_directory_is_not_trusted() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("ansible.cfg"), "[defaults]\nforks = 7\n").expect("written");
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).expect("chmod");
    let surroundings = Surroundings { directory: directory.path().to_owned(), ..Default::default() };
    let config = Config::load(&surroundings).expect("loaded");
    assert_eq!(config.run.forks, None);
    assert_eq!(config.warnings.len(), 1);
}

#[test]
fn what_no_run_can_heed_is_refused_by_runs_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "[defaults]\nstrategy = of_a_plugin\nfact_caching = redis\nerror_on_undefined_vars = no\n";
    std::fs::write(directory.path().join("ansible.cfg"), text).expect("written");
    let surroundings = Surroundings { directory: directory.path().to_owned(), ..Default::default() };
    let config = Config::load(&surroundings).expect("loaded");
    assert_eq!(config.refused.len(), 3);
    assert!(config.for_run().is_err());
}

#[test]
fn names_are_unique() {
    let own = || settings().map(|setting| &setting.names);
    let mut names: Vec<(&str, &str)> = own().flat_map(Names::keys).collect();
    names.extend(meaningless::ini_names());
    names.extend(own().flat_map(Names::variables).map(|name| ("env", name)));
    names.extend(meaningless::env_names().map(|name| ("env", name)));
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Writes `docs/guide/settings.md` anew under `FANFARE_BLESS=1`.
#[test]
fn guide_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/settings.md");
    if std::env::var_os("FANFARE_BLESS").is_some() {
        std::fs::write(path, guide()).expect("written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, guide(), "stale: run the test with FANFARE_BLESS=1");
}

/// Each of Ansible's settings does something, is an error or a warning, or is said to have no meaning here: once.
#[test]
fn every_setting_of_ansible_s_has_its_place() {
    let rows =
        settings().map(|setting| &setting.names).chain(meaningless::TABLE.iter().map(|row| &row.names));
    let placed: Vec<&str> = rows.flat_map(|names| names.constants).copied().collect();
    for name in &placed {
        assert!(Constant::named(name).is_some(), "{name} is no setting of Ansible's");
        assert_eq!(placed.iter().filter(|other| *other == name).count(), 1, "{name}");
    }
    let is_inner = |name: &str| name.starts_with("_ANSIBLE_");
    for constant in Constant::all().filter(|constant| !placed.contains(&constant.name)) {
        for name in constant.variables().filter(|name| !is_inner(name)) {
            assert!(meaningless::by_env(name).is_some(), "{name}");
        }
        for (section, key) in constant.keys() {
            assert!(settings::is_foreign_section(section), "{section}.{key}");
        }
    }
}
