//! The worker without a file: where every directory is mounted noexec or full, a helper that hosts often have takes it into
//! memory and becomes it.

use std::fmt::Write as _;

use bytes::Bytes;

use super::Mark;
use crate::target::embedded::Worker;

/// A program that can make a file in memory and run it.
struct Helper {
    name: &'static str,
    /// The option that gives it its program.
    option: &'static str,
    /// Its program, in one line. It takes the mark, the worker's size and the number of the system call. It waits half an hour
    /// for the worker, as the script does.
    program: &'static str,
}

const HELPERS: &[Helper] = &[
    Helper { name: "perl", option: "-e", program: PERL },
    Helper { name: "python3", option: "-c", program: PYTHON },
];

/// 17: closed at exec and executable, as newer kernels want to be told; 1: closed at exec.
const PERL: &str = r#"$|=1;alarm 1800;my($m,$n,$c)=@ARGV;my $x="fanfare-worker";sub bad{print "$m ERR @_\n";exit 4}my $d=-1;for my $f(17,1){$d=syscall($c+0,$x,$f);last if $d>=0}bad("memfd_create: $!")if $d<0;open(my $o,">&=",$d)or bad("open: $!");binmode STDIN;while($n>0){my $b;my $r=sysread(STDIN,$b,$n>65536?65536:$n);bad("it did not arrive whole")unless $r;$n-=$r;while(length $b){my $w=syswrite($o,$b);bad("write: $!")unless $w;substr($b,0,$w)=""}}print "$m SENT\n";alarm 0;exec{"/proc/self/fd/$d"}$x;bad("exec: $!")"#;

const PYTHON: &str = r#"exec("import os,sys,signal\nsignal.alarm(1800)\nm,n=sys.argv[1],int(sys.argv[2])\ndef say(*w):\n print(m,*w,flush=True)\ndef whole():\n say('ERR','it did not arrive whole')\n os._exit(4)\ntry:\n d=os.memfd_create('fanfare-worker',1)\n while n>0:\n  b=os.read(0,min(n,65536)) or whole()\n  n-=len(b)\n  while b: b=b[os.write(d,b):]\n say('SENT')\n signal.alarm(0)\n os.execv('/proc/self/fd/%d'%d,['fanfare-worker'])\nexcept Exception as e:\n say('ERR',e)\n os._exit(4)")"#;

/// The number of `memfd_create`, which perl has no name for.
fn call(machine: &str) -> u32 {
    match machine {
        "x86_64" | "amd64" => 319,
        "i386" | "i486" | "i586" | "i686" => 356,
        "armv6l" | "armv7l" | "armv8l" => 385,
        "ppc64" | "ppc64le" => 360,
        "s390x" => 350,
        // The architectures that came later share theirs.
        _ => 279,
    }
}

/// The script that finds a helper and hands over to it. Its program comes by the input, as the first line: what stands in the
/// command has to survive every login shell.
pub(super) fn script(mark: &Mark, rows: &[(String, &Worker)], terminal: bool) -> String {
    let Mark { head, tail } = mark;
    let mut text = format!("m={head};m=\"$m-{tail}\";k=`uname -sm`;case \"$k\" in ");
    for (system, worker) in rows {
        let machine = system.rsplit(' ').next().unwrap_or_default();
        let _ = write!(text, "\"{system}\") n={};s={};;", worker.size, call(machine));
    }
    text.push_str("*) echo \"$m ARCH $k\";exit 3;;esac;");
    let quiet = if terminal { " 2>/dev/null" } else { "" };
    for Helper { name, option, .. } in HELPERS {
        let _ = write!(
            text,
            "if command -v {name} >/dev/null 2>&1;then echo \"$m MISS {name} $k memory\";\
             IFS= read -r c;exec {name} {option} \"$c\" \"$m\" $n $s{quiet};fi;"
        );
    }
    text.push_str("echo \"$m NOHELP\";exit 6");
    text
}

/// What the script wants to read: the helper's program, and the worker.
pub(super) fn content(helper: &str, plain: &[u8]) -> Option<Bytes> {
    let helper = HELPERS.iter().find(|one| one.name == helper)?;
    let mut content = Vec::with_capacity(plain.len() + helper.program.len() + 1);
    content.extend_from_slice(helper.program.as_bytes());
    content.push(b'\n');
    content.extend_from_slice(plain);
    Some(content.into())
}

/// The helpers, as people read them.
pub(super) fn helpers() -> String {
    HELPERS.iter().map(|helper| helper.name).collect::<Vec<_>>().join(" nor ")
}
