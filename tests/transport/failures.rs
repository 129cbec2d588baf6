//! Hosts that do not answer as they should.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use fanfare::target::{Destination, SshOptions, Transport};

use super::{Control, options, ping, to, unreachable};
use crate::support::hosts::Hosts;

/// Something that listens on loopback and treats each connection like this.
fn listener(treat: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(treat));
    port
}

fn at(port: u16) -> Destination {
    let options = SshOptions {
        host: "127.0.0.1".into(),
        port: Some(port),
        user: Some("bob".into()),
        connect_timeout: Some(Duration::from_secs(1)),
        ..SshOptions::default()
    };
    Destination {
        name: "bad".into(),
        transport: Transport::Ssh(options),
        hop: None,
        remote_tmp: None,
        traceless: false,
    }
}

async fn check(port: u16, expect: &str, at_most: Duration) {
    let start = Instant::now();
    let reason = unreachable(&Control::new().links(), &at(port)).await;
    let expect =
        format!("Failed to connect to the host via ssh: {}", expect.replace("PORT", &port.to_string()));
    assert_eq!(reason, expect);
    assert!(start.elapsed() < at_most, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check(port, "ssh: connect to host 127.0.0.1 port PORT: Connection refused", Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_still_starting_is_tried_again_when_asked() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let there = (host.address.clone(), host.port);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let (mut near, _) = listener.accept().unwrap();
        let mut far = TcpStream::connect((there.0.as_str(), there.1)).unwrap();
        let (mut back, mut forth) = (far.try_clone().unwrap(), near.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut back, &mut forth));
        let _ = std::io::copy(&mut near, &mut far);
    });
    let late = SshOptions {
        host: "127.0.0.1".into(),
        port: Some(port),
        host_key_checking: Some(false),
        ..options(&hosts, host)
    };
    let once = to(host, late.clone());
    assert!(unreachable(&control.links(), &once).await.ends_with("Connection refused"));
    let again = to(host, SshOptions { retries: 2, ..late });
    assert_eq!(ping(&control.links(), &again).await.unwrap(), "pong?");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows() {
    let mut there = at(22);
    let Transport::Ssh(options) = &mut there.transport else { unreachable!() };
    options.host = "no-such-host.invalid".into();
    let reason = unreachable(&Control::new().links(), &there).await;
    let start =
        "Failed to connect to the host via ssh: ssh: Could not resolve hostname no-such-host.invalid: ";
    assert!(reason.starts_with(start), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_says_nothing() {
    let (keep, kept) = std::sync::mpsc::channel();
    let port = listener(move |stream| keep.send(stream).unwrap());
    check(
        port,
        "Connection timed out during banner exchange\nConnection to 127.0.0.1 port PORT timed out",
        Duration::from_secs(3),
    )
    .await;
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_says_hello_and_no_more() {
    let (keep, kept) = std::sync::mpsc::channel();
    let port = listener(move |mut stream| {
        stream.write_all(b"SSH-2.0-Sleepy_1.0\r\n").unwrap();
        keep.send(stream).unwrap();
    });
    check(
        port,
        "Connection timed out during banner exchange\nConnection to 127.0.0.1 port PORT timed out",
        Duration::from_secs(3),
    )
    .await;
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_up() {
    // What is left unread at the end would make it a reset.
    let port = listener(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
    });
    check(port, "kex_exchange_identification: Connection closed by remote host", Duration::from_secs(5))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_speaks_something_else() {
    let port = listener(|mut stream| {
        let _ = stream.write_all(&b"HTTP/1.1 400 Bad Request\r\n".repeat(2000));
        std::thread::sleep(Duration::from_millis(300));
    });
    check(port, "127.0.0.1 port PORT does not speak SSH (no version string)", Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_make_no_sense() {
    let mut there = at(22);
    let Transport::Ssh(options) = &mut there.transport else { unreachable!() };
    options.args = vec!["-o Prot=22".into()];
    assert_eq!(
        unreachable(&Control::new().links(), &there).await,
        "Failed to connect to the host via ssh: ssh argument -o Prot=22: Bad configuration option: prot (did you mean port?)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_where_many_connect_at_once() {
    // Four at once, and three of four further ones are dropped.
    let Some(hosts) = Hosts::start_with(1, "MaxStartups 4:75:8\\n") else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let links = control.links();
    let all = (0..16).map(|n| {
        let links = &links;
        // Different enough not to share a connection.
        let several =
            SshOptions { connect_timeout: Some(Duration::from_millis(20_000 + n)), ..options(&hosts, host) };
        async move { ping(links, &to(host, several)).await }
    });
    let failed: Vec<_> = futures::future::join_all(all).await.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{failed:?}");
    links.close().await;
}
