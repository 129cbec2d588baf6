//! Dumping and restoring, by the programs that come with the server.

use serde_json::{Map, Value as Json, json};

use super::{Args, State};
use crate::databases::dump_file::{DumpFile, Line};
use crate::kit::{Command, Failure, FilePath, Result, System, quote};

/// Forms of pg_dump that pg_restore reads.
const FORMS: [(&str, &str); 3] = [(".tar", "t"), (".pgc", "c"), (".dir", "d")];

pub(super) fn run(args: &Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let target = args.target.as_ref().map(FilePath::text).unwrap_or_default().into_owned();
    if target.is_empty() {
        return Err(Failure::new(format!(
            "Target is required for state={}",
            if args.state == State::Dump { "dump" } else { "restore" }
        )));
    }
    let file = DumpFile::at(&target);
    let form = FORMS.iter().find(|(end, _)| file.unpacked_name().ends_with(end)).map(|(_, form)| *form);
    let line = match args.state {
        State::Dump => dump(args, &target, form, sys)?,
        _ => restore(args, &target, form, sys)?,
    };
    let command = Command::new("sh").arg("-c").arg(line.run);
    let command = args
        .login
        .environment(sys)?
        .into_iter()
        .fold(command, |command, (name, value)| command.env(name, value));
    let mut returns = Map::new();
    returns.insert("cmd".to_owned(), line.told.clone().into());
    returns.insert("executed_commands".to_owned(), json!([line.told]));
    if let Some(output) = sys.attempt(command)? {
        let stderr = output.stderr().into_owned();
        if !output.ok() {
            return Err(Failure::new(stderr.trim()).with("rc", output.code).with("stdout", output.stdout()));
        }
        returns.insert("msg".to_owned(), output.stdout().into());
        returns.insert("stderr".to_owned(), stderr.into());
        returns.insert("rc".to_owned(), output.code.into());
    }
    Ok(returns)
}

fn program(name: &str, sys: &System<'_>) -> Result<String> {
    let path = sys.which(name).ok_or_else(|| {
        Failure::new(format!(
            "Failed to find required executable \"{name}\": install the client of PostgreSQL first"
        ))
    })?;
    Ok(quote(&path.to_string_lossy()))
}

fn dump(args: &Args, target: &str, form: Option<&str>, sys: &System<'_>) -> Result<Line> {
    let mut line = format!("{} {}", program("pg_dump", sys)?, quote(&args.name));
    if let Some(form) = form {
        line.extend([" --format=", form]);
    }
    for more in [args.dump_extra.as_deref().unwrap_or_default(), &args.target_opts] {
        if !more.is_empty() {
            line.extend([" ", more]);
        }
    }
    if form == Some("d") {
        line.extend([" -f ", &quote(target)]);
        return Ok(Line { told: line.clone(), run: line });
    }
    DumpFile::at(target).written_by(&line, sys)
}

fn restore(args: &Args, target: &str, form: Option<&str>, sys: &System<'_>) -> Result<Line> {
    let reader = if form.is_some() { "pg_restore" } else { "psql" };
    let mut line = format!("{} --dbname={}", program(reader, sys)?, quote(&args.name));
    if !args.target_opts.is_empty() {
        line.extend([" ", args.target_opts.as_str()]);
    }
    if form == Some("d") {
        line.extend([" ", &quote(target)]);
        return Ok(Line { told: line.clone(), run: line });
    }
    let file = DumpFile::at(target);
    // psql names a file that it reads itself in what it says of errors.
    if form.is_none() && !file.is_packed() {
        line.extend([" --file=", &quote(target)]);
        return Ok(Line { told: line.clone(), run: line });
    }
    Ok(file.read_by(&line))
}
