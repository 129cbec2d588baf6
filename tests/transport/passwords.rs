//! Passwords, for the login and for `become`.

use fanfare::target::{Destination, Hop, Secret, SshOptions, Transport};

use super::hops::hop;
use super::{Control, failed, ping, raw, unreachable};
use crate::support::root_host::{PASSWORD, RootHost};

fn at(host: &RootHost, user: &str, password: &str) -> Destination {
    let options = SshOptions {
        host: "127.0.0.1".into(),
        port: Some(host.port),
        user: Some(user.into()),
        password: Some(Secret::new(password)),
        host_key_checking: Some(false),
        ..SshOptions::default()
    };
    Destination {
        name: "web1".into(),
        transport: Transport::Ssh(options),
        hop: None,
        remote_tmp: None,
        traceless: false,
    }
}

fn behind(there: &Destination, method: &str, user: &str, password: Option<&str>) -> Destination {
    let hop = Hop { password: password.map(Secret::new), ..hop(method, user) };
    Destination { hop: Some(hop), ..there.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_the_login() {
    for (password, keyboard) in [("yes", "no"), ("no", "yes"), ("yes", "yes")] {
        let Some(host) = RootHost::start_with(password, keyboard) else { return };
        let control = Control::new();
        let links = control.links();
        assert_eq!(ping(&links, &at(&host, "fanfare-barred", PASSWORD)).await.unwrap(), "pong?");
        let reason = unreachable(&links, &at(&host, "fanfare-barred", "wrong")).await;
        let start = "Failed to connect to the host via ssh: fanfare-barred@127.0.0.1: Permission denied (";
        assert!(reason.starts_with(start), "{reason}");
        assert!(reason.ends_with("\nthe password was not accepted"), "{reason}");
        links.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_sudo() {
    let Some(host) = RootHost::start() else { return };
    let control = Control::new();
    let links = control.links();
    let asked = at(&host, "fanfare-asked", PASSWORD);
    let right = behind(&asked, "sudo", "root", Some(PASSWORD));
    assert_eq!(ping(&links, &right).await.unwrap(), "pong?");
    assert_eq!(raw(&links, &right, "id -un").await, "root");
    let nobody = behind(&asked, "sudo", "nobody", Some(PASSWORD));
    assert_eq!(raw(&links, &nobody, "id -un").await, "nobody");
    assert_eq!(ping(&links, &nobody).await.unwrap(), "pong?");
    let missing = behind(&asked, "sudo", "root", None);
    assert_eq!(failed(&links, &missing).await, "Missing sudo password");
    let wrong = behind(&asked, "sudo", "root", Some("wrong"));
    assert_eq!(failed(&links, &wrong).await, "Incorrect sudo password");
    // With flags that do not forbid to ask, it asks, and does not wait for ever.
    let mut asks = missing;
    asks.hop = asks.hop.map(|hop| Hop { flags: Some("-H -S".into()), ..hop });
    assert_eq!(failed(&links, &asks).await, "Missing sudo password");
    let barred = behind(&at(&host, "fanfare-barred", PASSWORD), "sudo", "root", Some(PASSWORD));
    let reason = failed(&links, &barred).await;
    assert!(reason.contains("fanfare-barred is not in the sudoers file"), "{reason}");
    // One connection for each of the two logins.
    assert_eq!(links.counts().connections, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn for_su() {
    let Some(host) = RootHost::start() else { return };
    let control = Control::new();
    let links = control.links();
    let barred = at(&host, "fanfare-barred", PASSWORD);
    let right = behind(&barred, "su", "fanfare-asked", Some(PASSWORD));
    assert_eq!(ping(&links, &right).await.unwrap(), "pong?");
    assert_eq!(raw(&links, &right, "id -un").await, "fanfare-asked");
    let wrong = behind(&barred, "su", "fanfare-asked", Some("wrong"));
    assert_eq!(failed(&links, &wrong).await, "Incorrect su password");
    let missing = behind(&barred, "su", "fanfare-asked", None);
    assert_eq!(failed(&links, &missing).await, "Missing su password");
    links.close().await;
}
