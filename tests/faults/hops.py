"""Becoming another user"""

from battery import FAILED, RECOVERED, Fault

MISSING = "[Mm]issing (sudo|su|doas) password|password"


def sudo(user, password=None, **more):
    given = {"ansible_become_password": password} if password else {}
    return {"ansible_user": user, "ansible_become": "true", **given, **more}


FAULTS = [
    Fault("sudo", "sudo without a password", RECOVERED, "", vars=sudo("deploy")),
    Fault("sudo_password", "sudo with a password", RECOVERED, "", vars=sudo("pwsudo", "pw-sudo")),
    Fault("sudo_wrong_password", "sudo with the wrong password", FAILED, "Incorrect sudo password", vars=sudo("pwsudo", "nope")),
    Fault("sudo_no_password", "sudo wants a password that nobody gave", FAILED, "Missing sudo password", vars=sudo("pwsudo")),
    Fault("sudo_revoked", "the account may use sudo no more", FAILED, MISSING + "|not in the sudoers|not allowed",
          before=lambda h: h.sh("sed -i '/^deploy /d' /etc/sudoers.d/testbed"), vars=sudo("deploy")),
    Fault("sudo_broken", "everybody may write to sudoers, so sudo refuses", FAILED, "world writable",
          before=lambda h: h.sh("chmod 666 /etc/sudoers"), vars=sudo("deploy")),
    Fault("sudo_noise", "sudo complains of a line it cannot read, and works", RECOVERED, "",
          before=lambda h: h.sh("echo 'garbage ((' >> /etc/sudoers.d/testbed"), vars=sudo("deploy")),
    Fault("sudo_expired", "the right to use sudo has expired", FAILED, "", vars=sudo("sudoexp")),
    Fault("sudo_missing", "there is no sudo", FAILED, "sudo.*(not found|denied)", image="debian12+plain+nosudo", vars=sudo("deploy")),
    Fault("requiretty", "sudo wants a terminal", RECOVERED, "", vars=sudo("ttysudo")),
    Fault("runas", "sudo to one user only, and to another", FAILED, "not allowed|password", vars=sudo("runasu")),
    Fault("runas_allowed", "sudo to the one user it is allowed for", RECOVERED, "", vars=sudo("runasu", ansible_become_user="app")),
    Fault("su", "su with root's password", RECOVERED, "", vars=sudo("suonly", "rootpw", ansible_become_method="su")),
    Fault("su_wrong_password", "su with the wrong password", FAILED, "Incorrect su password",
          vars=sudo("suonly", "nope", ansible_become_method="su")),
    Fault("su_no_terminal", "su with a password where sshd gives no terminal", RECOVERED, "",
          vars=sudo("suonly", "rootpw", ansible_become_method="su", ansible_port=2202)),
    Fault("doas", "doas without a password", RECOVERED, "", vars=sudo("doasu", ansible_become_method="doas")),
    Fault("doas_password", "doas with a password", RECOVERED, "", vars=sudo("doaspw", "pw-doas", ansible_become_method="doas")),
]
