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
use tokio::time::{Instant, Sleep, sleep, timeout, timeout_at};

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
    /// How long nothing may go out; for ever where that is not said.
    patience: Option<Duration>,
    /// When that is over.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Carrier {
    /// `peer` names the other side in errors. The session lives as long as the sender.
    pub(super) fn new(
        stream: Box<dyn Acknowledged>,
        fate: Fate,
        peer: String,
        patience: Option<Duration>,
    ) -> (Self, oneshot::Sender<()>) {
        let (keep, cut) = oneshot::channel();
        (Self { stream, cut, fate, peer, patience, stuck: None }, keep)
    }

    /// A write does not get on. The session waits for it, and meanwhile neither reads nor finds the other side silent.
    fn poll_stuck<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if Pin::new(&mut self.cut).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let Some(patience) = self.patience else { return Poll::Pending };
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stuck.as_mut().poll(context));
        self.fate.set(|| format!("Timeout, server {} not responding.", self.peer));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
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
        let Poll::Ready(result) = Pin::new(&mut self.stream).poll_write(context, bytes) else {
            return self.poll_stuck(context);
        };
        self.stuck = None;
        self.stream.acknowledge();
        if let Err(error) = &result {
            self.note(error);
        }
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Poll::Ready(result) = Pin::new(&mut self.stream).poll_flush(context) else {
            return self.poll_stuck(context);
        };
        self.stuck = None;
        Poll::Ready(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A connection that is gone cannot be shut down, and that is no news.
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    impl Acknowledged for DuplexStream {}

    const PATIENCE: Duration = Duration::from_secs(45);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_does_not_get_on_is_given_up() {
        let (near, mut far) = duplex(64);
        let fate = Fate::default();
        let (mut carrier, _keep) =
            Carrier::new(Box::new(near), fate.clone(), "web".to_owned(), Some(PATIENCE));
        // A slow one is none that is stuck.
        let slow = async {
            for _ in 0..4 {
                sleep(PATIENCE / 2).await;
                far.read_exact(&mut [0; 64]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(carrier.write_all(&[0; 256]), slow);
        written.unwrap();
        assert_eq!(fate.get(), None);
        let error = carrier.write_all(&[0; 256]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(fate.get().as_deref(), Some("Timeout, server web not responding."));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_write_ends_with_the_session() {
        let (near, _far) = duplex(64);
        let (mut carrier, keep) = Carrier::new(Box::new(near), Fate::default(), "web".to_owned(), None);
        let end = async {
            sleep(PATIENCE).await;
            drop(keep);
        };
        let (written, ()) = tokio::join!(carrier.write_all(&[0; 256]), end);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
