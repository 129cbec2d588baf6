//! A started command: bytes in, bytes out, and how it ended. The same for an SSH channel, a local process and a
//! worker in memory.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::ssh::{Connection, Fate};

/// A two-way stream of bytes.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// What comes from a command.
#[derive(Debug)]
pub(super) enum Output {
    Out(Bytes),
    Err(Bytes),
    /// It ended by itself.
    Exit(Exit),
    /// The connection broke; the reason.
    Lost(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Status(u32),
    Signal(String),
    /// It closed its streams without a word.
    Silent,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::Silent => f.write_str("closed its streams"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Pipe {
    pub reader: Reader,
    pub writer: Writer,
    /// The connection it is on, which nobody is to end meanwhile.
    pub connection: Option<Arc<Connection>>,
}

/// The side we read. [`Reader::next`] may be dropped while it waits; nothing is lost.
pub(super) enum Reader {
    Ssh { channel: ChannelReadHalf, fate: Fate, ended: bool },
    Child { child: Box<Child>, out: Option<ChildStdout>, err: Option<ChildStderr>, ended: bool },
    Stream(Option<Box<dyn AsyncRead + Send + Unpin>>),
}

/// The side we write.
pub(super) enum Writer {
    Ssh(ChannelWriteHalf<client::Msg>),
    Child(Option<ChildStdin>),
    Stream(Option<Box<dyn AsyncWrite + Send + Unpin>>),
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Pipe {
    pub(super) fn ssh(channel: russh::Channel<client::Msg>, fate: Fate) -> Self {
        let (reader, writer) = channel.split();
        Self {
            reader: Reader::Ssh { channel: reader, fate, ended: false },
            writer: Writer::Ssh(writer),
            connection: None,
        }
    }

    /// Starts the command.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = spawn(command)?;
        let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Ok(Self {
            reader: Reader::Child { child: Box::new(child), out, err, ended: false },
            writer: Writer::Child(stdin),
            connection: None,
        })
    }

    pub(super) fn stream(stream: Box<dyn ByteStream>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader: Reader::Stream(Some(Box::new(reader))),
            writer: Writer::Stream(Some(Box::new(writer))),
            connection: None,
        }
    }
}

/// A child with all its streams piped, which ends with its handle and not with a Ctrl-C at our terminal: that is ours
/// to handle.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true).spawn()
}

impl Reader {
    /// The number of the process, where it is one of this machine.
    pub(super) fn process(&self) -> Option<u32> {
        match self {
            Self::Child { child, .. } => child.id(),
            Self::Ssh { .. } | Self::Stream(_) => None,
        }
    }

    /// The next piece; `None` after the end.
    pub(super) async fn next(&mut self) -> Option<Output> {
        match self {
            Self::Ssh { channel, fate, ended } => next_of_channel(channel, fate, ended).await,
            Self::Child { child, out, err, ended } => next_of_child(child, out, err, ended).await,
            Self::Stream(stream) => next_of_stream(stream).await,
        }
    }
}

async fn next_of_channel(channel: &mut ChannelReadHalf, fate: &Fate, ended: &mut bool) -> Option<Output> {
    while !*ended {
        match channel.wait().await {
            Some(ChannelMsg::Data { data }) => return Some(Output::Out(data)),
            Some(ChannelMsg::ExtendedData { data, .. }) => return Some(Output::Err(data)),
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                return Some(Output::Exit(Exit::Status(exit_status)));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                return Some(Output::Exit(Exit::Signal(format!("{signal_name:?}"))));
            }
            Some(ChannelMsg::Failure) => {
                *ended = true;
                return Some(Output::Lost("the host refused to run a command".to_owned()));
            }
            Some(ChannelMsg::Close) => {
                *ended = true;
                return Some(Output::Exit(Exit::Silent));
            }
            Some(_) => {}
            None => {
                *ended = true;
                return Some(Output::Lost(fate.reason().await));
            }
        }
    }
    None
}

async fn next_of_child(
    child: &mut Child,
    out: &mut Option<ChildStdout>,
    err: &mut Option<ChildStderr>,
    ended: &mut bool,
) -> Option<Output> {
    loop {
        if *ended {
            return None;
        }
        if out.is_none() && err.is_none() {
            *ended = true;
            return Some(Output::Exit(child.wait().await.map_or(Exit::Silent, exit_of)));
        }
        tokio::select! {
            bytes = read(out), if out.is_some() => match bytes {
                Some(bytes) => return Some(Output::Out(bytes)),
                None => *out = None,
            },
            bytes = read(err), if err.is_some() => match bytes {
                Some(bytes) => return Some(Output::Err(bytes)),
                None => *err = None,
            },
        }
    }
}

async fn next_of_stream(stream: &mut Option<impl AsyncRead + Unpin>) -> Option<Output> {
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    let read = stream.as_mut()?.read_buf(&mut buffer).await;
    if let Ok(1..) = read {
        return Some(Output::Out(buffer.freeze()));
    }
    *stream = None;
    Some(match read {
        Ok(_) => Output::Exit(Exit::Silent),
        Err(error) => Output::Lost(error.to_string()),
    })
}

fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(u32::try_from(code).unwrap_or(255)),
        (None, Some(signal)) => Exit::Signal(signal.to_string()),
        (None, None) => Exit::Silent,
    }
}

/// The next bytes; `None` at the end, which an error is as well.
async fn read(stream: &mut Option<impl AsyncRead + Unpin>) -> Option<Bytes> {
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    let read = stream.as_mut()?.read_buf(&mut buffer).await.ok()?;
    (read > 0).then(|| buffer.freeze())
}

impl Writer {
    /// Sends all of it, waiting while the other side is slow. Dropped while it waits, it may have sent a part.
    pub(super) async fn send(&mut self, bytes: Bytes) -> io::Result<()> {
        match self {
            Self::Ssh(channel) => channel.data_bytes(bytes).await.map_err(io::Error::other),
            Self::Child(Some(stdin)) => {
                stdin.write_all(&bytes).await?;
                stdin.flush().await
            }
            Self::Stream(Some(stream)) => {
                stream.write_all(&bytes).await?;
                stream.flush().await
            }
            Self::Child(None) | Self::Stream(None) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Ends the command's input.
    pub(super) async fn finish(&mut self) {
        match self {
            Self::Ssh(channel) => {
                let _ = channel.eof().await;
            }
            Self::Child(stdin) => *stdin = None,
            Self::Stream(stream) => {
                if let Some(mut stream) = stream.take() {
                    let _ = stream.shutdown().await;
                }
            }
        }
    }

    /// Ends the command: a worker that loses its input ends what it started, and itself.
    pub(super) async fn close(&mut self) {
        self.finish().await;
        if let Self::Ssh(channel) = self {
            let _ = channel.close().await;
        }
    }
}
