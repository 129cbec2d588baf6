//! A real sshd with accounts that have passwords, kept by the script beside this file. Needs root.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// `fanfare-asked` may use sudo by its password, `fanfare-barred` may not; the password of both is [`PASSWORD`].
pub struct RootHost {
    pub port: u16,
    keeper: Child,
    stdin: Option<ChildStdin>,
}

pub const PASSWORD: &str = "right horse";

impl RootHost {
    /// `None` after saying why where that cannot be had.
    pub fn start() -> Option<Self> {
        Self::start_with("yes", "no")
    }

    /// With PasswordAuthentication and KbdInteractiveAuthentication as given.
    pub fn start_with(password: &str, keyboard: &str) -> Option<Self> {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("fanfare-root-host.{}.{serial}", std::process::id()));
        let mut keeper = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/root_host"))
            .arg(&dir)
            .args([password, keyboard])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/support/root_host starts (it needs bash)");
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let Some(port) = said.trim().strip_prefix("ready ") else {
            let status = keeper.wait().unwrap();
            assert_eq!(status.code(), Some(69), "tests/support/root_host failed, see its message above");
            eprintln!("SKIPPED: no accounts with passwords to be had here, see above");
            return None;
        };
        Some(Self { port: port.parse().unwrap(), stdin: keeper.stdin.take(), keeper })
    }
}

impl Drop for RootHost {
    fn drop(&mut self) {
        self.stdin.take();
        let _ = self.keeper.wait();
    }
}
