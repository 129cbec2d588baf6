use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, FilePath, Output, Result, System, words};

/// Runs a command of a Django application: `manage.py` in its directory.
///
/// `flush`, `loaddata`, `migrate`, `collectstatic` and `createcachetable` tell whether they changed anything; other commands
/// count as no change. A check runs none of them.
///
/// # Examples
///
/// ```yaml
/// - name: Sessions that are over go
///   django_manage: {command: clearsessions, project_path: /srv/app}
///
/// - name: First data
///   django_manage: {command: loaddata, project_path: /srv/app, fixtures: users groups}
///
/// - name: The database is up to date
///   django_manage:
///     command: migrate
///     project_path: /srv/app
///     settings: app.settings.production
///     virtualenv: /srv/venv
///
/// - name: A first superuser
///   django_manage:
///     command: createsuperuser --noinput --username=admin --email=admin@example.com
///     project_path: /srv/app
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The command, and further words for it.
    pub command: String,
    /// The directory of `manage.py`, which must be executable.
    #[schemars(extend("aliases" = ["app_path", "chdir"]))]
    pub project_path: FilePath,
    /// The module of the settings.
    pub settings: Option<FilePath>,
    /// A directory where Python looks for modules, too.
    #[schemars(extend("aliases" = ["python_path"]))]
    pub pythonpath: Option<FilePath>,
    /// The virtual environment in which it runs. It must be there.
    #[schemars(extend("aliases" = ["virtual_env"]))]
    pub virtualenv: Option<FilePath>,
    /// Applications that `test` tests, with spaces between them.
    pub apps: Option<String>,
    /// The table that `createcachetable` makes.
    pub cache_table: Option<String>,
    /// Whether `collectstatic` removes old files first.
    #[serde(default)]
    pub clear: bool,
    /// The database, for `createcachetable`, `flush`, `loaddata` and `migrate`.
    pub database: Option<String>,
    /// Whether `test` ends with the first failure.
    #[serde(default)]
    #[schemars(extend("aliases" = ["fail_fast"]))]
    pub failfast: bool,
    /// What `loaddata` loads, with spaces between them.
    pub fixtures: Option<String>,
    /// Whether `collectstatic` makes links.
    pub link: Option<bool>,
    /// Runs `migrate` with `--merge`.
    pub merge: Option<bool>,
    /// Runs `migrate` with `--skip`.
    pub skip: Option<bool>,
    /// The class that runs the tests of `test`.
    #[schemars(extend("aliases" = ["test_runner"]))]
    pub testrunner: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(untagged)]
pub enum Returns {
    #[default]
    Nothing,
    Skipped {
        skipped: bool,
        msg: &'static str,
    },
    Ran(Box<Told>),
}

#[derive(Serialize)]
pub struct Told {
    out: String,
    cmd: Vec<String>,
    app_path: String,
    project_path: String,
    virtualenv: Option<String>,
    settings: Option<String>,
    pythonpath: Option<String>,
}

/// Options that only some commands take, and those commands.
const TAKEN: &[(&str, &[&str])] = &[
    ("apps", &["test"]),
    ("clear", &["collectstatic"]),
    ("database", &["createcachetable", "flush", "loaddata", "migrate"]),
    ("failfast", &["test"]),
    ("fixtures", &["loaddata"]),
    ("testrunner", &["test"]),
];

/// Those that would ask somebody.
const ASKING: &[&str] = &["collectstatic", "flush", "migrate", "test"];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let words =
        words::split(&args.command).map_err(|e| Failure::new(format!("command: {e}: {}", args.command)))?;
    let name = words.first().cloned().ok_or_else(|| Failure::new("command: it is empty"))?;
    check_options(&args, &name)?;
    if sys.is_check() {
        let msg = "remote module (django_manage) does not support check mode";
        return Ok(Returns::Skipped { skipped: true, msg });
    }
    let cmd = command_line(&args, &name, words);
    let mut command = Command::new("./manage.py").args(cmd.iter().skip(1)).dir(&args.project_path.0);
    if let Some(venv) = &args.virtualenv {
        let bin = venv.0.join("bin");
        if !sys.exists(&bin.join("activate"))? {
            let venv = venv.text();
            return Err(Failure::new(format!("{venv} does not point to a valid virtual environment")));
        }
        let path = sys.env("PATH").unwrap_or_default();
        command = command.env("PATH", format!("{}:{path}", bin.display()));
        command = command.env("VIRTUAL_ENV", venv.text().into_owned());
    }
    let judge = |output: &Output| output.ok() && changes(&name, &output.stdout());
    let output = sys.attempt_judging(command, judge)?.unwrap_or_default();
    let said = output.stderr();
    let is_there = name == "createcachetable" && said.contains("table") && said.contains("already exists");
    if !output.ok() && !is_there {
        return Err(failure(&name, &output, &cmd, sys));
    }
    let out = if output.ok() { output.stdout().into_owned() } else { "already exists.".to_owned() };
    let path = |path: &FilePath| path.text().into_owned();
    Ok(Returns::Ran(Box::new(Told {
        out,
        cmd,
        app_path: path(&args.project_path),
        project_path: path(&args.project_path),
        virtualenv: args.virtualenv.as_ref().map(path),
        settings: args.settings.as_ref().map(path),
        pythonpath: args.pythonpath.as_ref().map(path),
    })))
}

fn check_options(args: &Args, name: &str) -> Result<()> {
    let is_given = |option: &str| match option {
        "apps" => args.apps.is_some(),
        "clear" => args.clear,
        "database" => args.database.is_some(),
        "failfast" => args.failfast,
        "fixtures" => args.fixtures.is_some(),
        _ => args.testrunner.is_some(),
    };
    let wrong = |(option, commands): &&(&str, &[&str])| is_given(option) && !commands.contains(&name);
    if let Some((option, _)) = TAKEN.iter().find(wrong) {
        return Err(Failure::new(format!("{option} param is incompatible with command={name}")));
    }
    if name == "loaddata" && args.fixtures.is_none() {
        return Err(Failure::new("fixtures param is required for command=loaddata"));
    }
    Ok(())
}

fn command_line(args: &Args, name: &str, words: Vec<String>) -> Vec<String> {
    let mut cmd = vec!["./manage.py".to_owned()];
    cmd.extend(words);
    let path = |path: &Option<FilePath>| path.as_ref().map(|path| path.text().into_owned());
    if ASKING.contains(&name) {
        cmd.push("--noinput".to_owned());
    }
    for (option, value) in [
        ("settings", path(&args.settings)),
        ("pythonpath", path(&args.pythonpath)),
        ("database", args.database.clone()),
        ("testrunner", args.testrunner.clone()),
    ] {
        cmd.extend(value.map(|value| format!("--{option}={value}")));
    }
    for (option, wanted) in [
        ("failfast", args.failfast),
        ("clear", args.clear),
        ("skip", args.skip == Some(true)),
        ("merge", args.merge == Some(true)),
        ("link", args.link == Some(true)),
    ] {
        cmd.extend(wanted.then(|| format!("--{option}")));
    }
    let spaced = |text: &Option<String>| -> Vec<String> {
        text.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
    };
    cmd.extend(spaced(&args.apps));
    cmd.extend(args.cache_table.clone());
    cmd.extend(spaced(&args.fixtures));
    cmd
}

/// Whether what a command said tells of a change.
fn changes(name: &str, said: &str) -> bool {
    let installed = |line: &str| line.contains("Installed") && !line.contains("Installed 0 object");
    let migrated = |line: &str| line.contains("Applying") || line.contains("Migrating forwards ");
    let copied = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with("0 static file");
    match name {
        "flush" | "loaddata" => said.lines().any(installed),
        "migrate" => said.lines().any(|line| installed(line) || migrated(line)),
        "collectstatic" => said.lines().any(copied),
        "createcachetable" => !said.contains("already exists"),
        _ => false,
    }
}

fn failure(name: &str, output: &Output, cmd: &[String], sys: &System<'_>) -> Failure {
    let (stdout, stderr) = (output.stdout(), output.stderr());
    if stderr.contains("Unknown command:") {
        let msg = format!("stdout: {stderr}\n:stderr: Unknown django command: {name}");
        return Failure::new(msg).with("cmd", cmd);
    }
    let msg = if stderr.is_empty() {
        format!("stdout: {stdout}")
    } else {
        format!("stdout: {stdout}\n:stderr: {stderr}")
    };
    Failure::new(msg).with("cmd", cmd).with("path", sys.env("PATH").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    /// Runs it where `manage.py` says that, and tells what was run.
    fn run(mut args: Json, code: i32, said: &str) -> (Json, String) {
        let trial = Trial::of("django_manage");
        trial.host.dir("/srv/app").file("/venv/bin/activate", "").answer("./manage.py", code, said);
        args["project_path"] = json!("/srv/app");
        let told = trial.check(&args);
        if told["failed"].is_null() {
            assert_eq!(told["skipped"], true);
        }
        assert_eq!(trial.host.ran(), [""; 0]);
        let result = trial.run(&args);
        (result, trial.host.ran().join("\n"))
    }

    #[test]
    fn commands_and_their_words() {
        let check = |args: Json, line: &str| {
            let (result, ran) = run(args, 0, "");
            assert_eq!(ran, line, "{result}");
            assert_eq!(result["cmd"], json!(line.split(' ').collect::<Vec<_>>()));
        };
        check(
            json!({"command": "flush", "database": "d", "pythonpath": "/pp", "settings": "a.b"}),
            "./manage.py flush --noinput --settings=a.b --pythonpath=/pp --database=d",
        );
        check(
            json!({"command": "loaddata", "fixtures": "f1 f2", "database": "d"}),
            "./manage.py loaddata --database=d f1 f2",
        );
        check(
            json!({"command": "migrate --fake", "skip": true, "merge": true}),
            "./manage.py migrate --fake --noinput --skip --merge",
        );
        check(
            json!({"command": "collectstatic", "link": true, "clear": true, "virtualenv": "/venv"}),
            "./manage.py collectstatic --noinput --clear --link",
        );
        check(
            json!({"command": "createcachetable", "cache_table": "t", "database": "d"}),
            "./manage.py createcachetable --database=d t",
        );
        check(
            json!({"command": "test", "apps": "a b", "failfast": true}),
            "./manage.py test --noinput --failfast a b",
        );
        check(json!({"command": "createsuperuser --noinput"}), "./manage.py createsuperuser --noinput");
    }

    #[test]
    fn what_is_said_tells_of_changes() {
        let check = |command: &str, said: &str, changed: bool| {
            let mut args = json!({"command": command});
            if command == "loaddata" {
                args["fixtures"] = json!("x");
            }
            assert_eq!(run(args, 0, said).0["changed"], changed, "{command} {said}");
        };
        check("flush", "Installed 0 object(s)\n", false);
        check("loaddata", "Installed 3 object(s) from 1 fixture(s)\n", true);
        check("migrate", "  Applying x.0001... OK\n", true);
        check("migrate", "  No migrations to apply.\n", false);
        check("collectstatic", "3 static files copied, 4 unmodified\n", true);
        check("collectstatic", "0 static files copied, 4 unmodified\n", false);
        check("clearsessions", "Applying\n", false);
    }

    #[test]
    fn what_is_wrong() {
        let msg = |args: Json| run(args, 3, "").0["msg"].as_str().unwrap().to_owned();
        assert_eq!(
            msg(json!({"command": "test", "database": "x"})),
            "database param is incompatible with command=test"
        );
        assert_eq!(msg(json!({"command": "loaddata"})), "fixtures param is required for command=loaddata");
        let venv = json!({"command": "x", "virtualenv": "/none"});
        assert_eq!(msg(venv), "/none does not point to a valid virtual environment");
        assert_eq!(msg(json!({"command": "x", "clear": true})), "clear param is incompatible with command=x");
        assert_eq!(msg(json!({"command": "fail"})), "stdout: ");
    }
}
