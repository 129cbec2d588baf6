//! The script that finds the worker or receives it.

use std::fmt::Write as _;

use super::{Mark, Run};
use crate::target::CallError;
use crate::target::embedded::Worker;

/// What the script is made of.
pub(super) struct Script<'a> {
    pub mark: &'a Mark,
    /// A directory to try first; it may use `~` and `$VARIABLES`.
    pub remote_tmp: Option<&'a str>,
    pub run: Run,
    /// What systems (as `uname -sm` says) there are workers for.
    pub rows: &'a [(String, &'static Worker)],
    /// Whether the worker stays there for the next time.
    pub keep: bool,
}

impl Script<'_> {
    pub(super) fn text(&self) -> Result<String, CallError> {
        // Every program it calls costs the host a millisecond: what a warm start does not need comes after it.
        let mut text = self.head();
        if self.keep {
            self.search(&mut text)?;
        } else {
            self.places(&mut text)?;
        }
        self.receive(&mut text);
        Ok(text)
    }

    fn head(&self) -> String {
        let mut text = String::new();
        let Mark { head, tail } = self.mark;
        // Most have an openssl that takes a fifth of the time.
        let _ = write!(
            text,
            "m={head};m=\"$m-{tail}\";q={};\
             sum(){{ openssl dgst -sha256 -r <\"$1\" 2>/dev/null||sha256sum <\"$1\" 2>/dev/null;}};\
             k=`uname -sm`;case \"$k\" in ",
            self.run.skip
        );
        for (system, Worker { packed, size, sha256, .. }) in self.rows {
            let _ = write!(text, "\"{system}\") h={sha256};n={size};z={};;", packed.len());
        }
        text.push_str("*) echo \"$m ARCH $k\";exit 3;;esac;");
        text
    }

    /// Becomes the worker.
    fn exec(&self) -> String {
        let own = if self.keep { "" } else { " --vanish" };
        let quiet = if self.run.terminal { " 2>/dev/null" } else { "" };
        format!("exec \"$f\"{own}{quiet}")
    }

    /// Looks for it in the caches, and leaves the list of them in `$@`.
    fn search(&self, text: &mut String) -> Result<(), CallError> {
        // Whoever could write to it meanwhile does not get it run.
        let found = if self.run.anew {
            "rm -f \"$f\"".to_owned()
        } else {
            format!("s=`sum \"$f\"`;[ \"${{s%% *}}\" = $h ]||continue;echo \"$m HIT\"&&{}", self.exec())
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
        if let Some(dir) = self.remote_tmp {
            let _ = write!(text, "set -- \"{}/fanfare\" \"$@\";", shell_path(dir)?);
        }
        text.push_str(
            "c \"$@\";i=0;u=`id -u`;\
             set -- \"$@\" \"/var/tmp/.fanfare-$u\" \"/tmp/.fanfare-$u\" \"/dev/shm/.fanfare-$u\";c \"$@\";",
        );
        Ok(())
    }

    /// The list of places where it may be for as long as it takes to start, each a directory of its own.
    fn places(&self, text: &mut String) -> Result<(), CallError> {
        text.push_str("i=0;set --;if [ -O \"$HOME\" ];then set -- \"$HOME/.$m\";fi;");
        if let Some(dir) = self.remote_tmp {
            let _ = write!(text, "set -- \"{}/.$m\" \"$@\";", shell_path(dir)?);
        }
        text.push_str("set -- \"$@\" \"/var/tmp/.$m\" \"/tmp/.$m\" \"/dev/shm/.$m\";");
        Ok(())
    }

    /// Receives it in the first of the places that will do.
    fn receive(&self, text: &mut String) {
        let make = if self.keep { "mkdir -p" } else { "mkdir" };
        // Where the link died nobody tells the host: what waits for the rest would stay until its TCP gives up, in hours. On a
        // terminal `timeout` would not get to read.
        let wait = if self.run.terminal {
            "head -c $z;"
        } else {
            "if timeout 9 true 2>/dev/null;then timeout 1800 head -c $z;else head -c $z;fi;"
        };
        // The worker is nobody else's to read, but what it then does starts from the host's own umask.
        // gzip's own sum tells damage, not what somebody else wrote there.
        let _ = write!(
            text,
            "o=`umask`;umask 077;w=;\
             no(){{ rm -f \"$t\";rmdir \"$d\" 2>/dev/null;echo \"$m ERR\" $*;exit 4;}};\
             for d do if [ -L \"$d\" ];then w=\"$w$d is a link, \";continue;fi;{make} \"$d\" 2>/dev/null;\
             [ -d \"$d\" ]&&[ -O \"$d\" ]&&[ -w \"$d\" ]||{{ w=\"$w$d is not ours to write to, \";continue;}};\
             p=\"$d/.p-$m\";{{ echo \"#/bin/sh\" >\"$p\";}} 2>/dev/null||\
             {{ w=\"$w$d takes no file, \";rm -f \"$p\";rmdir \"$d\" 2>/dev/null;continue;}};\
             chmod 700 \"$p\";\"$p\" >/dev/null 2>&1;r=$?;rm -f \"$p\";\
             [ $r = 0 ]||{{ w=\"$w$d runs no programs (noexec), \";rmdir \"$d\" 2>/dev/null;continue;}};\
             i=$((i+1));[ $i -gt $q ]||{{ rmdir \"$d\" 2>/dev/null;continue;}};\
             f=\"$d/w-$h\";t=\"$d/.t-$m\";\
             if [ \"`echo x|gzip 2>/dev/null|gzip -dc 2>/dev/null`\" = x ];then g=gzip;else g=plain;z=$n;fi;\
             gz(){{ if [ $g = gzip ];then gzip -dc;else cat;fi;}};hd(){{ {wait}}};\
             echo \"$m MISS $g $k $d\";\
             e=`{{ hd|gz >\"$t\";}} 2>&1`||no $e;\
             l=`wc -c <\"$t\"`;[ $l = $n ]||no $l of $n bytes arrived;\
             s=`sum \"$t\"`;\
             case \"${{s%% *}}\" in \"\"|$h) ;;*) no it arrived damaged;;esac;\
             e=`{{ chmod 700 \"$t\"&&mv -f \"$t\" \"$f\";}} 2>&1`||no $e;"
        );
        if self.keep {
            text.push_str(
                "(find \"$d\" -maxdepth 1 -type f -name \"[w.]*-*\" -mtime +30 -exec rm -f {} + </dev/null >/dev/null 2>&1 &);",
            );
        }
        let _ =
            write!(text, "echo \"$m SENT\";umask $o;{};exit 5;done;echo \"$m NODIR $w\";exit 6", self.exec());
    }
}

/// A path as it stands between double quotes in the script.
pub(super) fn shell_path(path: &str) -> Result<String, CallError> {
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
