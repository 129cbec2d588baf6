//! The first words with a command we started: past the noise of rc files, through the hop's password prompt, to
//! the answer that carries our mark.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout, timeout_at};

use super::hops::{self, Prompt};
use super::pipe::{Exit, Output, Pipe, Writer};
use super::{CallError, Hop};

/// How long a command may take to its next answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How much of what a command says besides is kept for the reason of a failure.
const SAID: usize = 4096;
/// The longest answer there can be.
const ANSWER: usize = 64 * 1024;

/// Marks answers and prompts of one opening. The two halves never stand together in the command itself, so a
/// shell that prints what it runs is not taken for an answer.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub head: String,
    pub tail: String,
}

impl Mark {
    pub(super) fn new() -> Self {
        let random = || format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        Self { head: format!("fanfare-{}", random()), tail: random() }
    }

    fn whole(&self) -> String {
        format!("{}-{}", self.head, self.tail)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The hop works on a terminal only.
    NeedsTerminal,
    /// The command ended first.
    Ended {
        exit: Exit,
        said: String,
    },
    Call(CallError),
}

#[derive(Debug)]
pub(super) struct Opening<'a> {
    pub pipe: Pipe,
    mark: String,
    hop: Option<&'a Hop>,
    prompt: Prompt,
    asked: usize,
    /// What stdout gave after the last answer.
    pub out: BytesMut,
    err: BytesMut,
    said: Vec<u8>,
    ended: Option<Exit>,
}

impl<'a> Opening<'a> {
    pub(super) fn new(pipe: Pipe, mark: &Mark, hop: Option<&'a Hop>, prompt: Prompt) -> Self {
        let (out, err) = (BytesMut::new(), BytesMut::new());
        Self { pipe, mark: mark.whole(), hop, prompt, asked: 0, out, err, said: Vec::new(), ended: None }
    }

    /// The next line that carries our mark, without it.
    pub(super) async fn answer(&mut self) -> Result<String, Trouble> {
        let deadline = Instant::now() + self.patience();
        loop {
            if let Some(line) = self.marked_line() {
                return Ok(line);
            }
            self.mind_the_prompt().await?;
            self.more(deadline).await?;
        }
    }

    fn patience(&self) -> Duration {
        self.hop.and_then(|hop| hop.patience).map_or(PATIENCE, Duration::from_secs)
    }

    /// Sends `bytes` and waits for the answer, which may come before all is sent.
    pub(super) async fn answer_to(&mut self, bytes: Bytes) -> Result<String, Trouble> {
        // A piece at a time: each that gets through shows that somebody is there. Not the smallest, because sshd moves all
        // that waits there for each packet that comes, and no faster than a host unpacks, for the same reason. Not the
        // largest, because ten of them wait in russh's queue, on each of the hosts that are sent to at once.
        const PIECE: usize = 32 * 1024;
        const PIECES_A_SECOND: u32 = 1024;
        let started = Instant::now();
        let mut rest = bytes;
        let mut count = 0;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE));
            let due = started + Duration::from_secs(1) * count / PIECES_A_SECOND;
            count += 1;
            let deadline = Instant::now() + PATIENCE;
            // The writer is lent out while we read, so the rest of us stays free.
            let mut writer = std::mem::replace(&mut self.pipe.writer, Writer::Stream(None));
            let mut broken = false;
            let early = {
                let sending = async {
                    tokio::time::sleep_until(due).await;
                    writer.send(piece).await
                };
                tokio::pin!(sending);
                loop {
                    if let Some(line) = self.marked_line() {
                        break Some(Ok(line));
                    }
                    tokio::select! {
                        biased;
                        sent = &mut sending => {
                            broken = sent.is_err();
                            break None;
                        }
                        more = self.more(deadline) => match more {
                            Ok(()) => {}
                            Err(trouble) => break Some(Err(trouble)),
                        },
                    }
                }
            };
            self.pipe.writer = writer;
            if let Some(answer) = early {
                return answer;
            }
            if broken {
                // Why, the command's last words say.
                break;
            }
        }
        self.answer().await
    }

    /// Reads until `text` is there, and past it.
    pub(super) async fn skip_past(&mut self, text: &[u8]) -> Result<(), Trouble> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.out.windows(text.len()).position(|window| window == text) {
                let _ = self.out.split_to(at + text.len());
                return Ok(());
            }
            self.more(deadline).await?;
        }
    }

    /// What the command said besides its answers, for people.
    pub(super) fn said(&self) -> String {
        let mut said = self.said.clone();
        said.extend_from_slice(&self.out);
        said.extend_from_slice(&self.err);
        String::from_utf8_lossy(&said).replace("\r\n", "\n").trim().to_owned()
    }

    async fn more(&mut self, deadline: Instant) -> Result<(), Trouble> {
        if let Some(exit) = self.ended.clone() {
            // The news of its end may overtake its last words.
            if let Ok(Some(output)) = timeout(Duration::from_secs(1), self.pipe.reader.next()).await {
                self.take(output);
                return Ok(());
            }
            let said = self.said();
            return Err(match self.hop {
                Some(hop) if hops::wants_terminal(hop, &said) => Trouble::NeedsTerminal,
                _ => Trouble::Ended { exit, said },
            });
        }
        let Ok(output) = timeout_at(deadline, self.pipe.reader.next()).await else {
            let said = self.said();
            return Err(match self.hop {
                Some(_) => Trouble::Call(CallError::Unreachable(format!(
                    "Timed out waiting for become success or become password prompt. Timeout ({}s) waiting for \
                     privilege escalation prompt: {said}",
                    self.patience().as_secs()
                ))),
                None => Trouble::Call(CallError::Unreachable(format!(
                    "the shell there timed out: no answer within {}s: {said}",
                    PATIENCE.as_secs()
                ))),
            });
        };
        match output {
            Some(Output::Exit(exit)) => self.ended = Some(exit),
            Some(Output::Lost(reason)) => return Err(Trouble::Call(CallError::Unreachable(reason))),
            None => self.ended = Some(Exit::Silent),
            Some(output) => self.take(output),
        }
        Ok(())
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Out(bytes) => {
                self.out.extend_from_slice(&bytes);
                if self.out.len() > ANSWER {
                    // Noise without end must not fill the memory.
                    let noise = self.out.split_to(self.out.len() - ANSWER / 2);
                    self.remember(&noise);
                }
            }
            Output::Err(bytes) => {
                self.err.extend_from_slice(&bytes);
                if let Some(end) = self.err.iter().rposition(|&byte| byte == b'\n') {
                    let lines = self.err.split_to(end + 1);
                    self.remember(&lines);
                }
                if self.err.len() > SAID {
                    let noise = self.err.split_to(self.err.len() - SAID / 2);
                    self.remember(&noise);
                }
            }
            Output::Exit(_) | Output::Lost(_) => {}
        }
    }

    fn marked_line(&mut self) -> Option<String> {
        let mark = self.mark.as_bytes();
        let at = self.out.windows(mark.len()).position(|window| window == mark)?;
        let end = at + self.out.get(at..)?.iter().position(|&byte| byte == b'\n')?;
        let noise = self.out.split_to(at);
        let line = self.out.split_to(end + 1 - at);
        let answer = String::from_utf8_lossy(line.get(mark.len()..)?).trim().to_owned();
        self.remember(&noise);
        Some(answer)
    }

    /// Gives the password when it is asked for, once.
    async fn mind_the_prompt(&mut self) -> Result<(), Trouble> {
        let Some(hop) = self.hop else { return Ok(()) };
        if !(prompts(&self.prompt, &self.out) || prompts(&self.prompt, &self.err)) {
            return Ok(());
        }
        self.asked += 1;
        let Some(password) = &hop.password else {
            let reason = hops::missing_password(hop);
            return Err(Trouble::Call(CallError::NoPassword { reason, code: None }));
        };
        if self.asked > 1 {
            return Err(failed(hops::wrong_password(hop)));
        }
        // The prompt is done with: what follows is another one.
        for stream in [&mut self.out, &mut self.err] {
            if prompts(&self.prompt, stream) {
                stream.clear();
            }
        }
        let line = Bytes::from(format!("{}\n", password.expose()));
        // When the hop is gone already, its last words say why.
        let _ = self.pipe.writer.send(line).await;
        Ok(())
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.said.extend_from_slice(bytes);
        if self.said.len() > SAID {
            self.said.drain(..self.said.len() - SAID);
        }
    }
}

fn failed(message: String) -> Trouble {
    Trouble::Call(CallError::Failed(message))
}

/// Whether the stream ends in a question for the password.
fn prompts(prompt: &Prompt, stream: &[u8]) -> bool {
    let line = stream.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match prompt {
        Prompt::Never => false,
        Prompt::Exactly(text) => line.trim_end().ends_with(text.as_str()),
        Prompt::Colon => line.trim_end().ends_with([':', '：']),
        Prompt::OneOf(texts) => {
            let line = line.trim_end().trim_end_matches([':', '：']).trim_end().to_lowercase();
            texts.iter().any(|text| line.ends_with(&text.to_lowercase()))
        }
    }
}
