//! A checksum that is taken while content goes by.

use std::io::{self, Read};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use md5::Md5;
use sha1::Digest;

use crate::kit::digest::hex;

/// From this size on a thread is worth its start.
const LARGE: u64 = 1 << 20;

/// How many pieces may wait to be summed.
const WAITING: usize = 16;

/// Passes content on and takes its MD5. Of large content on a thread of its own: that takes longer than all else that is done
/// with it.
pub(super) struct Aside<'c> {
    content: &'c mut dyn Read,
    sum: Sum,
}

enum Sum {
    Here(Md5),
    There { pieces: SyncSender<Vec<u8>>, thread: JoinHandle<Md5> },
}

impl<'c> Aside<'c> {
    pub(super) fn new(content: &'c mut dyn Read, size: u64) -> Self {
        let sum = if size < LARGE { Sum::Here(Md5::new()) } else { Sum::there() };
        Self { content, sum }
    }

    /// The MD5 of what was read, in lower-case hex.
    pub(super) fn finish(self) -> io::Result<String> {
        let sum = match self.sum {
            Sum::Here(sum) => sum,
            Sum::There { pieces, thread } => {
                drop(pieces);
                thread.join().map_err(|_| io::Error::other("its MD5 could not be taken"))?
            }
        };
        Ok(hex(&sum.finalize()))
    }
}

impl Sum {
    fn there() -> Self {
        let (pieces, to_sum) = sync_channel::<Vec<u8>>(WAITING);
        let summing = move || to_sum.iter().fold(Md5::new(), Digest::chain_update);
        match std::thread::Builder::new().spawn(summing) {
            Ok(thread) => Self::There { pieces, thread },
            // No room for another thread.
            Err(_) => Self::Here(Md5::new()),
        }
    }
}

impl Read for Aside<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read(buffer)?;
        let piece = buffer.get(..n).unwrap_or_default();
        match &mut self.sum {
            Sum::Here(sum) => sum.update(piece),
            // One that ended early is found out by `finish`.
            Sum::There { pieces, .. } => drop(pieces.send(piece.to_vec())),
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn here_and_there() {
        let content = b"0123456789".repeat(100_000);
        for size in [0, LARGE] {
            let mut reader = content.as_slice();
            let mut aside = Aside::new(&mut reader, size);
            let mut passed = Vec::new();
            aside.read_to_end(&mut passed).unwrap();
            assert_eq!(passed, content);
            assert_eq!(aside.finish().unwrap(), hex(&Md5::digest(&content)));
        }
    }
}
