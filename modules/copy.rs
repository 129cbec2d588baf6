use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::yes;
use crate::kit::change::Shape;
use crate::kit::charset::Charset;
use crate::kit::digest::sha1_hex;
use crate::kit::{
    Algorithm, Content, ControlFile, ControlSource, ControlTree, Failure, FileAttributes, FileFacts,
    FilePath, Meta, Mode, Result, System, TreeNode, WantedFile, WriteOptions,
};

/// Copies files and directories to the target.
///
/// The source is on the control node, or with `remote_src` on the target, or the content is given right here. Only
/// what differs travels. For files with variables in them use `template`.
///
/// # Examples
///
/// ```yaml
/// - name: A file with owner and permissions
///   copy:
///     src: /srv/myfiles/foo.conf
///     dest: /etc/foo.conf
///     owner: root
///     group: root
///     mode: u+rw,g-wx,o-rwx
///     backup: yes
///
/// - name: The sudoers file, checked before it is put in place
///   copy: {src: /mine/sudoers, dest: /etc/sudoers, validate: /usr/sbin/visudo -csf %s}
///
/// - name: Content given here
///   copy:
///     content: "# This file was moved to /etc/other.conf"
///     dest: /etc/mine.conf
///
/// - name: What is in a directory
///   copy: {src: site/, dest: /var/www, directory_mode: '0755', mode: '0644'}
///
/// - name: From one place on the target to another
///   copy: {src: /etc/skel/.bashrc, dest: /root/.bashrc, remote_src: yes, force: no}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["src", "content"]],
    "required_one_of" = [["src", "content"]],
    "words" = {
        "parameters are mutually exclusive: src|content": "src and content are mutually exclusive",
        "one of the following is required: src, content": "src (or content) is required",
        "missing required arguments: dest": "dest is required",
    },
))]
pub struct Args {
    /// The file or directory to copy. Of a directory with a trailing slash only what is in it is copied, else the
    /// directory with its name.
    #[schemars(extend("unless" = "remote_src"))]
    pub src: Option<ControlSource>,
    /// The content itself, instead of `src`. Mappings and lists become JSON.
    pub content: Option<Json>,
    /// Where to put it. With a trailing slash a directory, which is made when it is missing. A directory that is
    /// there gets the file under its own name.
    pub dest: FilePath,
    /// Whether `src` is on the target.
    #[serde(default)]
    pub remote_src: bool,
    /// Whether a file that is there with other content is replaced.
    #[serde(default = "yes")]
    pub force: bool,
    /// Keeps a copy of the file that is replaced, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// Whether the target of a symbolic link at `dest` is meant; else the link is replaced.
    #[serde(default)]
    pub follow: bool,
    /// Whether symbolic links in a directory are copied as what they point to: the default for one of the control
    /// node, where a link that points to nothing or back to where it is in stays a link. With `remote_src` links
    /// stay links unless it is set.
    pub local_follow: Option<bool>,
    /// Whether a vaulted source is decrypted. Done on the control node.
    #[serde(default = "yes")]
    pub decrypt: bool,
    /// The permissions of directories that are made.
    pub directory_mode: Option<Mode>,
    /// The SHA-1 the content must have.
    pub checksum: Option<String>,
    /// A command that must accept the new file before it is put in place, with `%s` for its path.
    pub validate: Option<String>,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    dest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    /// Of a file whose content was right already.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Of a file that was written, and of what came from the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    md5sum: Option<Json>,
    /// Null of a directory of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(flatten)]
    facts: Option<FileFacts>,
}

impl Returns {
    /// What is there stays, as `force: no` asks for.
    fn kept(dest: String, src: Option<String>) -> Self {
        Self { dest, src, ..Self::default() }
    }

    /// The same of a source on the target.
    fn kept_of_target(dest: &Path, src: String, sys: &System<'_>) -> Result<Self> {
        let kept = Self::kept(dest.to_string_lossy().into_owned(), Some(src));
        let facts = sys.file_facts_if_there(dest)?;
        Ok(Self { msg: Some("file already exists"), facts, ..kept })
    }
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.dest.as_os_str().is_empty() {
        return Err(Failure::new("dest is required"));
    }
    let how = How {
        dest: args.dest,
        force: args.force,
        backup: args.backup,
        follow: args.follow,
        directory_mode: args.directory_mode,
        checksum: args.checksum,
        validate: args.validate,
        charset: Charset::default(),
        attributes: args.attributes,
    };
    match (args.src, args.content) {
        (Some(ControlSource::File(file)), _) => place_file(&file, how, sys),
        (Some(ControlSource::Tree(tree)), _) => place_tree(&tree, &how, sys),
        (Some(ControlSource::Path(path)), _) if args.remote_src => {
            let path = PathBuf::from(sys.expand(&path)?);
            place_remote(&path, args.local_follow.unwrap_or(false), how, sys)
        }
        (Some(ControlSource::Path(path)), _) => {
            Err(Failure::new(format!("the control node sent a name and no file: {path}")))
        }
        (None, Some(content)) => {
            let is_dir = matches!(sys.stat_followed(&how.dest)?, Some(meta) if meta.is_dir());
            if is_dir {
                sys.shape_diff(Shape::Copied(how.dest.0.clone()));
            }
            if is_dir || how.names_directory() {
                return Err(Failure::new("can not use content with a dir as dest"));
            }
            // What `mode: preserve` preserves of it, as with Ansible's temporary file.
            let file =
                ControlFile { mode: Some(0o600), ..ControlFile::inline("", text_of(&content).as_bytes()) };
            place_file(&file, how, sys)
        }
        (None, None) => Err(Failure::new("src or content is required")),
    }
}

/// How a file is put in place: what `copy` and `template` have in common.
pub(crate) struct How {
    pub dest: FilePath,
    pub force: bool,
    pub backup: bool,
    pub follow: bool,
    pub directory_mode: Option<Mode>,
    pub checksum: Option<String>,
    pub validate: Option<String>,
    /// What the content is written in, for diffs.
    pub charset: Charset,
    pub attributes: FileAttributes,
}

impl How {
    fn names_directory(&self) -> bool {
        self.dest.text().ends_with('/')
    }

    /// The attributes of a file whose source has that mode.
    fn attributes(&self, source_mode: Option<u32>) -> FileAttributes {
        let mode = match &self.attributes.mode {
            Some(Mode::Preserve) => source_mode.map(Mode::Bits),
            other => other.clone(),
        };
        FileAttributes { mode, ..self.attributes.clone() }
    }

    /// Of the attributes only whose it is.
    fn ownership(&self) -> FileAttributes {
        FileAttributes { mode: None, attributes: None, ..self.attributes.clone() }
    }

    /// The attributes of a directory that is made.
    fn directory_attributes(&self) -> FileAttributes {
        FileAttributes { mode: self.directory_mode.clone(), attributes: None, ..self.attributes.clone() }
    }
}

/// Puts a file of the control node in place.
pub(crate) fn place_file(file: &ControlFile, how: How, sys: &mut System<'_>) -> Result<Returns> {
    let source = Source {
        content: Content::Control(file),
        name: file.name.clone(),
        mode: file.mode,
        src: (!file.source.is_empty()).then(|| file.source.clone()),
    };
    place(source, how, sys)
}

struct Source<'a> {
    content: Content<'a>,
    name: String,
    mode: Option<u32>,
    src: Option<String>,
}

impl Source<'_> {
    fn sha1(&self, sys: &mut System<'_>) -> Result<String> {
        match &self.content {
            Content::Control(file) => sys.sha1_of(file),
            Content::Copy(path) => sys.checksum(path, Algorithm::Sha1),
            Content::Bytes(bytes) => Ok(sha1_hex(bytes)),
        }
    }

    /// A failure tells what was to be there, where that is known: the answer would come after all of the content.
    fn told(&self, failure: Failure) -> Failure {
        match &self.content {
            Content::Control(file) if !file.unhashed => failure.with("checksum", &file.sha1),
            _ => failure,
        }
    }
}

fn place(source: Source<'_>, how: How, sys: &mut System<'_>) -> Result<Returns> {
    let is_sent = matches!(source.content, Content::Control(_));
    let mut path = how.dest.0.clone();
    if how.names_directory() || matches!(sys.stat_followed(&path)?, Some(meta) if meta.is_dir()) {
        path.push(&source.name);
    }
    if !how.force && sys.exists(&path)? {
        return match source.src {
            Some(src) if !is_sent => Returns::kept_of_target(&path, src, sys),
            src => Ok(Returns::kept(
                how.dest.text().into_owned(),
                Some(src.unwrap_or_else(|| draft(&path, sys))),
            )),
        };
    }
    if sys.is_below_file(&path)? {
        let shown = path.display();
        return Err(Failure::new(format!(
            "Failed to get information on remote file ({shown}): Not a directory"
        )));
    }
    if is_sent {
        sys.shape_diff(Shape::Copied(path.clone()));
    }
    if let Some(expected) = &how.checksum {
        let sha1 = source.sha1(sys)?;
        if *expected != sha1 {
            let msg = "Copied file does not match the expected checksum. Transfer failed.";
            let failure = Failure::new(msg).with("checksum", sha1);
            return Err(failure.with("expected_checksum", expected));
        }
    }
    if how.names_directory() {
        make_dirs(&how.dest, &how, sys)?;
    }
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
        && !sys.exists(parent)?
        && !sys.directory_comes_with_package(parent)?
    {
        let msg = format!("Destination directory {} does not exist", parent.display());
        return Err(source.told(Failure::new(msg)));
    }
    if how.follow && sys.exists(&path)? {
        path = sys.resolve(&path)?;
    }
    let attributes = how.attributes(source.mode);
    let options = WriteOptions {
        attributes: Some(&attributes),
        backup: how.backup,
        validate: how.validate.as_deref(),
        charset: how.charset,
        md5: true,
        ..WriteOptions::default()
    };
    let written =
        sys.write_with(&path, source.content.clone(), &options).map_err(|failure| source.told(failure))?;
    if !is_sent && written.changed && !written.created {
        take_after(&path, source.mode, &attributes, sys)?;
    }
    if let (Content::Copy(other), true) = (&source.content, written.changed) {
        sys.resemble(&path, other, None)?;
    }
    let md5sum = match written.md5 {
        Some(md5) => Some(md5.into()),
        None if is_sent => None,
        None => Some(sys.checksum(&path, Algorithm::Md5)?.into()),
    };
    let checksum = Some(source.sha1(sys)?.into());
    let dest = path.to_string_lossy().into_owned();
    let unchanged = is_sent && !written.changed;
    Ok(Returns {
        path: unchanged.then(|| dest.clone()),
        dest,
        src: (!unchanged).then(|| source.src.unwrap_or_else(|| draft(&path, sys))),
        checksum,
        md5sum,
        msg: None,
        backup_file: written.backup_file,
        facts: Some(sys.file_facts(&path, false)?),
    })
}

/// As in Ansible: a file that another of the target replaces has the mode of that one, and belongs to who copies it.
fn take_after(path: &Path, mode: Option<u32>, wanted: &FileAttributes, sys: &mut System<'_>) -> Result<()> {
    let (uid, gid) = sys.identity();
    let (uid, gid) = (wanted.owner.is_none().then_some(uid), wanted.group.is_none().then_some(gid));
    sys.set_owner(path, uid, gid, false)?;
    if let (Some(mode), None) = (mode, &wanted.mode) {
        sys.set_mode(path, mode)?;
    }
    Ok(())
}

/// Content that was given in the task has no source of its own: as in Ansible it is told of by a temporary name.
fn draft(path: &Path, sys: &System<'_>) -> String {
    path.with_file_name(format!(".fanfare-{}", sys.unique())).to_string_lossy().into_owned()
}

/// Makes directories, with the attributes that are wanted of new ones.
fn make_dirs(path: &Path, how: &How, sys: &mut System<'_>) -> Result<()> {
    let attributes = how.directory_attributes();
    for made in sys.make_dirs(path, None)? {
        sys.set_attributes(&made, &attributes, false)?;
    }
    Ok(())
}

/// Puts a directory of the control node in place: one comparison of all, one question for all that differ.
fn place_tree(tree: &ControlTree, how: &How, sys: &mut System<'_>) -> Result<Returns> {
    let mut root = how.dest.0.clone();
    if !tree.contents_only {
        root.push(&tree.name);
    }
    let dest = format!("{}/", how.dest.text().trim_end_matches('/'));
    let returns = Returns { dest, src: Some(tree.source.clone()), ..Returns::default() };
    // As in Ansible: where there is nothing to copy nothing is made.
    if tree.entries.is_empty() {
        return Ok(returns);
    }
    make_dirs(&root, how, sys)?;
    let mut files = Vec::new();
    for entry in &tree.entries {
        let path = root.join(&entry.path);
        match &entry.what {
            TreeNode::Dir { .. } => make_dirs(&path, how, sys)?,
            TreeNode::Link { target } => {
                sys.symlink(Path::new(target), &path)?;
                sys.set_attributes(&path, &how.ownership(), false)?;
            }
            TreeNode::File(_) if !how.force && sys.exists(&path)? => {}
            TreeNode::File(file) => {
                let path = if how.follow && sys.exists(&path)? { sys.resolve(&path)? } else { path };
                files.push(WantedFile { path, file, attributes: how.attributes(file.mode) });
            }
        }
    }
    let options =
        WriteOptions { backup: how.backup, validate: how.validate.as_deref(), ..WriteOptions::default() };
    sys.write_all(&files, &options).inspect_err(|_| sys.shape_diff(Shape::Copied(root)))?;
    Ok(returns)
}

fn place_remote(src: &Path, follow_links: bool, how: How, sys: &mut System<'_>) -> Result<Returns> {
    let shown = src.to_string_lossy().into_owned();
    let Some(meta) = sys.stat_followed(src)? else {
        return Err(Failure::new(format!("Source {shown} not found")));
    };
    let name = src.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !meta.is_dir() && !meta.is_file() {
        return Err(Failure::new(format!("Cannot copy invalid source '{shown}': not a file")));
    }
    if !meta.is_dir() {
        let source = Source { content: Content::Copy(src), name, mode: Some(meta.mode), src: Some(shown) };
        return place(source, how, sys);
    }
    let mut root = how.dest.0.clone();
    // As in Ansible: a destination that was not there is what is told of, not the directory that is put into it.
    let was_there = sys.exists(&root)?;
    if !shown.ends_with('/') {
        root.push(&name);
    }
    let told = if was_there && !shown.ends_with('/') { root.as_path() } else { how.dest.as_ref() };
    if !how.force && sys.exists(told)? {
        return Returns::kept_of_target(told, shown, sys);
    }
    let mut tree =
        Tree { follow_links, how: &how, seen: vec![sys.resolve(src)?], fresh: !sys.exists(&root)? };
    make_dirs(how.dest.as_ref(), &how, sys)?;
    tree.copy(src, &root, sys)?;
    // As in Ansible, `mode` is the directory's own; what is in it keeps the modes it has.
    let mode = how.directory_mode.clone().or_else(|| how.attributes(Some(meta.mode)).mode);
    sys.set_attributes(&root, &FileAttributes { mode, ..how.attributes.clone() }, true)?;
    let facts = Some(sys.file_facts(told, false)?);
    let mut dest = told.to_string_lossy().into_owned();
    if was_there && shown.ends_with('/') && !dest.ends_with('/') {
        dest.push('/');
    }
    let none = Some(Json::Null);
    Ok(Returns { dest, src: Some(shown), facts, checksum: none.clone(), md5sum: none, ..Returns::default() })
}

/// A directory that is copied from the target to the target.
struct Tree<'a> {
    follow_links: bool,
    how: &'a How,
    /// The directories that lead here.
    seen: Vec<PathBuf>,
    /// Whether the directory was not there. As in Ansible, all in such a one is as in the source, the times, too.
    fresh: bool,
}

impl Tree<'_> {
    fn copy(&mut self, from: &Path, to: &Path, sys: &mut System<'_>) -> Result<()> {
        let owner = self.how.ownership();
        let fresh = self.fresh;
        let found = sys.stat_followed(from)?;
        if let Some(meta) = &found {
            for made in sys.make_dirs(to, None)? {
                sys.set_mode(&made, meta.mode)?;
            }
            sys.set_attributes(to, &owner, false)?;
        }
        for name in sys.list(from)? {
            let (source, target) = (from.join(&name), to.join(&name));
            let Some(here) = sys.stat(&source)? else { continue };
            if here.is_link() && !self.follow_links {
                sys.symlink(&sys.read_link(&source)?, &target)?;
                sys.set_attributes(&target, &owner, false)?;
                continue;
            }
            let Some(meta) = sys.stat_followed(&source)? else {
                return Err(Failure::new(format!("Source {} points to nothing", source.display())));
            };
            if meta.is_dir() {
                let real = sys.resolve(&source)?;
                if self.seen.contains(&real) {
                    return Err(Failure::new(format!("{} leads back to itself", source.display())));
                }
                self.seen.push(real);
                self.fresh = fresh || !sys.exists(&target)?;
                self.copy(&source, &target, sys)?;
                self.fresh = fresh;
                self.seen.pop();
            } else if self.how.force || !sys.exists(&target)? {
                self.copy_file(&source, &meta, &target, sys)?;
            }
        }
        match &found {
            Some(meta) if fresh => sys.resemble(to, from, Some(meta.mode)),
            _ => Ok(()),
        }
    }

    fn copy_file(&self, source: &Path, meta: &Meta, target: &Path, sys: &mut System<'_>) -> Result<()> {
        let how = self.how;
        let owner = how.ownership();
        let options = WriteOptions {
            attributes: Some(&owner),
            new_mode: Some(meta.mode),
            backup: how.backup,
            validate: how.validate.as_deref(),
            ..WriteOptions::default()
        };
        let written = sys.write_with(target, Content::Copy(source), &options)?;
        if self.fresh {
            sys.resemble(target, source, Some(meta.mode))?;
        } else if written.changed && !written.created {
            sys.set_mode(target, meta.mode)?;
        }
        Ok(())
    }
}

/// `content` as text: text as it is, mappings and lists as Python's `json.dumps`, anything else as `str`.
fn text_of(content: &Json) -> String {
    match content {
        Json::String(text) => text.clone(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Null => String::new(),
        Json::Number(number) => number.to_string(),
        Json::Array(_) | Json::Object(_) => {
            let mut out = String::new();
            dump(content, &mut out);
            out
        }
    }
}

fn dump(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                dump(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                dump(&Json::from(key.as_str()), out);
                out.push_str(": ");
                dump(item, out);
            }
            out.push('}');
        }
        Json::String(_) => {
            for c in value.to_string().chars() {
                if c.is_ascii() {
                    out.push(c);
                } else {
                    let mut units = [0; 2];
                    out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
                }
            }
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests;
