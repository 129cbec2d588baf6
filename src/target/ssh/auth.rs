//! Authentication, in OpenSSH's order: keys from files and agent, then the password.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tokio::net::UnixStream;

use super::client::Client;
use super::identity::{Identity, Keychain, USUAL};
use super::settings::Settings;
use super::signer::RsaSigner;
use crate::target::Secret;
use crate::target::surroundings::Surroundings;

/// A server ends the conversation after six tries: with a password at hand, fewer keys are tried.
const KEYS_BEFORE_PASSWORD: usize = 4;

/// One way to sign.
enum Candidate {
    File(Arc<PrivateKey>),
    FileCertificate(Arc<PrivateKey>, Box<Certificate>),
    Agent(PublicKey),
    AgentCertificate(Box<Certificate>),
}

/// How to sign with RSA keys, asked for once.
enum Rsa {
    Unasked,
    By(Option<HashAlg>),
}

type Agent = AgentClient<UnixStream>;

/// Why nobody let us in.
pub(super) struct Denied {
    /// For the user.
    pub reason: String,
    /// Keys that were not tried, because they want a passphrase.
    pub locked: Vec<PathBuf>,
}

/// Logs in.
pub(super) async fn authenticate(
    session: &mut Handle<Client>,
    settings: &Settings,
    keychain: &Keychain,
    surroundings: &Surroundings,
) -> Result<(), Denied> {
    let (offered, notes, locked) = (MethodSet::empty(), Vec::new(), Vec::new());
    let mut login = Login { session, settings, offered, notes, locked, tries: 0 };
    match login.run(keychain, surroundings).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Denied { reason: login.denied(), locked: login.locked }),
        Err(reason) => Err(Denied { reason, locked: Vec::new() }),
    }
}

struct Login<'a> {
    session: &'a mut Handle<Client>,
    settings: &'a Settings,
    /// What the server would accept, as it said last.
    offered: MethodSet,
    /// Why keys that were expected to work were not tried.
    notes: Vec<String>,
    locked: Vec<PathBuf>,
    tries: usize,
}

impl Login<'_> {
    async fn run(&mut self, keychain: &Keychain, surroundings: &Surroundings) -> Result<bool, String> {
        if self.settings.methods.publickey && self.with_keys(keychain, surroundings).await? {
            return Ok(true);
        }
        if self.tries == 0 && self.knock().await? {
            return Ok(true);
        }
        match &self.settings.password {
            Some(password) => self.with_password(password).await,
            None => Ok(false),
        }
    }

    /// Asks which methods there are.
    async fn knock(&mut self) -> Result<bool, String> {
        let result = self.session.authenticate_none(&self.settings.user).await;
        self.judge(result.map_err(|error| error.to_string()))
    }

    async fn with_keys(&mut self, keychain: &Keychain, surroundings: &Surroundings) -> Result<bool, String> {
        let (candidates, mut agent) = self.candidates(keychain, surroundings).await;
        let mut rsa = Rsa::Unasked;
        for candidate in candidates {
            if self.settings.password.is_some() && self.tries >= KEYS_BEFORE_PASSWORD {
                break;
            }
            if self.tries > 0 && !self.offered.contains(&MethodKind::PublicKey) {
                break;
            }
            if candidate.is_rsa() && matches!(rsa, Rsa::Unasked) {
                rsa = Rsa::By(self.rsa_hash().await);
            }
            let hash = match rsa {
                Rsa::By(hash) if candidate.is_rsa() => hash,
                _ => None,
            };
            if self.try_key(candidate, hash, agent.as_mut()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn try_key(
        &mut self,
        candidate: Candidate,
        hash: Option<HashAlg>,
        agent: Option<&mut Agent>,
    ) -> Result<bool, String> {
        let user = self.settings.user.clone();
        let result = match (candidate, agent) {
            (Candidate::File(key), _) => {
                let key = PrivateKeyWithHashAlg::new(key, hash);
                self.session.authenticate_publickey(user, key).await.map_err(|error| error.to_string())
            }
            (Candidate::FileCertificate(key, certificate), _) if key.algorithm().is_rsa() => {
                let mut signer = RsaSigner(key);
                let signed =
                    self.session.authenticate_certificate_with(user, *certificate, hash, &mut signer);
                signed.await.map_err(|error| error.to_string())
            }
            (Candidate::FileCertificate(key, certificate), _) => self
                .session
                .authenticate_openssh_cert(user, key, *certificate)
                .await
                .map_err(|error| error.to_string()),
            (Candidate::Agent(key), Some(agent)) => {
                let signed = self.session.authenticate_publickey_with(user, key, hash, agent).await;
                match signed {
                    Ok(result) => Ok(result),
                    // The agent may refuse to sign; the next key may do.
                    Err(error) => return self.unsigned(&error.to_string()),
                }
            }
            (Candidate::AgentCertificate(certificate), Some(agent)) => {
                let signed =
                    self.session.authenticate_certificate_with(user, *certificate, hash, agent).await;
                match signed {
                    Ok(result) => Ok(result),
                    Err(error) => return self.unsigned(&error.to_string()),
                }
            }
            (Candidate::Agent(_) | Candidate::AgentCertificate(_), None) => return Ok(false),
        };
        self.judge(result)
    }

    fn unsigned(&mut self, error: &str) -> Result<bool, String> {
        if self.session.is_closed() {
            return self.judge(Err(error.to_owned()));
        }
        self.notes.push(format!("the ssh-agent does not sign: {error}"));
        Ok(false)
    }

    /// The best signature for RSA keys that the server knows.
    async fn rsa_hash(&self) -> Option<HashAlg> {
        let answer = self.session.best_supported_rsa_hash().await;
        // A server that does not say is new enough far more often than not.
        answer.ok().flatten().unwrap_or(Some(HashAlg::Sha512))
    }

    async fn with_password(&mut self, password: &Secret) -> Result<bool, String> {
        let methods = self.settings.methods;
        let mut rejected = false;
        if methods.password && self.offered.contains(&MethodKind::Password) {
            let result =
                self.session.authenticate_password(&self.settings.user, password.expose().to_owned()).await;
            if self.judge(result.map_err(|error| error.to_string()))? {
                return Ok(true);
            }
            rejected = true;
        }
        // The same password once more only where it was not refused already: accounts get locked.
        if methods.keyboard && !rejected && self.offered.contains(&MethodKind::KeyboardInteractive) {
            if self.with_keyboard(password).await? {
                return Ok(true);
            }
            rejected = true;
        }
        if rejected {
            self.notes.push("the password was not accepted".to_owned());
        }
        Ok(false)
    }

    /// Answers hidden prompts with the password; one that shows what is typed asks for something else.
    async fn with_keyboard(&mut self, password: &Secret) -> Result<bool, String> {
        let start = self.session.authenticate_keyboard_interactive_start(&self.settings.user, None).await;
        let mut response = start.map_err(|error| self.broken(&error.to_string()))?;
        let mut answered = false;
        loop {
            match response {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure { remaining_methods, .. } => {
                    self.offered = remaining_methods;
                    return Ok(false);
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    // Asked again, it was wrong.
                    if answered && !prompts.is_empty() {
                        return Ok(false);
                    }
                    answered |= !prompts.is_empty();
                    let answer = |echo| if echo { String::new() } else { password.expose().to_owned() };
                    let answers = prompts.iter().map(|prompt| answer(prompt.echo)).collect();
                    let next = self.session.authenticate_keyboard_interactive_respond(answers).await;
                    response = next.map_err(|error| self.broken(&error.to_string()))?;
                }
            }
        }
    }

    fn judge(&mut self, result: Result<AuthResult, String>) -> Result<bool, String> {
        self.tries += 1;
        match result {
            Ok(AuthResult::Success) => Ok(true),
            Ok(AuthResult::Failure { remaining_methods, .. }) if !remaining_methods.is_empty() => {
                self.offered = remaining_methods;
                Ok(false)
            }
            Ok(AuthResult::Failure { .. }) if !self.session.is_closed() => Ok(false),
            Ok(AuthResult::Failure { .. }) => Err(self.broken("closed")),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// The server ended the conversation.
    fn broken(&self, error: &str) -> String {
        if self.tries > 3 {
            return format!(
                "Too many authentication failures: the host closed the connection after {} tries; \
                 name the right key (ansible_ssh_private_key_file) and set IdentitiesOnly=yes",
                self.tries
            );
        }
        format!("the connection ended during authentication: {error}")
    }

    fn denied(&self) -> String {
        let Settings { user, host, .. } = self.settings;
        let methods: Vec<&str> = self.offered.iter().map(<&str>::from).collect();
        let mut text = format!("{user}@{host}: Permission denied ({}).", methods.join(","));
        for note in &self.notes {
            text = format!("{text}\n{note}");
        }
        text
    }

    /// What to try, best first: certificates, the keys named (by the agent where it has them), the agent's other
    /// keys, the usual files.
    async fn candidates(
        &mut self,
        keychain: &Keychain,
        surroundings: &Surroundings,
    ) -> (Vec<Candidate>, Option<Agent>) {
        let named = !self.settings.keys.files.is_empty();
        let paths: Vec<PathBuf> = if named {
            self.settings.keys.files.clone()
        } else {
            USUAL.iter().map(|name| surroundings.ssh_dir(name)).filter(|path| path.exists()).collect()
        };
        let files: Vec<Arc<Identity>> =
            paths.iter().map(|path| keychain.identity(path, surroundings.uid)).collect();
        let (mut agent, held) = match &self.settings.keys.agent {
            Some(socket) => self.agent(socket).await,
            None => (None, Vec::new()),
        };
        if held.is_empty() {
            agent = None;
        }
        let mut candidates = self.certificates(&files, &held);
        match &self.settings.keys.given {
            Some(Ok(key)) => candidates.insert(0, Candidate::File(Arc::clone(key))),
            Some(Err(reason)) => self.notes.push(reason.clone()),
            None => {}
        }
        let mut used: Vec<PublicKey> = Vec::new();
        let mut own = Vec::new();
        for (file, path) in files.iter().zip(paths) {
            let with_agent = file.public.as_ref().filter(|key| held.iter().any(|one| is_key(one, key)));
            match (with_agent, &file.private) {
                (Some(key), _) => own.push(Candidate::Agent(key.clone())),
                (None, Ok(key)) => own.push(Candidate::File(Arc::clone(key))),
                (None, Err(reason)) => {
                    self.notes.push(reason.clone());
                    self.locked.extend(file.locked.then_some(path));
                }
            }
            used.extend(file.public.clone());
        }
        let mut others: Vec<_> = Vec::new();
        if !self.settings.keys.only {
            for identity in &held {
                if let AgentIdentity::PublicKey { key, .. } = identity
                    && !used.iter().any(|one| one.key_data() == key.key_data())
                {
                    others.push(Candidate::Agent(key.clone()));
                }
            }
        }
        if named {
            candidates.extend(own);
            candidates.extend(others);
        } else {
            // Keys that the agent was given are meant to be used; files merely lie there.
            candidates.extend(others);
            candidates.extend(own);
        }
        (candidates, agent)
    }

    fn certificates(&self, files: &[Arc<Identity>], held: &[AgentIdentity]) -> Vec<Candidate> {
        let named = self.settings.keys.certificates.iter().filter_map(|path| read_certificate(path));
        let beside = files.iter().filter_map(|file| file.certificate.clone());
        let mut candidates = Vec::new();
        for certificate in named.chain(beside) {
            let key = PublicKey::new(certificate.public_key().clone(), "");
            let file = files
                .iter()
                .find(|file| file.public.as_ref().is_some_and(|public| public.key_data() == key.key_data()));
            match file.map(|file| &file.private) {
                Some(Ok(private)) => {
                    candidates.push(Candidate::FileCertificate(Arc::clone(private), Box::new(certificate)));
                }
                _ if held.iter().any(|one| is_key(one, &key)) => {
                    candidates.push(Candidate::AgentCertificate(Box::new(certificate)));
                }
                _ => {}
            }
        }
        for identity in held {
            if let AgentIdentity::Certificate { certificate, .. } = identity
                && !self.settings.keys.only
            {
                candidates.push(Candidate::AgentCertificate(Box::new(certificate.clone())));
            }
        }
        candidates
    }

    async fn agent(&mut self, socket: &Path) -> (Option<Agent>, Vec<AgentIdentity>) {
        let stream = match UnixStream::connect(socket).await {
            Ok(stream) => stream,
            Err(error) => {
                self.notes.push(format!("no ssh-agent at {}: {}", socket.display(), super::os_text(&error)));
                return (None, Vec::new());
            }
        };
        let mut agent = AgentClient::connect(stream);
        match agent.request_identities().await {
            Ok(identities) => (Some(agent), identities),
            Err(error) => {
                self.notes.push(format!("the ssh-agent does not tell its keys: {error}"));
                (None, Vec::new())
            }
        }
    }
}

impl Candidate {
    fn is_rsa(&self) -> bool {
        let algorithm = match self {
            Self::File(key) => key.algorithm(),
            Self::Agent(key) => key.algorithm(),
            Self::FileCertificate(_, certificate) | Self::AgentCertificate(certificate) => {
                certificate.algorithm()
            }
        };
        matches!(algorithm, Algorithm::Rsa { .. })
    }
}

fn is_key(identity: &AgentIdentity, key: &PublicKey) -> bool {
    matches!(identity, AgentIdentity::PublicKey { key: held, .. } if held.key_data() == key.key_data())
}

fn read_certificate(path: &Path) -> Option<Certificate> {
    Certificate::from_openssh(std::fs::read_to_string(path).ok()?.trim()).ok()
}
