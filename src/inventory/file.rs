//! One file of an inventory: of which kind it is, and what the plugins make of it.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::data::Inventory;
use super::plugins::Plugin;
use super::{constructed, generator, ini, script, toml, yaml};
use crate::config::InventoryOptions;
use crate::diagnostic::{Diagnostic, Result, Source};
use crate::yaml::{self as yaml_text, Loaded, Node};

/// A file, read and parsed once for all the plugins that try.
pub(super) struct SourceFile<'a> {
    extension: Option<&'a str>,
    /// The path that hosts have as theirs.
    absolute: Arc<Path>,
    /// `None` for a script.
    text: Option<Arc<Source>>,
    yaml: OnceLock<Result<(Option<Node>, Vec<Diagnostic>)>>,
}

impl<'a> SourceFile<'a> {
    pub(super) fn open(path: &'a Path, absolute: Arc<Path>) -> Result<Self> {
        let text = if is_script(path)? { None } else { Some(Arc::new(yaml_text::read_source(path)?)) };
        let extension = path.extension().and_then(OsStr::to_str);
        Ok(Self { extension, absolute, text, yaml: OnceLock::new() })
    }

    /// Adds what the file says; answers with the warnings, or with `None` where the file is not of the plugin's kind.
    pub(super) fn read_as(
        &mut self,
        plugin: Plugin,
        inventory: &mut Inventory,
        options: &InventoryOptions,
    ) -> Result<Option<Vec<Diagnostic>>> {
        let Some(text) = self.text.clone() else {
            return match plugin {
                Plugin::Script => script::load(inventory, &self.absolute).map(|()| Some(Vec::new())),
                _ => Ok(None),
            };
        };
        match plugin {
            Plugin::Auto => {
                if !matches!(self.extension, Some("yml" | "yaml")) {
                    return Ok(None);
                }
                let Some((key, named)) = self.named_plugin(&text) else { return Ok(None) };
                match Plugin::named(&named).filter(|plugin| plugin.is_configured()) {
                    Some(plugin) => self.configured(plugin, inventory, options, &text).map(Some),
                    None => {
                        Err(Diagnostic::new(format!("not supported yet: the inventory plugin `{named}`"))
                            .at(&key.place)
                            .hint(
                                "write its answer to a file: `ansible-inventory -i … --list --export --yaml`",
                            ))
                    }
                }
            }
            Plugin::Constructed | Plugin::Generator => {
                if !matches!(self.extension, None | Some("config" | "yml" | "yaml" | "json")) {
                    return Ok(None);
                }
                match self.named_plugin(&text) {
                    Some((_, named)) if Plugin::named(&named) == Some(plugin) => {
                        self.configured(plugin, inventory, options, &text).map(Some)
                    }
                    _ => Ok(None),
                }
            }
            Plugin::Yaml => self.as_yaml(inventory, options, &text),
            // What only looks like it by its extension is for the plugins of that kind.
            Plugin::Ini => match self.extension {
                Some("toml") => Ok(None),
                Some("yml" | "yaml" | "json") if !looks_like_ini(&text) => Ok(None),
                _ => ini::load(inventory, &text, &self.absolute).map(Some),
            },
            Plugin::Toml if self.extension == Some("toml") => {
                toml::load(inventory, &text, &self.absolute).map(Some)
            }
            Plugin::HostList | Plugin::AdvancedHostList | Plugin::Script | Plugin::Toml => Ok(None),
        }
    }

    fn as_yaml(
        &self,
        inventory: &mut Inventory,
        options: &InventoryOptions,
        text: &Arc<Source>,
    ) -> Result<Option<Vec<Diagnostic>>> {
        let is_plain = self.extension.is_none();
        if !matches!(self.extension, None | Some("yml" | "yaml" | "json")) || looks_like_ini(text) {
            return Ok(None);
        }
        let (document, mut warnings) = match self.parsed(text) {
            Ok(parsed) => parsed.clone(),
            // Plain lines of hosts are no YAML mapping, and may not be YAML at all.
            Err(_) if is_plain => return Ok(None),
            Err(error) => return Err(error.clone()),
        };
        if is_plain && document.as_ref().is_none_or(|document| document.as_map().is_none()) {
            return Ok(None);
        }
        if let Some((key, named)) = self.named_plugin(text) {
            let tried = options.plugins.iter().any(|plugin| match plugin {
                Plugin::Auto => matches!(self.extension, Some("yml" | "yaml")),
                other => Plugin::named(&named) == Some(*other),
            });
            if tried {
                return Ok(None);
            }
            return Err(Diagnostic::new("Plugin configuration YAML file, not YAML inventory")
                .at(&key.place)
                .hint(
                    "a file that configures a plugin ends in .yml or .yaml, and the plugin `auto` reads it",
                ));
        }
        yaml::load(inventory, document, &self.absolute, &mut warnings)?;
        Ok(Some(warnings))
    }

    fn configured(
        &self,
        plugin: Plugin,
        inventory: &mut Inventory,
        options: &InventoryOptions,
        text: &Arc<Source>,
    ) -> Result<Vec<Diagnostic>> {
        let (document, mut warnings) = self.parsed(text).clone()?;
        let Some(document) = document else { return Ok(warnings) };
        warnings.extend(match plugin {
            Plugin::Generator => generator::load(inventory, &document, &self.absolute)?,
            _ => constructed::load(inventory, &document, &options.extra_vars)?,
        });
        Ok(warnings)
    }

    fn parsed(&self, text: &Arc<Source>) -> &Result<(Option<Node>, Vec<Diagnostic>)> {
        self.yaml.get_or_init(|| yaml_text::load(text).and_then(Loaded::single))
    }

    /// The plugin that the file is for, with the key that says so.
    fn named_plugin(&self, text: &Arc<Source>) -> Option<(Node, String)> {
        let (document, _) = self.parsed(text).as_ref().ok()?;
        let (key, plugin) = document.as_ref()?.get_entry("plugin")?;
        Some((key.clone(), plugin.as_str().unwrap_or_default().to_owned()))
    }
}

/// Whether the file begins, comments aside, as only an INI inventory does.
fn looks_like_ini(text: &Source) -> bool {
    let first =
        text.text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    first.is_some_and(|line| line.starts_with('[') && line.trim_end().ends_with(']'))
}

/// Executables are asked, unless they are text without `#!`: files on some mounts are all executable.
fn is_script(path: &Path) -> Result<bool> {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let failed =
        |error: std::io::Error| Diagnostic::new(format!("could not read {}: {error}", path.display()));
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.permissions().mode() & 0o111 == 0 {
        return Ok(false);
    }
    let mut start = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(4).read_to_end(&mut start)).map_err(failed)?;
    Ok(start.starts_with(b"#!") || start.starts_with(b"\x7fELF"))
}
