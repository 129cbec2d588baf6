//! Where logins are kept: in the client's file, or by a program that the file names.

use std::path::{Path, PathBuf};

use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value as Json, json};

use super::{HUB, Login, config, helper, known};
use crate::kit::encode::base64;
use crate::kit::{Command, Failure, FileAttributes, Mode, Result, System, WriteOptions};

pub struct Store {
    path: PathBuf,
    config: Json,
}

impl Store {
    pub fn open(path: PathBuf, sys: &System<'_>) -> Result<Self> {
        let path = if sys.exists(&path)? { sys.resolve(&path)? } else { path };
        let config = config(&path, sys)?;
        Ok(Self { path, config })
    }

    /// Who logs in there, and the name it is known by.
    pub fn find(&self, registry: &str, sys: &mut System<'_>) -> Result<Option<(String, Login)>> {
        let key = if ["docker.io", "index.docker.io"].contains(&registry) { HUB } else { registry };
        known(&self.config, key, sys)
    }

    /// Keeps who logs in there.
    pub fn keep(mut self, registry: &str, login: &Login, sys: &mut System<'_>) -> Result<()> {
        if let Some(helper) = helper(&self.config, registry) {
            let there = known(&self.config, registry, sys)?;
            let secret = login.identity_token.as_ref().unwrap_or(&login.password);
            let is_same = |there: &Login| {
                there.username == login.username
                    && there.identity_token.as_ref().unwrap_or(&there.password) == secret
            };
            if there.is_some_and(|(_, there)| is_same(&there)) {
                return Ok(());
            }
            let name = if login.identity_token.is_some() { "<token>" } else { &login.username };
            let told = json!({"ServerURL": registry, "Username": name, "Secret": secret.expose()});
            return tell(&helper, "store", &told.to_string(), sys);
        }
        let plain = format!("{}:{}", login.username, login.password.expose());
        let mut entry = Map::from_iter([("auth".to_owned(), base64(plain.as_bytes()).into())]);
        let token = login.identity_token.as_ref();
        entry.extend(token.map(|token| ("identitytoken".to_owned(), token.expose().into())));
        self.auths()?.insert(registry.to_owned(), entry.into());
        self.write(sys)
    }

    /// Forgets who logs in there.
    pub fn forget(mut self, registry: &str, sys: &mut System<'_>) -> Result<()> {
        if let Some(helper) = helper(&self.config, registry) {
            return match known(&self.config, registry, sys)? {
                Some(_) => tell(&helper, "erase", registry, sys),
                None => Ok(()),
            };
        }
        if self.config.get("auths").and_then(|auths| auths.get(registry)).is_none() {
            return Ok(());
        }
        self.auths()?.shift_remove(registry);
        self.write(sys)
    }

    fn auths(&mut self) -> Result<&mut Map<String, Json>> {
        let path = self.path.display().to_string();
        let config = self.config.as_object_mut();
        let auths = config.map(|config| config.entry("auths").or_insert_with(|| json!({})));
        auths
            .and_then(Json::as_object_mut)
            .ok_or_else(|| Failure::new(format!("{path}: auths is no JSON object")))
    }

    /// For nobody else to read.
    fn write(&mut self, sys: &mut System<'_>) -> Result<()> {
        self.config.sort_all_objects();
        let mut text = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
        self.config
            .serialize(&mut serializer)
            .map_err(|error| Failure::new(format!("{}: {error}", self.path.display())))?;
        if let Some(dir) = self.path.parent().filter(|dir| *dir != Path::new("")) {
            sys.make_dirs(dir, None)?;
        }
        let owner = FileAttributes { mode: Some(Mode::Bits(0o600)), ..FileAttributes::default() };
        let options = WriteOptions { hidden: true, attributes: Some(&owner), ..WriteOptions::default() };
        sys.write_with(&self.path, text.as_slice(), &options)?;
        Ok(())
    }
}

/// The program's secrets go by its input.
fn tell(helper: &str, verb: &str, input: &str, sys: &mut System<'_>) -> Result<()> {
    sys.exec(Command::new(helper).arg(verb).stdin(input)).map(drop)
}
