//! Ctrl-C and its like: the first one ends the run in good order, the second one ends it at once.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::Exit;

/// Resolves at the first SIGINT, SIGTERM or SIGHUP, but for those this process was started to ignore (`nohup`, `&` in
/// a script). From then on another one ends the process, whatever it is busy with. Must be called inside of the
/// runtime.
pub(super) fn first() -> io::Result<impl Future<Output = ()>> {
    let mut interrupts = Interrupts::listen()?;
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        interrupts.next().await;
        interrupts.restore_terminal();
        // Nobody waits any more when the run is over.
        let _ = tell.send(());
        interrupts.next().await;
        interrupts.restore_terminal();
        std::process::exit(Exit::Interrupted as i32);
    });
    // The sender lives as long as the runtime.
    Ok(async { drop(told.await) })
}

struct Interrupts {
    signals: Vec<Signal>,
    /// How the terminal was: a question with hidden answer changes it.
    terminal: Option<Termios>,
}

impl Interrupts {
    fn listen() -> io::Result<Self> {
        let ignored = ignored();
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let wanted = kinds.into_iter().filter(|kind| ignored >> (kind.as_raw_value() - 1) & 1 == 0);
        let signals = wanted.map(signal).collect::<io::Result<_>>()?;
        Ok(Self { signals, terminal: tcgetattr(io::stdin()).ok() })
    }

    async fn next(&mut self) {
        poll_fn(|cx| {
            let came = self.signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn restore_terminal(&self) {
        if let Some(terminal) = &self.terminal {
            // It may be gone: that is what SIGHUP says.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, terminal);
        }
    }
}

/// The signals this process ignores, as bits, the lowest for signal 1.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
