use fanfare_modules::kit::wire::Reply;
use tokio::sync::{mpsc, oneshot};

use super::CallError;

/// The replies of a call, as they come. Dropped before the last of them is there, it kills what runs.
#[derive(Debug)]
pub struct Replies {
    pub(super) each: mpsc::UnboundedReceiver<Reply>,
    pub(super) end: oneshot::Receiver<Result<Vec<Reply>, CallError>>,
}

impl Replies {
    /// The next one, in order of the requests; `None` after the last. Nothing comes after an error.
    pub async fn next(&mut self) -> Result<Option<Reply>, CallError> {
        if let Some(reply) = self.each.recv().await {
            return Ok(Some(reply));
        }
        match (&mut self.end).await {
            Ok(end) => end.map(|_| None),
            Err(_) => Err(CallError::Unreachable("the link broke by an error in fanfare itself".to_owned())),
        }
    }
}
