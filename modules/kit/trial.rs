//! How modules are tested: one module, one in-memory host.

use std::io::{self, Cursor};

use serde_json::{Map, Value as Json};

use crate::kit::control::ControlFile;
use crate::kit::memory::Memory;
use crate::kit::overlay::Overlay;
use crate::kit::returns::{self, Return};
use crate::kit::serve::answer;
use crate::kit::system::Channel;
use crate::kit::wire::Request;
use crate::{Module, find};

/// A module and a machine to try it on.
pub(crate) struct Trial {
    module: &'static Module,
    pub host: Memory,
}

impl Trial {
    pub fn of(module: &str) -> Self {
        Self { module: find(module).expect("a module of the table"), host: Memory::new() }
    }

    /// Runs it with arguments as a user writes them. Wrong arguments come back as a failed result.
    pub fn run(&self, args: &Json) -> Json {
        self.call(args, false)
    }

    /// The same in check mode, with diffs, after nothing was foretold.
    pub fn check(&self, args: &Json) -> Json {
        self.call(args, true)
    }

    fn call(&self, args: &Json, check: bool) -> Json {
        let given = args.as_object().cloned().unwrap_or_default();
        let args = match self.module.spec().normalise(&given) {
            Ok(args) => args,
            Err(e) => return serde_json::json!({"failed": true, "msg": e.message}),
        };
        self.exact(args, check, check)
    }

    /// Runs it with diffs, and holds it to the laws: check mode touches nothing and foretells what the real run
    /// does; a second run changes nothing. Gives the real run's result.
    pub fn lawful(&self, args: &Json) -> Json {
        let given = args.as_object().cloned().unwrap_or_default();
        let args = self.module.spec().normalise(&given).expect("good arguments");
        let before = self.host.snapshot();
        let foretold = self.exact(args.clone(), true, true);
        assert_eq!(self.host.snapshot(), before, "check mode touched something");
        let real = self.exact(args.clone(), false, true);
        assert_eq!(real.get("failed"), None, "{real:#}");
        for key in ["changed", "diff", "failed"] {
            assert_eq!(timeless(foretold.get(key)), timeless(real.get(key)), "{key} was foretold otherwise");
        }
        let after = self.host.snapshot();
        let again = self.exact(args, false, true);
        assert_eq!(again.get("changed"), Some(&Json::Bool(false)), "again: {again:#}");
        assert!(!differs(again.get("diff")), "again: {again:#}");
        assert_eq!(self.host.snapshot(), after, "a second run touched something");
        real
    }

    /// Runs it in check mode, then for real: both say whether something changes, and nothing fails. For modules that
    /// work by commands, to which the host gives the same answers again. Gives the real run's result.
    pub fn foretold(&self, args: &Json, changes: bool) -> Json {
        let told = self.check(args);
        let real = self.run(args);
        assert_eq!(real.get("failed"), None, "{args} {real:#}");
        assert_eq!(
            (&told["changed"], &real["changed"]),
            (&changes.into(), &changes.into()),
            "{args} {real:#}"
        );
        real
    }

    /// Runs modules one after the other, all in check mode on one host: the later see what the earlier foretold.
    pub fn foretell(host: &Memory, calls: &[(&str, Json)]) -> Vec<Json> {
        let pending = Overlay::over(&**host);
        let answer = |(module, args): &(&str, Json)| {
            let module = find(module).expect("a module of the table");
            let given = args.as_object().cloned().unwrap_or_default();
            let args = module.spec().normalise(&given).expect("good arguments");
            let request = Request { module: module.name.to_owned(), args, check: true, ..Request::default() };
            Json::Object(answer(&**host, &pending, request, &mut Deaf).result)
        };
        calls.iter().map(answer).collect()
    }

    /// Runs it with arguments as they travel.
    pub fn run_exact(&self, args: &Json) -> Json {
        self.exact(args.as_object().cloned().unwrap_or_default(), false, false)
    }

    fn exact(&self, args: Map<String, Json>, check: bool, diff: bool) -> Json {
        let request =
            Request { module: self.module.name.to_owned(), args, check, diff, ..Request::default() };
        let result = answer(&*self.host, &Overlay::over(&*self.host), request, &mut Deaf).result;
        let told = returns::of(self.module.name).unwrap_or_default();
        for key in result.keys() {
            let is_told = |entry: &Return| entry.name == key || entry.name == "*";
            assert!(
                returns::ANYWHERE.contains(&key.as_str()) || told.iter().any(is_told),
                "modules/returns.txt does not tell of {}'s {key}",
                self.module.name
            );
        }
        Json::Object(result)
    }
}

/// Whether a diff tells of a change: some modules show what did not change, too.
fn differs(diff: Option<&Json>) -> bool {
    match diff {
        None => false,
        Some(Json::Array(entries)) => entries.iter().any(|entry| differs(Some(entry))),
        Some(entry) => entry.get("before") != entry.get("after") || entry.get("prepared").is_some(),
    }
}

/// Without what is read off the clock.
fn timeless(value: Option<&Json>) -> Option<Json> {
    let mut value = value?.clone();
    for side in ["/before", "/after"] {
        if let Some(Json::Object(map)) = value.pointer_mut(side) {
            map.shift_remove("atime");
            map.shift_remove("mtime");
        }
    }
    Some(value)
}

/// A control file with its content within, as a JSON argument.
pub(crate) fn control_file(name: &str, content: &str) -> Json {
    serde_json::to_value(ControlFile::inline(name, content.as_bytes())).expect("serialises")
}

/// A control node that has nothing to give.
pub(crate) struct Deaf;

impl Channel for Deaf {
    fn need(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, _: &str) -> io::Result<(Cursor<Vec<u8>>, bool)> {
        Err(io::Error::other("nothing to give"))
    }

    fn send(&mut self, _: &str, _: &[u8], _: bool) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
