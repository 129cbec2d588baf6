//! Dumping and importing, by the programs that come with the server. Who logs in they read from a file of ours.

use serde_json::{Map, Value as Json, json};

use super::Args;
use crate::databases::dump_file::{DumpFile, Line};
use crate::kit::{Command, Failure, FilePath, Result, System, quote};

type Returns = Map<String, Json>;

pub(super) fn dump(
    args: &Args,
    names: &[String],
    all: bool,
    returns: &mut Returns,
    sys: &mut System<'_>,
) -> Result<()> {
    let program = program(&["mariadb-dump", "mysqldump"], sys)?;
    let mut line = String::new();
    let mut add = |words: &str| line.extend([" ", words]);
    if args.force {
        add("--force");
    }
    if all {
        add("--all-databases");
    } else {
        // A dump of one says nothing of its name, so that it may be imported as another.
        if names.len() > 1 {
            add("--databases");
        }
        for name in names {
            add(&quote(name));
        }
    }
    for (flag, wanted) in [
        ("--skip-lock-tables", args.skip_lock_tables),
        ("--single-transaction=true", args.single_transaction),
        ("--quick", args.quick),
        ("--hex-blob", args.hex_blob),
    ] {
        if wanted {
            add(flag);
        }
    }
    if !args.encoding.is_empty() {
        add(&format!("--default-character-set={}", quote(&args.encoding)));
    }
    for table in &args.ignore_tables {
        add(&format!("--ignore-table={}", quote(table)));
    }
    match args.master_data {
        0 => {}
        data @ 1..=2 => add(&format!("--master-data={data}")),
        _ => return Err(Failure::new("value of master_data must be one of: 0, 1, 2")),
    }
    if let Some(more) = &args.dump_extra {
        add(more);
    }
    let target = target(args);
    let run = |file: &str, sys: &System<'_>| {
        DumpFile::at(&target).written_by(&format!("{program} --defaults-extra-file={file}{line}"), sys)
    };
    with_file(args, &run, returns, sys)
}

pub(super) fn import(
    args: &Args,
    names: &[String],
    all: bool,
    returns: &mut Returns,
    sys: &mut System<'_>,
) -> Result<()> {
    let target = target(args);
    if !sys.exists(target.as_ref())? {
        return Err(Failure::new(format!("target {target} does not exist on the host")));
    }
    let program = program(&["mariadb", "mysql"], sys)?;
    let mut line = String::new();
    if args.force {
        line.push_str(" -f");
    }
    if !args.encoding.is_empty() {
        line.extend([" --default-character-set=", &quote(&args.encoding)]);
    }
    if let (false, Some(name)) = (all, names.first()) {
        line.extend([" --one-database ", &quote(name)]);
    }
    let run = |file: &str, _: &System<'_>| {
        Ok(DumpFile::at(&target).read_by(&format!("{program} --defaults-extra-file={file}{line}")))
    };
    with_file(args, &run, returns, sys)
}

fn target(args: &Args) -> String {
    args.target.as_ref().map(FilePath::text).unwrap_or_default().into_owned()
}

fn program(names: &[&str], sys: &System<'_>) -> Result<String> {
    let found = names.iter().find_map(|name| sys.which(name));
    let path = found.ok_or_else(|| {
        let name = names.first().copied().unwrap_or_default();
        Failure::new(format!(
            "Failed to find required executable \"{name}\": install the server's client first"
        ))
    })?;
    Ok(quote(&path.to_string_lossy()))
}

/// Runs a line that reads who logs in from a file.
fn with_file(
    args: &Args,
    line: &dyn Fn(&str, &System<'_>) -> Result<Line>,
    returns: &mut Returns,
    sys: &mut System<'_>,
) -> Result<()> {
    let told = line("FILE", sys)?.told;
    if sys.is_check() {
        sys.count_as_change(told);
        return Ok(());
    }
    let file = args.login.client_file(sys)?;
    let output = line(&quote(&file.to_string_lossy()), sys).and_then(|line| {
        let mut command = Command::new("sh").arg("-c").arg(line.run);
        if let Some(dir) = &args.chdir {
            command = command.dir(dir.0.clone());
        }
        sys.attempt(command)
    });
    sys.discard(&file)?;
    let Some(output) = output? else { return Ok(()) };
    if !output.ok() {
        return Err(Failure::new(output.stderr().trim()).with("rc", output.code));
    }
    returns.insert("msg".to_owned(), output.stdout().into());
    returns.insert("executed_commands".to_owned(), json!([told]));
    Ok(())
}
