//! An input that ends when nothing comes for too long.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Unlike sshd, the kernel of a target may take hours to tell that nobody is at the other end any more.
#[derive(Debug)]
pub struct Patient<R> {
    pub input: R,
    pub patience: Duration,
}

impl<R: Read + AsFd> Read for Patient<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut fds = [PollFd::new(&self.input, PollFlags::IN)];
        let patience = Timespec::try_from(self.patience).map_err(io::Error::other)?;
        let heard = poll(&mut fds, Some(&patience))?;
        if heard == 0 { Ok(0) } else { self.input.read(buffer) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_comes_is_read_and_silence_is_the_end() {
        let (input, mut output) = io::pipe().expect("a pipe");
        let mut patient = Patient { input, patience: Duration::from_millis(20) };
        let mut buffer = [0; 8];
        output.write_all(b"here").expect("written");
        assert_eq!(patient.read(&mut buffer).expect("read"), 4);
        assert_eq!(patient.read(&mut buffer).expect("read"), 0);
        output.write_all(b"late").expect("written");
        assert_eq!(patient.read(&mut buffer).expect("read"), 4);
    }
}
