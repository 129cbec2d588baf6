use clap::CommandFactory;

use super::*;

/// Parses a command line and shows what it asks for.
fn check(line: &str, expect: &str) {
    let words = shlex::split(line).expect("words");
    let mut config = Config::default();
    let got = match Cli::try_parse_from(words) {
        Ok(cli) => match cli.settle(&mut config) {
            Ok(invocation) => format!("{invocation:?}"),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    assert_eq!(got, expect, "{line}");
}

#[test]
fn consistent() {
    Cli::command().debug_assert();
}

/// A heading reaches over all that follows it: what is none of its business must come before.
#[test]
fn help_stands_under_its_heading() {
    const HEADINGS: &[(&str, &str)] = &[
        ("Hosts", "inventory limit flush_cache"),
        (
            "Connection",
            "user connection timeout private_key ask_pass connection_password_file ssh_common_args \
             ssh_extra_args sftp_extra_args scp_extra_args",
        ),
        ("Becoming another user", "become become_method become_user ask_become_pass become_password_file"),
        ("Encrypted files and values", "vault_id ask_vault_password vault_password_file"),
    ];
    let mut all = vec![Cli::command()];
    while let Some(command) = all.pop() {
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            let heading = HEADINGS.iter().find(|(_, ids)| ids.split_whitespace().any(|own| own == id));
            let expect = heading.map(|(heading, _)| *heading);
            assert_eq!(arg.get_help_heading(), expect, "{} {}", command.get_name(), id);
        }
        all.extend(command.get_subcommands().cloned());
    }
}

#[test]
fn help_of_subcommands_has_examples() {
    for command in Cli::command().get_subcommands() {
        let about = command.get_long_about().expect("a text").to_string();
        let example = format!("    fanfare {} ", command.get_name());
        assert!(about.contains(&example), "{about}");
        assert!(!about.lines().next().expect("a line").ends_with('.'), "{about}");
    }
}

#[test]
fn adhoc_is_the_default() {
    check(
        "fanfare -m ping all",
        r#"Adhoc(AdhocCommand { pattern: "all", module: "ping", args: None, list_hosts: false, background: None })"#,
    );
    check(
        "fanfare web -m shell -a 'ls -l' -bvK",
        r#"Adhoc(AdhocCommand { pattern: "web", module: "shell", args: Some("ls -l"), list_hosts: false, background: None })"#,
    );
    // A host may be called as a subcommand is.
    check(
        "fanfare -o -m ping run",
        r#"Adhoc(AdhocCommand { pattern: "run", module: "ping", args: None, list_hosts: false, background: None })"#,
    );
    check("fanfare", "error: the following required arguments were not provided:");
}

#[test]
fn unsupported_flags_are_refused() {
    check("fanfare all -t out", "not supported yet: -t (--tree)");
    check("fanfare doc ping -M lib", "not supported yet: -M (--module-path)");
    check("fanfare doc -t lookup file", "not supported yet: -t lookup");
    check("fanfare all -c telnet", "the connection plugin 'telnet' was not found");
}

#[test]
fn flags_are_laid_over_settings() {
    let mut config = Config::default();
    let line = "fanfare run a.yml -i x -i y, -l web -l '!db' -f 20 -CD -u me -b --become-user app -t a,b -t c -vv -T 3";
    let cli = Cli::try_parse_from(shlex::split(line).expect("words")).expect("parsed");
    cli.settle(&mut config).expect("settled");
    assert_eq!(config.inventory.sources, ["x", "y,"]);
    assert_eq!(config.inventory.limit, ["web", "!db"]);
    assert_eq!(config.run.forks.map(std::num::NonZeroUsize::get), Some(20));
    assert!(config.run.check && config.run.diff && config.escalation.r#become);
    assert_eq!(config.escalation.user, "app");
    assert_eq!(config.connection.user.as_deref(), Some("me"));
    assert_eq!(config.run.tags, ["a", "b", "c"]);
    assert_eq!(config.display.verbosity, 2);
    assert_eq!(config.connection.timeout.as_secs(), 3);
}

#[test]
fn views_of_the_inventory() {
    check(
        "fanfare inventory --graph web --vars",
        r#"Inventory(InventoryCommand { view: Graph { group: Some("web"), vars: true }, format: Json, output: None })"#,
    );
    check(
        "fanfare inventory --list -y",
        r"Inventory(InventoryCommand { view: List { export: false }, format: Yaml, output: None })",
    );
    check("fanfare inventory --list web", "a group is for --graph only");
    check("fanfare inventory", "error: the following required arguments were not provided:");
}

#[test]
fn pages() {
    check("fanfare doc", "Doc(DocCommand { topic: Module, names: [], format: List })");
    check("fanfare doc -s copy", r#"Doc(DocCommand { topic: Module, names: ["copy"], format: Snippet })"#);
    check(
        "fanfare doc -t keyword when",
        r#"Doc(DocCommand { topic: Keyword, names: ["when"], format: Page })"#,
    );
}
