//! The TCP connection under an SSH session, and what became of it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::target::pipe::ByteStream;

/// Why a connection ended, told by whoever finds out first.
#[derive(Clone, Debug, Default)]
pub(in crate::target) struct Fate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reason: Mutex<Option<String>>,
    known: Notify,
}

impl Fate {
    pub(super) fn set(&self, reason: impl FnOnce() -> String) {
        let mut slot = self.0.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(reason());
            self.0.known.notify_waiters();
        }
    }

    pub(super) fn get(&self) -> Option<String> {
        self.0.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The reason, awaited a little: streams end a moment before their cause is known.
    pub(in crate::target) async fn reason(&self) -> String {
        let known = self.0.known.notified();
        if self.get().is_none() {
            let _ = timeout(Duration::from_secs(1), known).await;
        }
        let reason = self.get().unwrap_or_else(|| "Connection closed by remote host".to_owned());
        super::failed_to_connect(&reason)
    }
}

/// Connects to the first address that answers. All of them share the time until `deadline`.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    bind: Option<std::net::IpAddr>,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let mut last = io::Error::from_raw_os_error(rustix::io::Errno::ADDRNOTAVAIL.raw_os_error());
    for (index, address) in addresses.iter().enumerate() {
        // An address that swallows everything must not use up the time of the next.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(1);
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(bind) = bind {
            socket.bind(SocketAddr::new(bind, 0))?;
        }
        match timeout_at(Instant::now() + share, socket.connect(*address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from_raw_os_error(rustix::io::Errno::TIMEDOUT.raw_os_error()),
        }
    }
    Err(last)
}

/// Whatever carries a session. Ends when its [`oneshot::Sender`] is dropped, and remembers its errors.
pub(super) struct Carrier {
    stream: Box<dyn Acknowledged>,
    cut: oneshot::Receiver<()>,
    fate: Fate,
    peer: String,
}

impl Carrier {
    /// `peer` names the other side in errors. The session lives as long as the sender.
    pub(super) fn new(
        stream: Box<dyn Acknowledged>,
        fate: Fate,
        peer: String,
    ) -> (Self, oneshot::Sender<()>) {
        let (keep, cut) = oneshot::channel();
        (Self { stream, cut, fate, peer }, keep)
    }

    fn note(&self, error: &io::Error) {
        self.fate.set(|| format!("Read from remote host {}: {}", self.peer, super::os_text(error)));
    }
}

/// A stream that may be told to acknowledge what it receives at once.
pub(super) trait Acknowledged: ByteStream {
    fn acknowledge(&self) {}
}

impl Acknowledged for TcpStream {
    /// Before it knows that we are in a hurry, sshd waits for our acknowledgement, which the kernel holds back:
    /// 50 ms for the first command instead of 3. The setting wears off, so it is renewed.
    fn acknowledge(&self) {
        #[cfg(target_os = "linux")]
        {
            let _ = rustix::net::sockopt::set_tcp_quickack(self, true);
        }
    }
}

impl Acknowledged for russh::ChannelStream<russh::client::Msg> {}

impl AsyncRead for Carrier {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if Pin::new(&mut self.cut).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.stream.acknowledge();
        let result = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        if let Err(error) = &result {
            self.note(error);
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.stream.acknowledge();
        if let Err(error) = &result {
            self.note(error);
        }
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A connection that is gone cannot be shut down, and that is no news.
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
        Poll::Ready(Ok(()))
    }
}
