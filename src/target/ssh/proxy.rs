//! `ProxyCommand`: a process whose streams are the connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::socket::Acknowledged;
use crate::target::pipe;

/// The running command, which ends with this, and the last of what it says on stderr.
#[derive(Debug)]
pub(super) struct Proxy {
    _child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Proxy {
    fn listen(child: Child, mut stderr: ChildStderr) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&text);
        let reader = tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
                let extra = kept.len().saturating_sub(2048);
                kept.drain(..extra);
            }
        });
        Self { _child: child, said: text, reader }
    }

    /// All it said, for a command that has closed its stdout and is about to end.
    pub(super) async fn last_words(self) -> String {
        let _ = timeout(Duration::from_secs(2), self.reader).await;
        let text = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

struct Streams {
    stdin: ChildStdin,
    stdout: ChildStdout,
}

/// Starts the command by the shell.
pub(super) fn command(command: &str) -> Result<(Box<dyn Acknowledged>, Proxy), String> {
    let failed = |error: &dyn std::fmt::Display| format!("ProxyCommand `{command}`: {error}");
    let mut child = pipe::spawn(Command::new("/bin/sh").args(["-c", &format!("exec {command}")]))
        .map_err(|error| failed(&error))?;
    match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
        (Some(stdin), Some(stdout), Some(stderr)) => {
            Ok((Box::new(Streams { stdin, stdout }), Proxy::listen(child, stderr)))
        }
        _ => Err(failed(&"no streams")),
    }
}

impl Acknowledged for Streams {}

impl AsyncRead for Streams {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(context, buffer)
    }
}

impl AsyncWrite for Streams {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(context)
    }
}
