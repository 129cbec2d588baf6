//! Our side of a session: checks the host's key, and knows why the session ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Channel, Error};
use tokio::net::UnixStream;

use super::settings::{Settings, Strict};
use super::socket::Fate;
use crate::target::known_hosts::{self, HostKeys, Verdict, record_name};
use crate::target::notes::Notes;

pub(super) struct Client {
    pub settings: Arc<Settings>,
    pub known: HostKeys,
    pub fate: Fate,
    pub notes: Notes,
    /// Our agent, where it is forwarded.
    pub agent: Option<PathBuf>,
    /// Set when the host's key has changed and that was accepted: no place for a password.
    pub suspect: Arc<AtomicBool>,
}

/// Why a handshake failed.
#[derive(Debug)]
pub(super) enum ClientError {
    Ssh(Error),
    /// The host's key is not acceptable; the reason.
    HostKey(String),
}

impl From<Error> for ClientError {
    fn from(error: Error) -> Self {
        Self::Ssh(error)
    }
}

impl Handler for Client {
    type Error = ClientError;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, ClientError> {
        let key = match offered {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.clone(),
            PublicKeyOrCertificate::Certificate(certificate) => {
                PublicKey::new(certificate.public_key().clone(), "")
            }
        };
        let verdict = self.known.judge(offered);
        self.accept(&verdict, &key).map_err(ClientError::HostKey)?;
        Ok(true)
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), ClientError> {
        // Dropped, the reply is a refusal: a host must not reach an agent we did not offer.
        let Some(socket) = self.agent.clone() else { return Ok(()) };
        let Ok(mut agent) = UnixStream::connect(socket).await else { return Ok(()) };
        reply.accept().await;
        tokio::spawn(async move {
            let _ = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut agent).await;
        });
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<ClientError>) -> Result<(), ClientError> {
        let Settings { host, port, .. } = &*self.settings;
        self.fate.set(|| match &reason {
            DisconnectReason::ReceivedDisconnect(info) if !info.message.is_empty() => {
                format!("Received disconnect from {host} port {port}: {}", info.message)
            }
            DisconnectReason::ReceivedDisconnect(_) => format!("Connection to {host} closed by remote host."),
            DisconnectReason::Error(error) => broken(error, host),
        });
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

/// Why an established connection broke, in OpenSSH's words.
fn broken(error: &ClientError, host: &str) -> String {
    match error {
        ClientError::HostKey(reason) => reason.clone(),
        ClientError::Ssh(Error::KeepaliveTimeout | Error::InactivityTimeout) => {
            format!("Timeout, server {host} not responding.")
        }
        ClientError::Ssh(Error::HUP | Error::Disconnect) => {
            format!("Connection to {host} closed by remote host.")
        }
        ClientError::Ssh(Error::IO(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("Connection to {host} closed by remote host.")
        }
        ClientError::Ssh(Error::IO(error)) => {
            format!("Read from remote host {host}: {}", super::os_text(error))
        }
        ClientError::Ssh(error) => format!("Connection to {host} broke: {error}"),
    }
}

impl Client {
    /// Whether to go on with this key, as StrictHostKeyChecking says; a new key may be recorded.
    fn accept(&self, verdict: &Verdict, key: &PublicKey) -> Result<(), String> {
        let settings = &*self.settings;
        let name = record_name(&settings.host, settings.port, settings.trust.alias.as_deref());
        let kind = kind_name(key);
        let print = key.fingerprint(HashAlg::Sha256);
        match (verdict, settings.trust.strict) {
            (Verdict::Known, _) => Ok(()),
            (Verdict::Revoked(place), _) => Err(format!(
                "Host key verification failed: the {kind} key of {name} ({print}) is revoked by {place}"
            )),
            (Verdict::Changed(place), Strict::No) => {
                self.suspect.store(true, Ordering::Relaxed);
                self.notes.note(&format!(
                    "the {kind} key of {name} ({print}) is not the one in {place}; accepted, because host keys are not checked"
                ));
                Ok(())
            }
            (Verdict::Changed(place), _) => Err(format!(
                "Host key verification failed: REMOTE HOST IDENTIFICATION HAS CHANGED! The {kind} key of {name} is now \
                 {print}, not the one in {place}. Somebody could be listening in, or the host was set up anew. If so: \
                 ssh-keygen -f {} -R '{name}'",
                place.file.display()
            )),
            (Verdict::OtherType(place), Strict::Yes | Strict::AcceptNew | Strict::Ask) => Err(format!(
                "Host key verification failed: {name} shows a {kind} key ({print}), but is known by a key of another \
                 type, see {place}. {}",
                self.how_to_record()
            )),
            (Verdict::Unknown, Strict::Yes) => Err(format!(
                "Host key verification failed: No {kind} host key is known for {name} ({print}) and you have requested \
                 strict checking. {}",
                self.how_to_record()
            )),
            (Verdict::Unknown, Strict::Ask) => Err(format!(
                "Host key verification failed: the authenticity of host '{name}' can't be established. {kind} key \
                 fingerprint is {print}. {}",
                self.how_to_record()
            )),
            (Verdict::Unknown | Verdict::OtherType(_), Strict::No | Strict::AcceptNew) => {
                self.record(&name, key);
                Ok(())
            }
        }
    }

    fn how_to_record(&self) -> String {
        let Settings { user, host, port, .. } = &*self.settings;
        let port = if *port == 22 { String::new() } else { format!(" -p {port}") };
        format!(
            "If it is right, record it: ssh{port} {user}@{host}; or accept the keys of new hosts: \
             -o StrictHostKeyChecking=accept-new"
        )
    }

    fn record(&self, name: &str, key: &PublicKey) {
        let Some(file) = self.settings.trust.user_files.first() else { return };
        if file.as_os_str() == "/dev/null" {
            return;
        }
        match known_hosts::record(file, name, key, self.settings.trust.hashed) {
            Ok(()) => self.notes.note(&format!(
                "Permanently added '{name}' ({}) to the list of known hosts ({}).",
                kind_name(key),
                file.display()
            )),
            // As in OpenSSH, the connection is good all the same.
            Err(error) => self.notes.note(&format!("{}: {}", file.display(), super::os_text(&error))),
        }
    }
}

/// `ED25519` …, as people know the types.
fn kind_name(key: &PublicKey) -> String {
    let name = key.algorithm().as_str().to_owned();
    let name = name.strip_prefix("ssh-").unwrap_or(&name);
    name.split('-').next().unwrap_or(name).to_uppercase()
}
