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
    check("fanfare run x.yml -M lib", "not supported: -M (--module-path)");
    check("fanfare doc -t lookup file", "not supported yet: -t lookup");
    check("fanfare all -c docker", "not supported yet: the connection \"docker\"");
}

#[test]
fn flags_are_laid_over_settings() {
    let mut config = Config::default();
    let line = "fanfare run a.yml -i x -i y, -l web -l '!db' -f 20 -CD -u me -b --become-user app -t a,b -t c -vv -T 3";
    let cli = Cli::try_parse_from(shlex::split(line).expect("words")).expect("parsed");
    cli.settle(&mut config).expect("settled");
    assert_eq!(config.inventory.sources, ["x", "y,"]);
    assert_eq!(config.inventory.limit, ["web", "!db"]);
    assert_eq!(config.run.forks.get(), 20);
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
