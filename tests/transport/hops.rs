//! `become` without a password; with one, see `passwords`.

use fanfare::target::{CallError, Destination, Hop, Transport};

use super::{Control, failed, options, ping, raw, to};
use crate::support::hosts::Hosts;

pub fn hop(method: &str, user: &str) -> Hop {
    Hop {
        method: method.into(),
        user: user.into(),
        password: None,
        exe: None,
        flags: None,
        chdir: None,
        prompts: Vec::new(),
        patience: None,
    }
}

/// Hosts where sudo asks for no password; `None`, said loudly, elsewhere.
async fn with_sudo() -> Option<(Hosts, Control)> {
    let hosts = Hosts::start(1)?;
    let control = Control::new();
    let host = &hosts.all[0];
    let asks = control.links().raw(&to(host, options(&hosts, host)), "sudo -n true", None).await.unwrap();
    if asks.rc != 0 {
        eprintln!("SKIPPED: needs sudo without password for {} (tests/support/account, as root)", hosts.user);
        return None;
    }
    Some((hosts, control))
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_to_root_and_to_others() {
    let Some((hosts, control)) = with_sudo().await else { return };
    let host = &hosts.all[0];
    let links = control.links();
    for user in ["root", "nobody"] {
        let mut there = to(host, options(&hosts, host));
        there.hop = Some(hop("sudo", user));
        assert_eq!(ping(&links, &there).await.unwrap(), "pong?", "{user}");
        assert_eq!(raw(&links, &there, "id -un").await, user);
    }
    // All on one connection.
    assert_eq!(links.counts().connections, 1);
    let mut shell = to(host, options(&hosts, host));
    shell.hop = Some(hop("sudo", "root"));
    let output = links.raw(&shell, "echo \"$0 it's\"; exit 3", Some("/bin/bash")).await.unwrap();
    assert_eq!((output.rc, output.stdout.as_slice()), (3, b"/bin/bash it's\n".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_control_node() {
    let links = Control::new().links();
    let local = Destination {
        name: "localhost".into(),
        transport: Transport::Local,
        hop: None,
        remote_tmp: None,
        traceless: false,
    };
    if raw(&links, &local, "id -u").await != "0" {
        eprintln!("SKIPPED: needs root, who may become anybody");
        return;
    }
    for (method, flags) in [("su", Some("-s /bin/sh")), ("sudo", None)] {
        let hop = Hop { flags: flags.map(str::to_owned), ..hop(method, "nobody") };
        let there = Destination { hop: Some(hop), ..local.clone() };
        assert_eq!(raw(&links, &there, "id -un").await, "nobody", "{method}");
        assert_eq!(ping(&links, &there).await.unwrap(), "pong?", "{method}");
    }
    links.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    for (says, expect) in [
        ("sudo: a password is required", "Missing sudo password"),
        (
            "bob is not in the sudoers file.  This incident will be reported.",
            "bob is not in the sudoers file.  This incident will be reported.",
        ),
        ("sudo: unknown user nosuch", "sudo: unknown user nosuch"),
    ] {
        host.stub("sudo", &format!("#!/bin/sh\necho '{says}' >&2; exit 1\n"));
        let mut there = to(host, options(&hosts, host));
        there.hop = Some(hop("sudo", "root"));
        assert_eq!(failed(&control.links(), &there).await, expect);
        match control.links().raw(&there, "true", None).await {
            Err(CallError::Failed(reason) | CallError::NoPassword { reason, .. }) => {
                assert_eq!(reason, expect);
            }
            other => panic!("{other:?}"),
        }
    }
    let mut there = to(host, options(&hosts, host));
    there.hop = Some(Hop { exe: Some("/no/such/sudo".into()), ..hop("sudo", "root") });
    let reason = failed(&control.links(), &there).await;
    assert!(reason.contains("/no/such/sudo"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sudo_that_wants_a_terminal_gets_one() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    host.stub(
        "sudo",
        "#!/bin/sh\n[ -t 0 ] || { echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1; }\n\
         while [ \"$1\" != /bin/sh ]; do shift; done; exec \"$@\"\n",
    );
    let mut there = to(host, options(&hosts, host));
    there.hop = Some(hop("sudo", "root"));
    let links = control.links();
    // The worker goes through the terminal byte by byte, and works.
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    assert_eq!(links.counts().uploads, 1);
    assert_eq!(raw(&links, &there, "tty >/dev/null && echo on a terminal").await, "on a terminal");
}
