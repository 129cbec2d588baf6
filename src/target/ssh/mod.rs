//! Connections by SSH, spoken by russh. One TCP connection a host; every hop is a channel on it.

mod algorithms;
mod args;
mod auth;
mod client;
mod connections;
mod identity;
mod pace;
mod proxy;
mod settings;
mod signer;
mod socket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, Disconnect, Error, Pty, SshId};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use self::client::{Client, ClientError};
pub(super) use self::connections::Connections;
use self::settings::{Family, Proxy, Settings};
pub(super) use self::socket::Fate;
use self::socket::{Acknowledged, Carrier};
use super::CallError;
use super::budget::Place;
use super::known_hosts::HostKeys;
use super::notes::Notes;
use super::opening::PATIENCE;
use super::pipe::Pipe;

/// An authenticated connection.
pub(super) struct Connection {
    session: Handle<Client>,
    fate: Fate,
    forward_agent: bool,
    /// Its room in the run's budget.
    place: Option<Place>,
    /// Dropped, the session ends.
    _keep: oneshot::Sender<()>,
    /// The jump host's connection, which carries this one.
    _via: Option<Arc<Connection>>,
    _proxy: Option<proxy::Proxy>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    pub(super) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Says goodbye; whoever still uses the connection loses it.
    pub(super) async fn disconnect(&self) {
        let goodbye = self.session.disconnect(Disconnect::ByApplication, "", "");
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }

    async fn open(&self) -> Result<Channel<Msg>, Unopened> {
        let opening = timeout(PATIENCE, self.session.channel_open_session());
        let Ok(opened) = opening.await else { return Err(self.silent().await) };
        match opened {
            Ok(channel) => Ok(channel),
            Err(Error::ChannelOpenFailure(reason)) => Err(Unopened::Full(format!("{reason:?}"))),
            Err(_) => Err(self.lost().await),
        }
    }

    async fn lost(&self) -> Unopened {
        Unopened::Call(CallError::Unreachable(self.fate.reason().await))
    }

    /// A host that keeps the connection up and answers nothing else is let go.
    async fn silent(&self) -> Unopened {
        self.disconnect().await;
        let reason = format!("no answer within {}s to opening a session", PATIENCE.as_secs());
        Unopened::Call(CallError::Unreachable(reason))
    }

    async fn start(&self, command: &str, terminal: bool) -> Result<Pipe, Unopened> {
        let channel = self.open().await?;
        let asked = async {
            if self.forward_agent {
                channel.agent_forward(false).await?;
            }
            if terminal {
                channel.request_pty(false, "dumb", 80, 24, 0, 0, TRANSPARENT).await?;
            }
            channel.exec(true, command).await
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok(())) => Ok(Pipe::ssh(channel, self.fate.clone())),
            Ok(Err(_)) => Err(self.lost().await),
            Err(_) => Err(self.silent().await),
        }
    }
}

/// Why there is no session.
enum Unopened {
    /// The host opens no more of them on this connection; its reason.
    Full(String),
    Call(CallError),
}

/// Terminal modes under which every byte passes as it is, both ways.
const TRANSPARENT: &[(Pty, u32)] = &[
    (Pty::ECHO, 0),
    (Pty::ECHOE, 0),
    (Pty::ECHOK, 0),
    (Pty::ECHONL, 0),
    (Pty::ICANON, 0),
    (Pty::ISIG, 0),
    (Pty::IEXTEN, 0),
    (Pty::OPOST, 0),
    (Pty::ONLCR, 0),
    (Pty::IXON, 0),
    (Pty::IXOFF, 0),
    (Pty::IXANY, 0),
    (Pty::ICRNL, 0),
    (Pty::INLCR, 0),
    (Pty::IGNCR, 0),
    (Pty::ISTRIP, 0),
];

/// Why there is no connection.
struct Refused {
    reason: String,
    again: Again,
    /// Keys that were not tried, because they want a passphrase.
    locked: Vec<PathBuf>,
}

/// Whether another attempt may go better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// The host knows what it refuses; a login tried again and again may lock the account.
    Never,
    /// Nobody was reached: tried as often as the user says.
    IfAsked,
    /// The host dropped us before it knew us, as sshd does when many connect at once (`MaxStartups`).
    Busy,
}

impl Refused {
    fn firmly(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::Never, locked: Vec::new() }
    }

    fn unreached(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::IfAsked, locked: Vec::new() }
    }

    fn dropped(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::Busy, locked: Vec::new() }
    }
}

/// What a connection attempt needs besides its settings.
struct Attempt<'a> {
    settings: &'a Arc<Settings>,
    connections: &'a Connections,
    notes: &'a Notes,
    via: Option<Arc<Connection>>,
    addresses: &'a [SocketAddr],
}

impl Attempt<'_> {
    /// Connects and logs in, all before one deadline.
    async fn run(&self) -> Result<Connection, Refused> {
        let settings = self.settings;
        let connecting = self.connections.connecting.acquire().await;
        let deadline = Instant::now() + settings.connect_timeout;
        let fate = Fate::default();
        let (stream, proxy) = self.stream(deadline).await?;
        drop(connecting);
        let left = deadline.saturating_duration_since(Instant::now());
        let _turn = self.connections.logging_in.turn().await;
        // The wait for our own turn is not the host's.
        let deadline = Instant::now() + left;
        let patience = settings
            .alive
            .map(|alive| alive.saturating_mul(settings.alive_max.try_into().unwrap_or(u32::MAX)));
        let (carrier, keep) = Carrier::new(stream, fate.clone(), settings.host.clone(), patience);
        let mut stage = "during banner exchange";
        let login = timeout_at(deadline, async {
            let session = self.handshake(carrier, &fate).await?;
            stage = "during authentication";
            self.log_in(session, &fate).await
        });
        match login.await {
            Ok(Ok((session, is_known))) => Ok(Connection {
                session,
                fate,
                forward_agent: is_known && settings.keys.forward.is_some(),
                place: None,
                _keep: keep,
                _via: self.via.clone(),
                _proxy: proxy,
            }),
            Ok(Err(mut refused)) => {
                if let Some(proxy) = proxy {
                    // A command of the user's that fails is not tried again and again.
                    refused.again = Again::Never;
                    let said = proxy.last_words().await;
                    if !said.is_empty() {
                        refused.reason = format!("{}\n{said}", refused.reason);
                    }
                }
                Err(refused)
            }
            Err(_) => Err(Refused::unreached(format!(
                "Connection timed out {stage}\nConnection to {} port {} timed out",
                settings.host, settings.port
            ))),
        }
    }

    async fn handshake(
        &self,
        carrier: Carrier,
        fate: &Fate,
    ) -> Result<(Handle<Client>, Arc<AtomicBool>), Refused> {
        let settings = self.settings;
        let known = {
            let (settings, read) = (Arc::clone(settings), Arc::clone(&self.connections.known_hosts));
            tokio::task::spawn_blocking(move || {
                let files = [settings.trust.user_files.as_slice(), &settings.trust.global_files].concat();
                let alias = settings.trust.alias.as_deref();
                HostKeys::gather(&read, &files, &settings.host, settings.port, alias)
            })
        };
        let known = known.await.map_err(|error| Refused::firmly(error.to_string()))?;
        let known = known.map_err(|error| Refused::firmly(error.to_string()))?;
        let preferred = algorithms::preferred(settings, &known.types(), known.has_authority());
        let config = russh::client::Config {
            client_id: SshId::Standard(concat!("SSH-2.0-fanfare_", env!("CARGO_PKG_VERSION")).into()),
            preferred: preferred.map_err(Refused::firmly)?,
            keepalive_interval: settings.alive,
            keepalive_max: settings.alive_max,
            nodelay: true,
            ..russh::client::Config::default()
        };
        let suspect = Arc::default();
        let client = Client {
            settings: Arc::clone(settings),
            known,
            fate: fate.clone(),
            notes: self.notes.clone(),
            agent: settings.keys.forward.clone(),
            suspect: Arc::clone(&suspect),
        };
        match russh::client::connect_stream(Arc::new(config), carrier, client).await {
            Ok(session) => Ok((session, suspect)),
            Err(error) => Err(self.refused(&error, fate)),
        }
    }

    /// Also says whether the host is the one we know.
    async fn log_in(
        &self,
        (mut session, suspect): (Handle<Client>, Arc<AtomicBool>),
        fate: &Fate,
    ) -> Result<(Handle<Client>, bool), Refused> {
        let mut settings = Arc::clone(self.settings);
        let is_suspect = suspect.load(Ordering::Relaxed);
        if is_suspect && settings.keys.forward.is_some() {
            self.notes.note("Agent forwarding is disabled to avoid man-in-the-middle attacks.");
        }
        if is_suspect && settings.password.is_some() {
            self.notes.note("Password authentication is disabled to avoid man-in-the-middle attacks.");
            Arc::make_mut(&mut settings).password = None;
        }
        let login = auth::authenticate(
            &mut session,
            &settings,
            &self.connections.keychain,
            &self.connections.surroundings,
        );
        match login.await {
            Ok(()) => Ok((session, !is_suspect)),
            Err(auth::Denied { reason, locked }) => match fate.get() {
                Some(cause) if session.is_closed() => Err(Refused::firmly(format!("{cause}\n{reason}"))),
                _ => Err(Refused { locked, ..Refused::firmly(reason) }),
            },
        }
    }

    /// The stream that carries the session, and the proxy command behind it.
    async fn stream(
        &self,
        deadline: Instant,
    ) -> Result<(Box<dyn Acknowledged>, Option<proxy::Proxy>), Refused> {
        let Settings { host, port, .. } = &**self.settings;
        match (&self.settings.proxy, &self.via) {
            (Proxy::Command(command), _) => {
                let (stream, proxy) = proxy::command(command).map_err(Refused::firmly)?;
                Ok((stream, Some(proxy)))
            }
            (Proxy::Jump(jump), Some(via)) => {
                let opening = via.session.channel_open_direct_tcpip(host, u32::from(*port), "127.0.0.1", 0);
                match timeout_at(deadline, opening).await {
                    Ok(Ok(channel)) => Ok((Box::new(channel.into_stream()), None)),
                    Ok(Err(Error::ChannelOpenFailure(reason))) => Err(Refused::unreached(format!(
                        "{} does not connect on to {host} port {port}: {reason:?}",
                        jump.host
                    ))),
                    Ok(Err(_)) => Err(Refused::dropped(via.fate.get().unwrap_or_default())),
                    Err(_) => Err(Refused::unreached(format!(
                        "ssh: connect to host {host} port {port} through {}: Connection timed out",
                        jump.host
                    ))),
                }
            }
            _ => match socket::connect(self.addresses, self.settings.bind, deadline).await {
                Ok(stream) => Ok((Box::new(stream), None)),
                Err(error) => {
                    let reason = format!("ssh: connect to host {host} port {port}: {}", os_text(&error));
                    Err(match error.kind() {
                        std::io::ErrorKind::ConnectionReset => Refused::dropped(reason),
                        _ => Refused::unreached(reason),
                    })
                }
            },
        }
    }

    /// A failed handshake, in OpenSSH's words.
    fn refused(&self, error: &ClientError, fate: &Fate) -> Refused {
        let Settings { host, port, .. } = &**self.settings;
        match error {
            ClientError::HostKey(reason) => Refused::firmly(reason),
            ClientError::Ssh(Error::HUP | Error::Disconnect) => match fate.get() {
                Some(reason) => Refused::dropped(reason),
                None => Refused::dropped("kex_exchange_identification: Connection closed by remote host"),
            },
            ClientError::Ssh(Error::IO(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Refused::dropped("kex_exchange_identification: Connection closed by remote host")
            }
            ClientError::Ssh(Error::IO(error)) => {
                Refused::dropped(format!("kex_exchange_identification: read: {}", os_text(error)))
            }
            ClientError::Ssh(Error::Version) => {
                Refused::firmly(format!("{host} port {port} does not speak SSH (no version string)"))
            }
            ClientError::Ssh(Error::NoCommonAlgo { kind, theirs, .. }) => Refused::firmly(format!(
                "Unable to negotiate with {host} port {port}: no matching {kind:?} algorithm found. Their offer: {}. \
                 The system's ssh may know one: ansible_connection=openssh starts it",
                theirs.join(",")
            )),
            ClientError::Ssh(error) => {
                Refused::firmly(format!("the handshake with {host} port {port} failed: {error}"))
            }
        }
    }
}

/// The addresses of a host, by the system's resolver.
async fn resolve(settings: &Settings) -> Result<Vec<SocketAddr>, String> {
    let Settings { host, port, family, connect_timeout, .. } = settings;
    let unknown = |why: &str| format!("ssh: Could not resolve hostname {host}: {why}");
    let found = match timeout(*connect_timeout, tokio::net::lookup_host((host.as_str(), *port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let text = os_text(&error);
            return Err(unknown(
                text.strip_prefix("failed to lookup address information: ").unwrap_or(&text),
            ));
        }
        Err(_) => return Err(unknown("the resolver does not answer")),
    };
    let wanted = |address: &SocketAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    let found: Vec<_> = found.filter(wanted).collect();
    if found.is_empty() { Err(unknown("No address of that family")) } else { Ok(found) }
}

/// What Ansible puts before ssh's reason.
fn failed_to_connect(reason: &str) -> String {
    format!("Failed to connect to the host via ssh: {reason}")
}

/// An error of the system without its number.
fn os_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}
