//! Thousands of hosts in one process, for `benches/scale/run`: every address of the loopback network is one.
//!
//! They speak SSH by russh's server side, answer the bootstrap as a host that has the worker in its cache, and run the
//! worker's own loop on a machine in memory. Started as `hosts KEY`: it tells its port, and ends with its input.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_modules::kit::memory::Memory;
use fanfare_modules::kit::serve::serve;
use russh::keys::load_secret_key;
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Session, VerifiedPublicKey, run_stream,
};
use russh::{Channel, ChannelId};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime;

/// What a worker's loop needs on a machine in memory; only what is touched counts.
const STACK: usize = 512 << 10;

type Machines = Arc<Mutex<HashMap<IpAddr, Arc<Memory>>>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = std::env::args().nth(1).ok_or("usage: hosts KEY")?;
    let config = Arc::new(Config {
        keys: vec![load_secret_key(key, None)?],
        auth_rejection_time: Duration::ZERO,
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    });
    // All addresses of the loopback network, and nobody else's: a listener each would need as many descriptors again.
    let socket = TcpSocket::new_v4()?;
    socket.bind_device(Some(b"lo"))?;
    socket.bind(([0, 0, 0, 0], 0).into())?;
    let listener = socket.listen(4096)?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let machines = Machines::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let (config, machines) = (Arc::clone(&config), Arc::clone(&machines));
        tokio::spawn(async move { attend(config, stream, &machines).await });
    }
}

async fn attend(config: Arc<Config>, stream: TcpStream, machines: &Machines) -> Result<(), russh::Error> {
    let address = stream.local_addr()?.ip();
    let machine =
        Arc::clone(machines.lock().unwrap_or_else(PoisonError::into_inner).entry(address).or_default());
    stream.set_nodelay(true)?;
    run_stream(config, stream, Host { machine, inputs: HashMap::new() }).await?.await
}

/// One connection to one host.
struct Host {
    machine: Arc<Memory>,
    /// Where the input of each worker goes.
    inputs: HashMap<ChannelId, Sender<Vec<u8>>>,
}

impl Handler for Host {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(mark) = mark(&String::from_utf8_lossy(command)) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        session.data(id, format!("{mark} HIT\n").into_bytes())?;
        let (sender, input) = channel();
        self.inputs.insert(id, sender);
        let output = Output { session: session.handle(), id, runtime: runtime::Handle::current() };
        let machine = Arc::clone(&self.machine);
        std::thread::Builder::new().stack_size(STACK).spawn(move || work(&machine, input, output))?;
        Ok(())
    }

    async fn data(&mut self, id: ChannelId, data: &[u8], _: &mut Session) -> Result<(), Self::Error> {
        if let Some(input) = self.inputs.get(&id) {
            let _ = input.send(data.to_vec());
        }
        Ok(())
    }

    async fn channel_eof(&mut self, id: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.inputs.remove(&id);
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.inputs.remove(&id);
        Ok(())
    }
}

/// The mark that answers to the bootstrap's script carry.
fn mark(command: &str) -> Option<String> {
    let (_, rest) = command.split_once("m=")?;
    let (head, rest) = rest.split_once(";m=\"$m-")?;
    let (tail, _) = rest.split_once('"')?;
    Some(format!("{head}-{tail}"))
}

fn work(machine: &Memory, input: Receiver<Vec<u8>>, mut output: Output) {
    // Ends in an error when the control node went away: nobody is there to be told.
    let _ = serve(&**machine, Input { pieces: input, rest: Vec::new() }, &mut output);
    output.end();
}

struct Input {
    pieces: Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.pieces.recv().unwrap_or_default();
        }
        let taken = self.rest.as_slice().read(buffer)?;
        self.rest.drain(..taken);
        Ok(taken)
    }
}

struct Output {
    session: Handle,
    id: ChannelId,
    runtime: runtime::Handle,
}

impl Output {
    fn end(&self) {
        let Self { session, id, runtime } = self;
        runtime.block_on(async {
            let _ = session.exit_status_request(*id, 0).await;
            let _ = session.close(*id).await;
        });
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.runtime.block_on(self.session.data(self.id, bytes.to_vec()));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
