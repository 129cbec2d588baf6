//! Bringing the worker to life behind a shell: found in its cache by hash, else sent there, then started.
//!
//! One command does it all, so that a warm start costs one round trip: a POSIX `sh` script without single
//! quotes, newlines, backslashes and exclamation marks, which therefore survives csh and fish as login shells.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use fanfare_modules::kit::wire::GREETING;

use super::embedded::{self, WORKERS, Worker};
use super::hops::{self, Prompt};
use super::opening::{Mark, Opening, Trouble};
use super::pipe::{Exit, Pipe};
use super::{CallError, Hop};

/// How the script is to be run.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    /// Past the cache: what is there does not work.
    anew: bool,
    terminal: bool,
    /// How many of the directories that would do are left out: those could not be written to their end.
    skip: usize,
}

/// A place that starts commands.
pub(super) trait Starts {
    /// Gives `command` to the login shell there.
    async fn start(&self, command: &str, terminal: bool) -> Result<Pipe, CallError>;

    /// Why there is no reaching it, where a command's early end means that; `hopped` when it went through a hop.
    fn unreached(&self, _exit: &Exit, _said: &str, _hopped: bool) -> Option<String> {
        None
    }
}

/// A worker that has greeted, with what it said since.
#[derive(Debug)]
pub(super) struct Started {
    pub pipe: Pipe,
    pub rest: BytesMut,
    /// Whether the worker had to be sent.
    pub uploaded: bool,
}

/// Starts the worker at `place`, behind the hop.
pub(super) async fn start(
    place: &impl Starts,
    hop: Option<&Hop>,
    remote_tmp: Option<&str>,
) -> Result<Started, CallError> {
    let mut run = Run::default();
    let mut unwritten = None;
    loop {
        match attempt(place, hop, remote_tmp, run).await {
            Ok(started) => return Ok(started),
            // Another directory may have room.
            Err(Failure::Unwritten(error)) => {
                unwritten.get_or_insert(error);
                run.skip += 1;
            }
            Err(Failure::NoDirectory(error)) => return Err(unwritten.unwrap_or(error)),
            Err(Failure::Stale) if !run.anew => run.anew = true,
            Err(Failure::Stale) => return Err(CallError::Failed("the worker vanished".to_owned())),
            Err(Failure::NeedsTerminal(said)) if run.terminal => return Err(CallError::Failed(said)),
            Err(Failure::NeedsTerminal(_)) => run.terminal = true,
            Err(Failure::Call(error)) => return Err(error),
        }
    }
}

/// A worker that is reached without a shell need only greet.
pub(super) async fn greet(pipe: Pipe) -> Result<Started, CallError> {
    let mut opening = Opening::new(pipe, &Mark::new(), None, Prompt::Never);
    match opening.skip_past(GREETING).await {
        Ok(()) => Ok(Started { rest: opening.out, pipe: opening.pipe, uploaded: false }),
        Err(Trouble::Call(error)) => Err(error),
        Err(_) => Err(CallError::Failed("the worker ended before it greeted".to_owned())),
    }
}

enum Failure {
    /// The cached worker does not start.
    Stale,
    NeedsTerminal(String),
    /// The directory did not take the worker: it is full, say.
    Unwritten(CallError),
    NoDirectory(CallError),
    Call(CallError),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

async fn attempt(
    place: &impl Starts,
    hop: Option<&Hop>,
    remote_tmp: Option<&str>,
    run: Run,
) -> Result<Started, Failure> {
    let mark = Mark::new();
    let inner = |terminal| -> Result<_, CallError> {
        let script = script(&mark, remote_tmp, Run { terminal, ..run }, WORKERS)?;
        Ok(format!("/bin/sh -c '{script}'"))
    };
    let (text, prompt, terminal) = match hop {
        Some(hop) => {
            let wanted = hops::command(hop, "", &mark.head)?.terminal || run.terminal;
            let command = hops::command(hop, &inner(wanted)?, &mark.head)?;
            (command.text, command.prompt, wanted)
        }
        None => (inner(run.terminal)?, Prompt::Never, run.terminal),
    };
    let pipe = place.start(&text, terminal).await?;
    let mut opening = Opening::new(pipe, &mark, hop, prompt);
    let found = match opening.answer().await {
        Ok(answer) if answer == "HIT" => true,
        Ok(answer) => {
            upload(&mut opening, &answer).await?;
            false
        }
        Err(Trouble::Call(error)) => return Err(error.into()),
        Err(Trouble::NeedsTerminal) => return Err(Failure::NeedsTerminal(opening.said())),
        Err(Trouble::Ended { exit, said }) => {
            let unreached = place.unreached(&exit, &said, hop.is_some()).map(CallError::Unreachable);
            return Err(unreached.unwrap_or_else(|| no_shell(hop, &exit, &said)).into());
        }
    };
    match opening.skip_past(GREETING).await {
        Ok(()) => Ok(Started { rest: opening.out, pipe: opening.pipe, uploaded: !found }),
        Err(Trouble::Call(error @ CallError::Unreachable(_))) => Err(error.into()),
        Err(_) if found => Err(Failure::Stale),
        Err(Trouble::Ended { exit, said }) => {
            Err(CallError::Failed(format!("the worker does not start there ({exit}): {said}")).into())
        }
        Err(_) => Err(CallError::Failed("the worker does not greet".to_owned()).into()),
    }
}

/// Sends the worker the script asks for.
async fn upload(opening: &mut Opening<'_>, answer: &str) -> Result<(), Failure> {
    let words: Vec<&str> = answer.split_whitespace().collect();
    let ["MISS", form, _system, arch, ..] = words.as_slice() else { return Err(refusal(answer)) };
    let worker = embedded::worker(arch).ok_or_else(|| CallError::Failed(embedded::hint(arch)))?;
    let bytes = match *form {
        "gzip" => Bytes::from_static(worker.packed),
        _ => worker.plain().map_err(|error| CallError::Failed(format!("unpacking the worker: {error}")))?,
    };
    // Sent while the answers are watched: a full disk ends the script before it has read everything.
    match opening.answer_to(bytes).await {
        Ok(answer) if answer == "SENT" => Ok(()),
        Ok(answer) => Err(refusal(&answer)),
        Err(Trouble::Call(error)) => Err(error.into()),
        Err(Trouble::Ended { exit, said }) => {
            Err(CallError::Failed(format!("sending the worker failed ({exit}): {said}")).into())
        }
        Err(Trouble::NeedsTerminal) => Err(CallError::Failed("sending the worker failed".to_owned()).into()),
    }
}

/// What the script's other answers mean.
fn refusal(answer: &str) -> Failure {
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let error = CallError::Failed(match word {
        "ARCH" => match rest.strip_prefix("Linux ") {
            Some(arch) => embedded::hint(arch),
            None => format!("{rest} is not supported: the worker runs on Linux"),
        },
        "NODIR" => "no directory takes the worker: tried remote_tmp, ~/.cache, /var/tmp, /tmp and /dev/shm \
                    (each must be ours, writable, and not mounted noexec); set ansible_remote_tmp to one that does"
            .to_owned(),
        "ERR" => format!("writing the worker failed: {rest}"),
        _ => format!("unexpected answer from the shell: {answer}"),
    });
    match word {
        "ERR" => Failure::Unwritten(error),
        "NODIR" => Failure::NoDirectory(error),
        _ => Failure::Call(error),
    }
}

/// The command ended before it said anything of ours.
fn no_shell(hop: Option<&Hop>, exit: &Exit, said: &str) -> CallError {
    if let (Some(hop), Exit::Status(code)) = (hop, exit) {
        return hops::refused(hop, said, *code);
    }
    CallError::Failed(match hop {
        Some(hop) => hops::explain(hop, said),
        None if said.is_empty() => format!("no shell there: it ended at once ({exit})"),
        None => format!("no shell there ({exit}): {said}"),
    })
}

/// The script. `remote_tmp` is a directory to try first; it may use `~` and `$VARIABLES`.
fn script(mark: &Mark, remote_tmp: Option<&str>, run: Run, workers: &[Worker]) -> Result<String, CallError> {
    // Every program it calls costs the host a millisecond: what a warm start does not need comes after it.
    let mut text = String::new();
    let Mark { head, tail } = mark;
    let _ = write!(text, "m={head};m=\"$m-{tail}\";q={};k=`uname -sm`;case \"$k\" in ", run.skip);
    for Worker { arch, packed, size, sha256 } in workers {
        let _ = write!(text, "\"Linux {arch}\") h={sha256};n={size};z={};;", packed.len());
    }
    text.push_str("*) echo \"$m ARCH $k\";exit 3;;esac;");
    let exec = if run.terminal { "exec \"$f\" 2>/dev/null" } else { "exec \"$f\"" };
    // What is found was verified when it came. In our home only we write, and its size tells a broken one cheaply; one
    // that is broken otherwise does not greet. Elsewhere somebody may have put it there.
    let found = if run.anew {
        "rm -f \"$f\"".to_owned()
    } else {
        format!(
            "l=`wc -c <\"$f\"`;[ $l = $n ]||continue;\
             case \"$d\" in \"${{HOME:-//}}\"/*) ;;\
             *) s=`sha256sum <\"$f\" 2>/dev/null`;[ \"${{s%% *}}\" = $h ]||continue;;esac;\
             echo \"$m HIT\"&&{exec}"
        )
    };
    let _ = write!(
        text,
        "c(){{ for d do f=\"$d/w-$h\";\
         if [ -L \"$d\" ]||[ -L \"$f\" ];then continue;fi;\
         if [ -f \"$f\" ]&&[ -x \"$f\" ]&&[ -O \"$f\" ]&&[ -O \"$d\" ];then {found};fi;done;}};set --;"
    );
    // Not in somebody else's home: root by `sudo` without -H would leave files there that their owner cannot
    // remove.
    text.push_str(
        "if [ -O \"${XDG_CACHE_HOME:-$HOME}\" ];then set -- \"${XDG_CACHE_HOME:-$HOME/.cache}/fanfare\";fi;",
    );
    if let Some(dir) = remote_tmp {
        let _ = write!(text, "set -- \"{}/fanfare\" \"$@\";", shell_path(dir)?);
    }
    text.push_str(
        "c \"$@\";i=0;u=`id -u`;\
         set -- \"$@\" \"/var/tmp/.fanfare-$u\" \"/tmp/.fanfare-$u\" \"/dev/shm/.fanfare-$u\";c \"$@\";",
    );
    // What gzip unpacked it has verified; a second look would cost a small host 10 ms and more.
    // The worker is nobody else's to read, but what it then does starts from the host's own umask.
    text.push_str(
        "o=`umask`;umask 077;\
         no(){ rm -f \"$t\";rmdir \"$d\" 2>/dev/null;echo \"$m ERR\" $*;exit 4;};\
         for d do if [ -L \"$d\" ];then continue;fi;mkdir -p \"$d\" 2>/dev/null;\
         [ -d \"$d\" ]&&[ -O \"$d\" ]&&[ -w \"$d\" ]||continue;\
         p=\"$d/.p-$m\";{ echo \"#/bin/sh\" >\"$p\";} 2>/dev/null||continue;\
         chmod 700 \"$p\";\"$p\" >/dev/null 2>&1;r=$?;rm -f \"$p\";[ $r = 0 ]||continue;\
         i=$((i+1));[ $i -gt $q ]||{ rmdir \"$d\" 2>/dev/null;continue;};\
         f=\"$d/w-$h\";t=\"$d/.t-$m\";\
         if [ \"`echo x|gzip 2>/dev/null|gzip -dc 2>/dev/null`\" = x ];then g=gzip;else g=plain;z=$n;fi;\
         gz(){ if [ $g = gzip ];then gzip -dc;else cat;fi;};\
         echo \"$m MISS $g $k $d\";\
         e=`{ head -c $z|gz >\"$t\";} 2>&1`||no $e;\
         l=`wc -c <\"$t\"`;[ $l = $n ]||no $l of $n bytes arrived;\
         s=;[ $g = gzip ]||s=`sha256sum <\"$t\" 2>/dev/null`;\
         case \"${s%% *}\" in \"\"|$h) ;;*) no it arrived damaged;;esac;\
         e=`{ chmod 700 \"$t\"&&mv -f \"$t\" \"$f\";} 2>&1`||no $e;\
         (find \"$d\" -type f -name \"[w.]*-*\" -mtime +30 -exec rm -f {} + </dev/null >/dev/null 2>&1 &);\
         echo \"$m SENT\";",
    );
    let _ = write!(text, "umask $o;{exec};exit 5;done;echo \"$m NODIR\";exit 6");
    Ok(text)
}

/// A path as it stands between double quotes in the script.
fn shell_path(path: &str) -> Result<String, CallError> {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,= ~${}".contains(c);
    if !path.chars().all(plain) {
        return Err(CallError::Failed(format!("remote_tmp `{path}` has characters that no shell is to see")));
    }
    Ok(match path.strip_prefix("~/") {
        Some(rest) => format!("$HOME/{rest}"),
        None if path == "~" => "$HOME".to_owned(),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests;
