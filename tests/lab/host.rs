//! The far end of a link: the worker loop on a host in memory.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use fanfare::target;
use fanfare_modules::kit::memory::Memory;
use fanfare_modules::kit::serve::serve;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Hosts;
use super::trouble::{Tap, Trouble};
use super::wire::{Eavesdropper, Wire};

/// Links to the hosts, with their troubles, and somebody who listens on the wire.
pub(super) fn lab(hosts: &Hosts, troubles: &[Trouble], wire: &Wire) -> target::Lab {
    let (hosts, troubles, wire) = (Arc::clone(hosts), troubles.to_vec(), wire.clone());
    Arc::new(move |to| {
        let name = to.name.to_string();
        let memory = named(&hosts, &name);
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        ours.set_nonblocking(true).expect("a socket");
        let broken = Arc::new(AtomicBool::new(false));
        let end = End {
            stream: tokio::net::UnixStream::from_std(ours).expect("a socket"),
            broken: Arc::clone(&broken),
        };
        if troubles.iter().any(|trouble| trouble.is_unreachable(&name)) {
            broken.store(true, Ordering::SeqCst);
            return Some(Box::new(end));
        }
        let output = Eavesdropper::new(theirs.try_clone().expect("a socket"), &name, &wire);
        let input = Tap::new(theirs, &name, &wire, &troubles, broken);
        std::thread::spawn(move || {
            let mut output = output;
            // Ends with an error when the link was cut: nobody is there to be told.
            let _ = serve(&**memory, input, &mut output);
            let _ = output.flush();
            output.hang_up();
        });
        Some(Box::new(end))
    })
}

pub(super) fn named(hosts: &Hosts, name: &str) -> Arc<Memory> {
    Arc::clone(hosts.lock().unwrap().entry(name.to_owned()).or_default())
}

/// The control node's end of a link. One that is broken ends in an error, as a network connection does.
struct End {
    stream: tokio::net::UnixStream,
    broken: Arc<AtomicBool>,
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() == before && self.broken.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, "the link was cut")));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
