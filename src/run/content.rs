//! Files of the control node on their way to a target: found, rendered, announced, and served when asked for.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanfare_modules::kit::args::{ControlKind, ControlUse, Spec};
use fanfare_modules::kit::charset::Charset;
use fanfare_modules::kit::control::{
    ControlFile, ControlScript, ControlTree, INLINE_BYTES, Inline, TreeEntry, TreeNode, key_of_sha1,
};
use fanfare_modules::kit::digest::{self, Algorithm};
use fanfare_modules::kit::words;
use parking_lot::Mutex;
use serde_json::{Map, Value as Json};

use super::digests::{self, Large};
use super::settings::truth;
use crate::accounts::Accounts;
use crate::diagnostic::{Diagnostic, Result, Source};
use crate::target::Blobs;
use crate::template::{self, Context, Syntax};
use crate::value::Value;
use crate::vars::Scope;
use crate::vault;

/// The contents one request may ask for, by SHA-1 or what stands for it, and where what it sends goes.
#[derive(Default)]
pub(super) struct Contents {
    known: HashMap<String, Content>,
    sink: Option<Mutex<Sink>>,
}

#[derive(Clone)]
enum Content {
    File(PathBuf),
    Large(Large),
    Text(Arc<[u8]>),
    Sha1(Large),
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Self::File(path) => path.metadata().map_or(0, |found| found.len()),
            Self::Large(large) => large.size(),
            Self::Text(bytes) => bytes.len() as u64,
            Self::Sha1(_) => 0,
        }
    }
}

/// How a directory is read.
#[derive(Clone, Copy)]
struct Walk {
    follow: bool,
    decrypt: bool,
}

/// When the SHA-1 of a large file is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hashing {
    Now,
    WhenAsked,
}

/// Takes one file from the target (`fetch`).
pub(super) struct Sink {
    file: File,
    complete: bool,
}

impl Contents {
    /// Replaces the paths of control-node files among the options by manifests.
    pub fn prepare(spec: &Spec, args: &mut Map<String, Json>, scope: &Scope) -> Result<Self> {
        let mut contents = Self::default();
        for (option, usage) in spec.control_options() {
            if spec.is_on_target(usage, args) || usage.what == ControlKind::Destination {
                continue;
            }
            if usage.what == ControlKind::Parts {
                contents.parts(&option.name, usage, args, scope)?;
                continue;
            }
            let Some(Json::String(path)) = args.get(&option.name) else { continue };
            let manifest = contents.manifest(path, usage, args, scope)?;
            args.insert(option.name.clone(), manifest);
        }
        Ok(contents)
    }

    /// A program that is sent as it is.
    pub fn script(&mut self, path: &Path) -> Result<ControlFile> {
        self.file(path, false, Hashing::WhenAsked)
    }

    /// Contents that take what the worker sends into a file.
    pub fn receiving(file: File) -> Self {
        Self { known: HashMap::new(), sink: Some(Mutex::new(Sink { file, complete: false })) }
    }

    /// Bytes of that content; 0 where that is not known.
    pub fn size(&self, key: &str) -> u64 {
        self.known.get(key).map_or(0, Content::size)
    }

    /// Bytes of the largest content.
    pub fn largest(&self) -> u64 {
        self.known.values().map(Content::size).max().unwrap_or(0)
    }

    /// Whether nothing of the control node's is asked for or taken.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && self.sink.is_none()
    }

    /// Whether a whole file has arrived.
    pub fn is_complete(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.lock().complete)
    }

    pub fn merge(mut all: Vec<Arc<Self>>) -> Arc<Self> {
        if all.len() == 1
            && let Some(only) = all.pop()
        {
            return only;
        }
        let known = all.iter().flat_map(|contents| contents.known.clone()).collect();
        Arc::new(Self { known, sink: None })
    }

    fn manifest(
        &mut self,
        path: &str,
        usage: &ControlUse,
        args: &Map<String, Json>,
        scope: &Scope,
    ) -> Result<Json> {
        let decrypt = args.get("decrypt") != Some(&Json::Bool(false));
        if usage.what == ControlKind::Script {
            let (script, arguments) = split_script(path)?;
            let file = self.file(&find(&script, &usage.subdir, scope)?, decrypt, Hashing::WhenAsked)?;
            return serde_json::to_value(ControlScript { file, arguments })
                .map_err(|error| Diagnostic::new(error.to_string()));
        }
        let found = find(path, &usage.subdir, scope)?;
        let manifest = match usage.what {
            ControlKind::Template => serde_json::to_value(self.rendered(&found, args, scope)?),
            ControlKind::FileOrTree if found.is_dir() => {
                let follow = args.get("local_follow") != Some(&Json::Bool(false));
                let how = Walk { follow, decrypt };
                serde_json::to_value(self.tree(&found, path.ends_with('/'), how)?)
            }
            _ => serde_json::to_value(self.file(&found, decrypt, Hashing::WhenAsked)?),
        };
        manifest.map_err(|error| Diagnostic::new(error.to_string()))
    }

    /// The files that the parts of a form name.
    fn parts(
        &mut self,
        option: &str,
        usage: &ControlUse,
        args: &mut Map<String, Json>,
        scope: &Scope,
    ) -> Result<()> {
        let is_form = args.get("body_format").and_then(Json::as_str) == Some("form-multipart");
        let Some(Json::Object(parts)) = args.get_mut(option).filter(|_| is_form) else { return Ok(()) };
        for part in parts.values_mut().filter_map(Json::as_object_mut) {
            let has_content = part.get("content").is_some_and(|content| !content.is_null());
            let Some(Json::String(path)) = part.get("filename").filter(|_| !has_content) else { continue };
            let file = self.file(&find(path, &usage.subdir, scope)?, true, Hashing::WhenAsked)?;
            let manifest = serde_json::to_value(file).map_err(|error| Diagnostic::new(error.to_string()))?;
            part.insert("filename".to_owned(), manifest);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, decrypt: bool, hashing: Hashing) -> Result<ControlFile> {
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let mut manifest = ControlFile {
            name: file_name(path),
            source: path.to_string_lossy().into_owned(),
            size: metadata.len(),
            mode: Some(mode_of(&metadata)),
            ..ControlFile::default()
        };
        if decrypt && starts_encrypted(path).map_err(|error| unreadable(path, &error))? {
            let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
            let plain = vault::open(path, bytes).map_err(|error| locked(path, error))?.content;
            manifest = ControlFile {
                mode: manifest.mode,
                source: manifest.source,
                ..ControlFile::manifest(manifest.name, &plain)
            };
            self.offer(&mut manifest, plain);
        } else if metadata.len() <= INLINE_BYTES {
            let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
            let inline = ControlFile::inline(manifest.name.clone(), &bytes);
            manifest.size = inline.size;
            manifest.sha1 = inline.sha1;
            manifest.content = inline.content;
        } else if hashing == Hashing::WhenAsked
            && let Some(large) = Large::of(path, &metadata)
        {
            (manifest.sha1, manifest.unhashed) = (large.key(), true);
            self.known.insert(key_of_sha1(&manifest.sha1), Content::Sha1(large.clone()));
            self.known.insert(manifest.sha1.clone(), Content::Large(large));
        } else {
            manifest.sha1 = digests::of_file(path, &metadata).map_err(|error| unreadable(path, &error))?;
            self.known.insert(manifest.sha1.clone(), Content::File(path.to_owned()));
        }
        Ok(manifest)
    }

    fn rendered(&mut self, path: &Path, args: &Map<String, Json>, scope: &Scope) -> Result<ControlFile> {
        let source = template_source(path)?;
        let text = render_template_file(&source, args, scope)?;
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let bytes = encoded(text, path, args)?;
        let mut manifest = ControlFile::manifest(file_name(path), &bytes);
        manifest.source = path.to_string_lossy().into_owned();
        manifest.mode = Some(mode_of(&metadata));
        self.offer(&mut manifest, bytes);
        Ok(manifest)
    }

    /// Sends small content along, and keeps larger for when it is asked for.
    fn offer(&mut self, manifest: &mut ControlFile, bytes: Vec<u8>) {
        if manifest.size <= INLINE_BYTES {
            manifest.content = ControlFile::inline("", &bytes).content;
        } else {
            self.known.insert(manifest.sha1.clone(), Content::Text(bytes.into()));
        }
    }

    fn tree(&mut self, root: &Path, contents_only: bool, how: Walk) -> Result<ControlTree> {
        let metadata = fs::metadata(root).map_err(|error| unreadable(root, &error))?;
        let mut tree = ControlTree {
            name: file_name(root),
            source: root.to_string_lossy().into_owned(),
            contents_only,
            mode: Some(mode_of(&metadata)),
            entries: Vec::new(),
        };
        let mut above = vec![fs::canonicalize(root).map_err(|error| unreadable(root, &error))?];
        self.collect(root, "", how, &mut above, &mut tree.entries)?;
        Ok(tree)
    }

    /// Lists what is in a directory. `above` are the directories it is in, and itself, without links.
    fn collect(
        &mut self,
        dir: &Path,
        prefix: &str,
        how: Walk,
        above: &mut Vec<PathBuf>,
        entries: &mut Vec<TreeEntry>,
    ) -> Result<()> {
        let listing = fs::read_dir(dir).map_err(|error| unreadable(dir, &error))?;
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in listing {
            paths.push(entry.map_err(|error| unreadable(dir, &error))?.path());
        }
        // The files of a directory before what is in those it holds.
        paths.sort_by_cached_key(|path| (path.is_dir(), path.clone()));
        for path in paths {
            let relative = format!("{prefix}{}", file_name(&path));
            let metadata = fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))?;
            let real = fs::canonicalize(&path);
            // A link that points to nothing, or back to where it is in, cannot be followed.
            let leads_on = real.as_ref().is_ok_and(|real| !above.contains(real));
            let what = if metadata.is_symlink() && !(how.follow && leads_on) {
                let target = fs::read_link(&path).map_err(|error| unreadable(&path, &error))?;
                TreeNode::Link { target: target.to_string_lossy().into_owned() }
            } else if path.is_dir() {
                TreeNode::Dir { mode: Some(mode_of(&metadata)) }
            } else {
                // The answer to a question of its own would come between those to others.
                let mut file = self.file(&path, how.decrypt, Hashing::Now)?;
                // A tree is compared first: its contents are asked for together where they differ.
                if let Some(content) = file.content.take() {
                    self.known.insert(file.sha1.clone(), Content::Text(bytes_of(content).into()));
                }
                TreeNode::File(file)
            };
            let is_dir = matches!(what, TreeNode::Dir { .. });
            entries.push(TreeEntry { path: relative.clone(), what });
            if is_dir {
                above.push(real.map_err(|error| unreadable(&path, &error))?);
                self.collect(&path, &format!("{relative}/"), how, above, entries)?;
                above.pop();
            }
        }
        Ok(())
    }
}

impl Blobs for Contents {
    fn open(&self, key: &str) -> Option<io::Result<Box<dyn Read + Send>>> {
        Some(match self.known.get(key)? {
            Content::File(path) => File::open(path).map(|file| Box::new(file) as Box<dyn Read + Send>),
            Content::Text(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Content::Large(large) => large.open().map(|file| Box::new(file) as Box<dyn Read + Send>),
            Content::Sha1(large) => {
                large.sha1().map(|sha1| Box::new(Cursor::new(sha1)) as Box<dyn Read + Send>)
            }
        })
    }

    fn receive(&self, key: &str, piece: &[u8], last: bool) -> io::Result<()> {
        let Some(sink) = &self.sink else {
            return Err(io::Error::other(format!("nothing was asked for under {key}")));
        };
        let mut sink = sink.lock();
        io::Write::write_all(&mut sink.file, piece)?;
        if last {
            io::Write::flush(&mut sink.file)?;
            sink.complete = true;
        }
        Ok(())
    }
}

/// The SHA-1 of a file's content, in hex.
pub(super) fn sha1_of(mut file: File) -> io::Result<String> {
    digest::digest(Algorithm::Sha1, &mut file)
}

/// Finds a file of the control node as Ansible does: in the role, beside the task's file, in the playbook's
/// directory, each time in `subdir` first.
pub(super) fn find(path: &str, subdir: &str, scope: &Scope) -> Result<PathBuf> {
    let wanted = crate::path::expand_home(path);
    if wanted.is_absolute() {
        let wanted = crate::path::normal(&wanted);
        if wanted.exists() {
            return Ok(wanted);
        }
        return Err(missing(path, &[wanted]));
    }
    let mut tried = Vec::new();
    for dir in scope.magic().search_path() {
        let dir = PathBuf::from(dir);
        for candidate in [dir.join(subdir).join(&wanted), dir.join(&wanted)] {
            if candidate.exists() {
                return Ok(candidate);
            }
            if !tried.contains(&candidate) {
                tried.push(candidate);
            }
        }
    }
    Err(missing(path, &tried))
}

fn missing(path: &str, tried: &[PathBuf]) -> Diagnostic {
    let searched: Vec<String> = tried.iter().map(|path| path.display().to_string()).collect();
    let searched = searched.join("\n\t");
    Diagnostic::new(format!(
        "Could not find or access '{path}'\nSearched in:\n\t{searched} on the Ansible Controller.\n\
         If you are using a module and expect the file to exist on the remote, see the remote_src option"
    ))
}

/// Says what a file that is sent needs where there is no password at all.
fn locked(path: &Path, error: Diagnostic) -> Diagnostic {
    if !error.is_missing() {
        return error;
    }
    let message = format!("A vault password or secret must be specified to decrypt {}", path.display());
    Diagnostic::missing(message)
        .hint("give the password with --vault-password-file, --vault-id or -J (--ask-vault-password)")
}

/// A template file's text, decrypted where it is encrypted.
fn template_source(path: &Path) -> Result<Source> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let plain = vault::open(path, bytes)?;
    let text = String::from_utf8(plain.content)
        .map_err(|_| Diagnostic::new(format!("cannot read {}: it is not UTF-8 text", path.display())))?;
    Ok(Source { path: path.to_owned(), text: text.into(), secret: plain.secret })
}

/// Renders a template file with the variables `template` adds to a task's own.
fn render_template_file(source: &Source, args: &Map<String, Json>, scope: &Scope) -> Result<String> {
    let mut scope = scope.clone();
    add_template_vars(&mut scope, &source.path, args);
    // Jinja reads every line end as one, and writes `newline_sequence`.
    let text = &source.text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut syntax, body) = Syntax::from_header(text)?;
    override_syntax(&mut syntax, args);
    let (path, secret) = (source.path.clone(), source.secret);
    let source = Arc::new(Source { path, text: text.as_str().into(), secret });
    let line = if body.len() == text.len() { 1 } else { 2 };
    let place = crate::diagnostic::Place { source, line, column: 1, length: 0 };
    template::render_file(body, Some(&place), &syntax, &context(&scope))
}

/// A rendered text in the charset the task asks for.
fn encoded(text: String, path: &Path, args: &Map<String, Json>) -> Result<Vec<u8>> {
    let name = args.get("output_encoding").and_then(Json::as_str).filter(|name| !name.is_empty());
    let Some(name) = name else { return Ok(text.into_bytes()) };
    let charset = Charset::named(name)
        .ok_or_else(|| Diagnostic::new(format!("output_encoding: unknown encoding: {name}")))?;
    let bytes = charset.encode(&text).map_err(|misfit| {
        Diagnostic::new(format!("{charset} has no place for {misfit}, which {} renders to", path.display()))
            .hint("choose another output_encoding; utf-8 has a place for everything")
    })?;
    Ok(bytes.into_owned())
}

/// A context that also finds templates to include: beside the template, and where the task looks for files.
fn context(scope: &Scope) -> Context<'_> {
    let dirs = scope.magic().search_path().into_iter().flat_map(|dir| {
        let dir = PathBuf::from(dir);
        [dir.join("templates"), dir]
    });
    Context::new(scope).with_search_path(dirs.collect::<Vec<_>>())
}

fn add_template_vars(scope: &mut Scope, path: &Path, args: &Map<String, Json>) {
    let text = path.to_string_lossy().into_owned();
    if template::Names::get(scope, "ansible_managed").is_none() {
        scope.set_local("ansible_managed", "Ansible managed");
    }
    if let Some(Json::String(dest)) = args.get("dest") {
        scope.set_local("template_destpath", dest.as_str());
    }
    scope.set_local("template_path", text.as_str());
    let full = std::path::absolute(path).map_or(text, |path| path.to_string_lossy().into_owned());
    scope.set_local("template_fullpath", full);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    scope.set_local("template_host", host);
    if let Ok(metadata) = fs::metadata(path) {
        use std::os::unix::fs::MetadataExt;
        scope.set_local("template_uid", Accounts::read().owner(metadata.uid()));
        if let Ok(changed) = jiff::Timestamp::from_second(metadata.mtime()) {
            scope.set_local("template_mtime", changed.to_string());
        }
    }
    scope.set_local("template_run_date", jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string());
}

/// The `template` module's options about marks and whitespace.
fn override_syntax(syntax: &mut Syntax, args: &Map<String, Json>) {
    let text = |name: &str, slot: &mut String| {
        if let Some(Json::String(value)) = args.get(name) {
            slot.clone_from(value);
        }
    };
    text("block_start_string", &mut syntax.block.0);
    text("block_end_string", &mut syntax.block.1);
    text("variable_start_string", &mut syntax.variable.0);
    text("variable_end_string", &mut syntax.variable.1);
    text("comment_start_string", &mut syntax.comment.0);
    text("comment_end_string", &mut syntax.comment.1);
    text("newline_sequence", &mut syntax.newline_sequence);
    syntax.newline_sequence = syntax.newline_sequence.replace("\\n", "\n").replace("\\r", "\r");
    let flag = |name: &str, slot: &mut bool| {
        if let Some(value) = args.get(name).cloned().map(Value::from).as_ref().and_then(truth) {
            *slot = value;
        }
    };
    flag("trim_blocks", &mut syntax.trim_blocks);
    flag("lstrip_blocks", &mut syntax.lstrip_blocks);
}

fn bytes_of(content: Inline) -> Vec<u8> {
    let file = ControlFile { content: Some(content), ..ControlFile::default() };
    match file.inline_bytes() {
        Some(Ok(bytes)) => bytes.into_owned(),
        _ => Vec::new(),
    }
}

/// Splits what `script` is given: the script's path, and its arguments as they were written.
fn split_script(line: &str) -> Result<(String, String)> {
    let line = line.trim_start();
    let word_ends = line.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
    // The shortest start of the line that is one whole word, whatever quotes it has.
    for end in word_ends.chain([line.len()]) {
        let (start, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        if let Ok(words) = words::split(start)
            && let [script] = words.as_slice()
        {
            return Ok((script.clone(), rest.trim().to_owned()));
        }
    }
    Err(Diagnostic::new(format!("no script is named, or a quote is not closed: {line}")))
}

fn starts_encrypted(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut start)?;
    Ok(vault::is_encrypted(&start))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn mode_of(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(format!("cannot read {}: {error}", path.display()))
}
