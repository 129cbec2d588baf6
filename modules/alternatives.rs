mod listing;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use self::listing::Listing;
use crate::kit::{Command, Failure, FilePath, Result, System};

/// Manages alternatives: which of several programs a command is.
///
/// # Examples
///
/// ```yaml
/// - name: The Java that is used
///   alternatives: {name: java, path: /usr/lib/jvm/java-7-openjdk-amd64/jre/bin/java}
///
/// - name: A link of our own
///   alternatives: {name: hadoop-conf, link: /etc/hadoop/conf, path: /etc/hadoop/conf.ansible}
///
/// - name: Another one that is not used
///   alternatives: {name: python, path: /usr/bin/python3.5, link: /usr/bin/python, state: present}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["path", "family"]]))]
pub struct Args {
    /// The name of the command.
    pub name: String,
    /// The program.
    pub path: Option<FilePath>,
    /// A family of programs, on Red Hat and its kin.
    pub family: Option<String>,
    /// The link to the program; needed for a name that is new.
    pub link: Option<FilePath>,
    /// The program's priority; a new one has 50.
    pub priority: Option<i64>,
    /// Whether the program is an alternative, and which is used.
    #[serde(default)]
    pub state: State,
    /// Links that come with the program.
    #[schemars(extend("aliases" = ["slaves"]))]
    pub subcommands: Option<Vec<Subcommand>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Present,
    #[default]
    Selected,
    Auto,
    Absent,
}

/// A link that comes with a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Subcommand {
    /// Its name.
    pub name: String,
    /// Its program.
    pub path: String,
    /// The link.
    pub link: String,
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys.which("alternatives");
    let program = sys.need("update-alternatives").or_else(|failure| program.ok_or(failure))?;
    let listing = Listing::read(&program, &args.name, sys)?;
    let mut run = Run { args: &args, program, listing, done: Vec::new() };
    if args.state == State::Absent {
        run.remove(sys)?;
    } else {
        run.install(sys)?;
        match args.state {
            State::Selected => run.select(sys)?,
            State::Auto => run.reset(sys)?,
            State::Present | State::Absent => {}
        }
    }
    if !run.done.is_empty() {
        sys.tell_states("", run.before(), run.after());
    }
    Ok(Returns { msg: run.done.join(" ") })
}

struct Run<'a> {
    args: &'a Args,
    program: PathBuf,
    listing: Listing,
    /// What was done, in words.
    done: Vec<String>,
}

impl Run<'_> {
    fn path(&self) -> Option<String> {
        self.args.path.as_ref().map(|path| path.text().into_owned())
    }

    fn command(&self, verb: &str) -> Command {
        Command::new(&self.program).args([verb, &self.args.name])
    }

    /// Makes the program an alternative, where it is none or one of another priority or with other links.
    fn install(&mut self, sys: &mut System<'_>) -> Result<()> {
        let Some(path) = self.path() else { return Ok(()) };
        let args = self.args;
        let known = self.listing.alternatives.get(&path);
        let same_priority =
            known.is_some_and(|known| args.priority.is_none_or(|wanted| Some(wanted) == known.priority));
        let same_links = args.subcommands.as_ref().is_none_or(|wanted| {
            let (mut wanted, mut has) = (wanted.clone(), self.subcommands(&path));
            wanted.sort();
            has.sort();
            wanted == has
        });
        if known.is_some() && same_priority && same_links {
            return Ok(());
        }
        if !sys.exists(path.as_ref())? {
            return Err(Failure::new(format!("Specified path {path} does not exist")));
        }
        let given = args.link.as_ref().map(|link| link.text().into_owned());
        let Some(link) = given.or_else(|| self.listing.link.clone()) else {
            return Err(Failure::new(
                "Needed to install the alternative, but unable to do so as we are missing the link",
            ));
        };
        let priority = args.priority.or(known.and_then(|known| known.priority)).unwrap_or(50);
        let mut command = Command::new(&self.program).args(["--install", &link, &args.name, &path]);
        command = command.arg(priority.to_string());
        if let Some(family) = &args.family {
            command = command.args(["--family", family]);
        }
        for Subcommand { name, path, link } in
            args.subcommands.clone().unwrap_or_else(|| self.subcommands(&path))
        {
            command = command.args(["--slave", &link, &name, &path]);
        }
        sys.exec(command).map_err(Failure::as_said)?;
        self.done.push(format!("Install alternative '{path}' for '{}'.", args.name));
        Ok(())
    }

    fn select(&mut self, sys: &mut System<'_>) -> Result<()> {
        let Some(what) = self.path().or_else(|| self.args.family.clone()) else { return Ok(()) };
        // In automatic mode, too: the one that is used stays so, and the mode with it.
        if self.listing.current.as_ref() == Some(&what) {
            return Ok(());
        }
        sys.exec(self.command("--set").arg(&what)).map_err(Failure::as_said)?;
        self.done.push(format!("Set alternative '{what}' for '{}'.", self.args.name));
        Ok(())
    }

    fn reset(&mut self, sys: &mut System<'_>) -> Result<()> {
        if !self.listing.manual && self.listing.current.is_some() {
            return Ok(());
        }
        sys.exec(self.command("--auto")).map_err(Failure::as_said)?;
        self.done.push(format!("Set alternative to auto for '{}'.", self.args.name));
        Ok(())
    }

    fn remove(&mut self, sys: &mut System<'_>) -> Result<()> {
        let Some(path) = self.path() else { return Ok(()) };
        if self.listing.alternatives.contains_key(&path) {
            sys.exec(self.command("--remove").arg(&path)).map_err(Failure::as_said)?;
            self.done.push(format!("Remove alternative '{path}' from '{}'.", self.args.name));
        }
        Ok(())
    }

    /// The links that come with a program now.
    fn subcommands(&self, path: &str) -> Vec<Subcommand> {
        let Some(known) = self.listing.alternatives.get(path) else { return Vec::new() };
        let whole = |(name, path): (&String, &String)| {
            let link = self.listing.links.get(name)?.clone();
            Some(Subcommand { name: name.clone(), path: path.clone(), link })
        };
        known.subcommands.iter().filter_map(whole).collect()
    }

    fn before(&self) -> Json {
        let path = self.path().unwrap_or_default();
        if self.listing.link.is_none() {
            return json!({});
        }
        let Some(known) = self.listing.alternatives.get(&path) else { return json!({"state": "absent"}) };
        // As Ansible tells it: `selected` where another one was chosen by hand.
        let is_other = self.listing.manual && self.listing.current.as_ref() != Some(&path);
        let was = if is_other { "selected" } else { "present" };
        let mut facts = Map::new();
        facts.insert("link".to_owned(), json!(self.listing.link));
        facts.insert("path".to_owned(), json!(path));
        facts.insert("priority".to_owned(), json!(known.priority));
        facts.insert("state".to_owned(), json!(was));
        let subcommands = self.subcommands(&path);
        if !subcommands.is_empty() {
            facts.insert("subcommands".to_owned(), json!(subcommands));
        }
        Json::Object(facts)
    }

    fn after(&self) -> Json {
        let args = self.args;
        let is_set = self.done.iter().any(|done| done.starts_with("Set alternative '"));
        let state = match args.state {
            State::Selected if is_set => State::Selected,
            State::Absent => State::Absent,
            _ => State::Present,
        };
        let installed = self.done.iter().any(|done| done.starts_with("Install"));
        if !installed {
            return json!({"state": state});
        }
        let path = self.path();
        let known = path.as_ref().and_then(|path| self.listing.alternatives.get(path));
        let priority = args.priority.or(known.and_then(|known| known.priority)).unwrap_or(50);
        let link =
            args.link.as_ref().map(|link| link.text().into_owned()).or_else(|| self.listing.link.clone());
        let mut facts =
            json!({"path": path, "family": args.family, "link": link, "priority": priority, "state": state});
        if let (Some(facts), Some(subcommands)) =
            (facts.as_object_mut(), args.subcommands.as_ref().filter(|list| !list.is_empty()))
        {
            facts.insert("subcommands".to_owned(), json!(subcommands));
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const KNOWN: &str = "Name: ed\nLink: /usr/bin/ed\nSlaves:\n ed.1 /usr/share/ed.1\nStatus: manual\nBest: /b\n\
                         Value: /a\n\nAlternative: /a\nPriority: 50\nSlaves:\n\nAlternative: /b\nPriority: 60\n\
                         Slaves:\n ed.1 /b.1\n";

    fn trial(known: &str) -> Trial {
        let trial = Trial::of("alternatives");
        trial.host.program("/usr/bin/update-alternatives").file("/a", "").file("/b", "").file("/c", "");
        trial.host.answer("/usr/bin/update-alternatives", 0, "");
        trial.host.answer(
            "/usr/bin/update-alternatives --query",
            if known.is_empty() { 2 } else { 0 },
            known,
        );
        trial
    }

    fn check(known: &str, mut args: Json, expected: &[&str]) -> Json {
        let trial = trial(known);
        args["name"] = json!("ed");
        trial.foretold(&args, !expected.is_empty());
        let ran = trial.host.ran();
        let made: Vec<&str> = ran
            .iter()
            .filter(|line| !line.contains("--query") && !line.contains("--display"))
            .map(|line| line.trim_start_matches("/usr/bin/update-alternatives "))
            .collect();
        assert_eq!(made, expected, "{args}");
        trial.check(&args)
    }

    #[test]
    fn programs_are_installed_and_selected() {
        let new = json!({"path": "/a", "link": "/l"});
        let told = check("", new, &["--install /l ed /a 50", "--set ed /a"]);
        assert_eq!(told["msg"], "Install alternative '/a' for 'ed'. Set alternative '/a' for 'ed'.");
        assert_eq!(told["diff"]["before"], json!({}));
        check(KNOWN, json!({"path": "/a"}), &[]);
        check(KNOWN, json!({"path": "/b"}), &["--set ed /b"]);
        check(KNOWN, json!({"path": "/b", "state": "present"}), &[]);
        let more = json!({"path": "/c", "priority": 5, "state": "present"});
        check(KNOWN, more, &["--install /usr/bin/ed ed /c 5"]);
        let other = json!({"path": "/b", "priority": 70, "state": "present"});
        check(KNOWN, other, &["--install /usr/bin/ed ed /b 70 --slave /usr/share/ed.1 ed.1 /b.1"]);
        let none = json!({"path": "/b", "subcommands": [], "state": "present"});
        check(KNOWN, none, &["--install /usr/bin/ed ed /b 60"]);
        let same = json!({"path": "/b", "state": "present",
                          "subcommands": [{"name": "ed.1", "path": "/b.1", "link": "/usr/share/ed.1"}]});
        check(KNOWN, same, &[]);
        check(KNOWN, json!({"path": "/a", "state": "auto"}), &["--auto ed"]);
        check(KNOWN, json!({"path": "/b", "state": "absent"}), &["--remove ed /b"]);
        check(KNOWN, json!({"path": "/c", "state": "absent"}), &[]);
        check(KNOWN, json!({"family": "x"}), &["--set ed x"]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let msg = |known: &str, args: Json| trial(known).run(&args)["msg"].clone();
        let none = msg("", json!({"name": "ed", "path": "/a"}));
        assert_eq!(none, "Needed to install the alternative, but unable to do so as we are missing the link");
        let missing = msg(KNOWN, json!({"name": "ed", "path": "/no"}));
        assert_eq!(missing, "Specified path /no does not exist");
        assert_eq!(msg("", json!({"name": "ed"})), "one of the following is required: path, family");
    }
}
