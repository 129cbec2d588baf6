//! By `unzip` and `zipinfo`.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::path::Path;

use jiff::civil::DateTime;

use crate::kit::{Command, Failure, Result, System};
use crate::unarchive::{Archive, Args, Looked};

/// What `zipinfo` tells of one entry.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    size: u64,
    /// Where it was packed on a Unix.
    mode: Option<u32>,
    link: bool,
    /// When it was changed, by the clock on the wall.
    time: Option<DateTime>,
}

pub(super) fn look(args: &Args, archive: &Archive, sys: &mut System<'_>) -> Result<Looked> {
    let Some(unzip) = sys.which("unzip").map(|path| path.to_string_lossy().into_owned()) else {
        return Err(
            archive.unusable("unzip", "Unable to find required 'unzip' or 'zipinfo' binary in the path.")
        );
    };
    let look = |options: &[&str]| {
        let command = Command::new(unzip.as_str()).args(options.iter().copied()).arg(archive.path.clone());
        let excluded = (!args.exclude.is_empty()).then_some("-x");
        command.args(&args.include).args(excluded).args(&args.exclude).env("LC_ALL", "C")
    };
    let listed = sys.query(look(&["-Z", "-T", "-s", "-h", "-t"]))?;
    if !listed.ok() {
        return Err(archive.unusable(&unzip, &format!("{}{}", listed.stdout(), listed.stderr())));
    }
    let text = listed.stdout();
    let entries: Vec<Entry> = text.lines().filter_map(entry).collect();
    let verbose = sys.query(look(&["-v", "-qq"]))?;
    if !verbose.ok() {
        return Err(archive.unusable(&unzip, &format!("{}{}", verbose.stdout(), verbose.stderr())));
    }
    let text = verbose.stdout();
    let sums: HashMap<&str, u32> = text.lines().filter_map(sum).collect();
    let mut differs = false;
    for entry in &entries {
        if is_different(entry, sums.get(entry.name.as_str()).copied(), args, sys)? {
            differs = true;
            break;
        }
    }
    let mut extract =
        Command::new(unzip.as_str()).args(["-o"]).flag("-u", args.keep_newer).args(&args.extra_opts);
    extract = extract.arg(archive.path.clone()).args(&args.include);
    if !args.exclude.is_empty() {
        extract = extract.arg("-x").args(&args.exclude);
    }
    extract = extract.arg("-d").arg(args.dest.0.clone()).env("LC_ALL", "C");
    let names = entries.into_iter().map(|entry| entry.name).collect();
    Ok(Looked { handler: "ZipArchive", names, differs, extract })
}

/// `-rw-r--r--  3.0 unx        3 tx stor 20261121.073400 a/f`
fn entry(line: &str) -> Option<Entry> {
    let mut rest = line;
    let mut words = Vec::new();
    for _ in 0..7 {
        let (word, after) = rest.trim_start().split_once(' ')?;
        words.push(word);
        rest = after;
    }
    let [perms, _, system, size, _, _, time] = words.as_slice() else { return None };
    // What stands above and below the list has as many words.
    let size = size.parse().ok().filter(|_| perms.len() == 10)?;
    let mode = if *system == "unx" { mode(perms) } else { None };
    let time = DateTime::strptime("%Y%m%d.%H%M%S", time).ok();
    Some(Entry { name: rest.to_owned(), size, mode, link: perms.starts_with('l'), time })
}

/// `-rwxr-xr-x` as a number.
fn mode(perms: &str) -> Option<u32> {
    let letters = perms.get(1..10)?;
    let mut mode = 0;
    for (at, letter) in letters.bytes().enumerate() {
        let bit = 0o400 >> at;
        mode |= match letter {
            b'-' => 0,
            b'S' => [0o4000, 0o2000].get(at / 3).copied().unwrap_or_default(),
            b's' => bit | [0o4000, 0o2000].get(at / 3).copied().unwrap_or_default(),
            b'T' => 0o1000,
            b't' => bit | 0o1000,
            _ => bit,
        };
    }
    Some(mode)
}

/// `       3  Stored        3   0% 11-21-2026 07:34 0f0fb2b5  a/f`
fn sum(line: &str) -> Option<(&str, u32)> {
    let (front, name) = line.split_once("  ").map(|_| line.split_at_checked(line.rfind("  ")?))??;
    let crc = front.split_whitespace().next_back()?;
    Some((name.trim_start(), u32::from_str_radix(crc, 16).ok()?))
}

fn is_different(entry: &Entry, crc: Option<u32>, args: &Args, sys: &System<'_>) -> Result<bool> {
    let path = args.dest.join(entry.name.trim_end_matches('/'));
    let Some(meta) = sys.stat(&path)? else { return Ok(true) };
    if entry.name.ends_with('/') {
        return Ok(!meta.is_dir());
    }
    if entry.link {
        let target = if meta.is_link() { Some(sys.read_link(&path)?) } else { None };
        // Its size is that of the path it holds.
        return Ok(target.is_none_or(|target| target.as_os_str().len() as u64 != entry.size));
    }
    if !meta.is_file() {
        return Ok(true);
    }
    if args.keep_newer
        && let Some(packed) = entry.time.and_then(|time| time.to_zoned(crate::setup::clock::zone(sys)).ok())
        && packed.timestamp().as_second() < meta.mtime.secs
    {
        return Ok(false);
    }
    let mode_differs =
        args.attributes.mode.is_none() && entry.mode.is_some_and(|mode| mode & 0o777 != meta.mode & 0o777);
    Ok(mode_differs
        || meta.size != entry.size
        || crc.is_some() && crc != Some(crc_of(&path, args.io_buffer_size, sys)?))
}

fn crc_of(path: &Path, buffer_size: usize, sys: &System<'_>) -> Result<u32> {
    let fail = |error: io::Error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let mut reader = flate2::CrcReader::new(sys.open(path)?);
    let mut buffer = vec![0; buffer_size.clamp(1, 1 << 30)];
    while reader.read(&mut buffer).map_err(fail)? > 0 {}
    Ok(reader.crc().sum())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Entry, entry, mode, sum};

    #[test]
    fn listings_are_read() {
        let line = "-rw-r--r--  3.0 unx        3 tx stor 20261121.073405 a/f  g h";
        let time = Some(date(2026, 11, 21).at(7, 34, 5, 0));
        let expected = Entry { name: "a/f  g h".to_owned(), size: 3, mode: Some(0o644), link: false, time };
        assert_eq!(entry(line), Some(expected));
        assert_eq!(entry("Zip file size: 441 bytes, number of entries: 5"), None);
        assert_eq!(entry("3 files, 6 bytes uncompressed, 6 bytes compressed:  0.0%"), None);
        let line = "       3  Stored        3   0% 11-21-2026 07:34 0f0fb2b5  a/f g";
        assert_eq!(sum(line), Some(("a/f g", 0x0f0f_b2b5)));
        assert_eq!(mode("-rwsr-xr-t"), Some(0o5755));
    }
}
