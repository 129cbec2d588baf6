//! Questions to the operator in the middle of a run.

use std::io::{self, BufRead, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use parking_lot::Mutex;

use super::event::Event;
use super::shared::{Shared, StartAt};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::Task;
use crate::run::batch::Batch;

impl Shared {
    /// Shows a prompt once all earlier output is out, and reads a line from the terminal.
    pub async fn ask(&self, prompt: String, echo: bool) -> Result<String> {
        Ok(self.answer(prompt, echo).await?.unwrap_or_default())
    }

    /// The same, of a line that shows; `None` when there are no more.
    pub(super) async fn ask_line(&self, prompt: String) -> Result<Option<String>> {
        self.answer(prompt, true).await
    }

    async fn answer(&self, prompt: String, echo: bool) -> Result<Option<String>> {
        self.flush_output();
        self.asking.store(true, Ordering::Relaxed);
        let answer = tokio::task::spawn_blocking(move || read_answer(&prompt, echo)).await;
        self.asking.store(false, Ordering::Relaxed);
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Err(Diagnostic::interrupted()),
            Ok(Err(error)) => Err(Diagnostic::new(format!("cannot read the answer: {error}"))),
            Err(error) => Err(Diagnostic::new(format!("the question was broken off: {error}"))),
        }
    }

    /// Says something to whoever answers.
    pub(super) async fn say(&self, text: &str) {
        let text = text.to_owned();
        // A terminal that is gone will not answer either.
        let _ = tokio::task::spawn_blocking(move || io::stderr().write_all(text.as_bytes())).await;
    }

    /// Waits until the callbacks have seen everything sent so far.
    pub fn flush_output(&self) {
        let (done, seen) = mpsc::channel();
        self.emit(Event::Flush(done));
        // The consumer may already be gone: then there is nothing to wait for.
        let _ = seen.recv();
    }

    /// `--step`: whether the operator wants this task. `c` means yes to all that follow.
    pub(super) async fn ask_step(&self, task: &str) -> bool {
        static CONTINUE: Mutex<bool> = Mutex::new(false);
        if *CONTINUE.lock() {
            return true;
        }
        let question = format!("Perform task: TASK: {task} (N)o/(y)es/(c)ontinue: ");
        match self.ask(question, true).await.unwrap_or_default().trim().to_lowercase().as_str() {
            "y" | "yes" => true,
            "c" | "continue" => {
                *CONTINUE.lock() = true;
                true
            }
            _ => false,
        }
    }
}

impl Batch {
    /// Whether `--start-at-task` has been reached; the task that matches begins it.
    pub(super) fn start_at_reached(&self, task: &Task) -> bool {
        let mut started = self.run.started.lock();
        match &*started {
            StartAt::Reached => true,
            StartAt::Waiting(wanted) if crate::playbook::name_matches(task, wanted) => {
                *started = StartAt::Reached;
                true
            }
            StartAt::Waiting(_) => false,
        }
    }
}

/// `None` at the end of the input.
fn read_answer(prompt: &str, echo: bool) -> io::Result<Option<String>> {
    if !echo {
        return rpassword::prompt_password(prompt).map(Some);
    }
    let mut terminal = io::stderr();
    terminal.write_all(prompt.as_bytes())?;
    terminal.flush()?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer)?;
    Ok((read > 0).then(|| answer.trim_end_matches(['\r', '\n']).to_owned()))
}
