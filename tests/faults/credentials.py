"""Keys, passwords and accounts"""

from battery import FAILED, RECOVERED, UNREACHABLE, Fault

DENIED = "Permission denied"
PASSWORD = "-o PubkeyAuthentication=no"


def new_host_key(host):
    host.sh("rm -f /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key")
    host.reload()


def no_keys(host):
    host.sh("mv /home/deploy/.ssh/authorized_keys /home/deploy/.ssh/off")


def login(user, password=None):
    return {"ansible_user": user} | ({"ansible_password": password} if password else {})


FAULTS = [
    Fault("host_key", "its host key has changed", UNREACHABLE, "REMOTE HOST IDENTIFICATION HAS CHANGED", before=new_host_key),
    Fault("wrong_user", "no such account", UNREACHABLE, DENIED, vars=login("nobodyhere")),
    Fault("key_revoked", "the key may no longer log in", UNREACHABLE, DENIED, before=no_keys, vars=login("deploy")),
    Fault("password", "an account with a password and no key", RECOVERED, "", vars=login("pwonly", "pw-only"), ssh=PASSWORD),
    Fault("wrong_password", "the password is wrong", UNREACHABLE, DENIED, vars=login("pwonly", "nope"), ssh=PASSWORD),
    Fault("password_changed", "somebody changed the password", UNREACHABLE, DENIED, vars=login("pwonly", "pw-only"), ssh=PASSWORD,
          before=lambda h: h.sh("echo pwonly:changed | chpasswd")),
    Fault("key_and_password", "it wants the key and then the password", RECOVERED, "",
          vars={"ansible_port": 2204, **login("root", "rootpw")}),
    Fault("key_and_no_password", "it wants the key and then a password that nobody gave", UNREACHABLE, DENIED,
          vars={"ansible_port": 2204}),
    Fault("password_expired", "the password has to be changed first", UNREACHABLE, "expired|no shell there|change your password",
          vars=login("pwexp")),
    Fault("nologin", "the login shell is nologin", UNREACHABLE, "not available", vars=login("nologinu")),
    Fault("sftp_only", "logins are for sftp alone", UNREACHABLE, "sftp", vars={"ansible_port": 2203}),
    Fault("noisy", "the login's rc file prints", RECOVERED, "", vars=login("noisy")),
    Fault("slow_login", "the login's rc file takes its time", RECOVERED, "", vars=login("slowrc")),
    Fault("no_home", "the account's home is not there", RECOVERED, "", vars=login("nohome")),
    Fault("tcsh", "the login shell is tcsh", RECOVERED, "", vars=login("tcshu")),
    Fault("fish", "the login shell is fish", RECOVERED, "", vars=login("fishu")),
]
