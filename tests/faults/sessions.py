"""Sessions, the daemon and power"""

import signal
import time

from battery import FAILED, INTERRUPTED, KILLED, RECOVERED, UNREACHABLE, Fault

LOST = "closed by remote host|Connection reset|not responding|Broken pipe"


def interrupt(host):
    host.control.send_signal(signal.SIGINT)


def kill(host):
    host.control.kill()


def stop_worker(host):
    host.sh('for p in /proc/[0-9]*; do case $(tr "\\0" " " < $p/cmdline 2> /dev/null) in */w-*) kill -STOP ${p#/proc/};; esac; done')


def kill_worker(host):
    host.sh('for p in /proc/[0-9]*; do case $(tr "\\0" " " < $p/cmdline 2> /dev/null) in */w-*) kill -9 ${p#/proc/};; esac; done')


def kill_task(host):
    host.sh("pkill -9 -f '^sleep 8.0625'")


def stop_daemon(host):
    host.sh("kill $(cat /run/sshd.pid)")


def few_at_once(host):
    host.sh('echo "MaxStartups 1:100:1" > /etc/ssh/sshd_config.d/00-faults.conf')
    host.reload()


FAULTS = [
    Fault("kill_session", "every process of its sshd that serves a session is killed in the middle of a task", UNREACHABLE, LOST,
          play="long", during=lambda h: h.kill_sessions()),
    Fault("kill_session_retried", "the same, in a play that waits for the host and goes on", RECOVERED, "",
          play="retried", during=lambda h: h.kill_sessions(), within=60),
    Fault("kill_task", "the task's command is killed", FAILED, "non-zero return code", play="long", during=kill_task),
    Fault("kill_worker", "the worker is killed in the middle of a task", FAILED, "the worker ended in the middle of the task",
          # Killed like this, no process takes its children along.
          play="long", during=kill_worker, left=("^sleep 8",)),
    Fault("task_too_long", "a task takes longer than its `timeout`", FAILED, "Timed out after 3 second", play="timeout"),
    Fault("worker_stopped", "the worker is stopped, and its task has a `timeout`", FAILED, "Timed out after 3 second",
          play="timeout", during=stop_worker),
    Fault("sshd_stops", "its sshd ends; sessions live on", RECOVERED, "", play="long", during=stop_daemon, image="debian12"),
    Fault("freeze_before", "the machine does not run: TCP accepts, nobody answers", UNREACHABLE, "timed out",
          before=lambda h: h.signal(signal.SIGSTOP)),
    Fault("freeze", "the machine stops in the middle of a task", UNREACHABLE, "not responding", play="long",
          during=lambda h: h.signal(signal.SIGSTOP)),
    Fault("reboot", "it reboots in the middle of a task", UNREACHABLE, LOST, play="long", image="debian12",
          during=lambda h: h.reboot(), after=lambda h: (time.sleep(4), h.heal()), within=60),
    Fault("reboot_retried", "it reboots, is away for 4 s, and the play waits for it", RECOVERED, "", play="retried",
          image="debian12", during=lambda h: h.reboot(4), within=60),
    Fault("power_cut", "it loses its power in the middle of a task", UNREACHABLE, LOST, play="long",
          image="debian12", during=lambda h: h.power_cut(), after=lambda h: h.power_on(), within=60),
    Fault("powered_off", "it is switched off", UNREACHABLE, "No route to host|timed out|Connection refused", image="debian12",
          before=lambda h: h.power_cut(), after=lambda h: h.power_on()),
    Fault("max_startups", "its sshd lets one connection at a time log in", RECOVERED, "", before=few_at_once),
    Fault("max_sessions", "its sshd opens one session a connection, and the task becomes another user", RECOVERED, "",
          vars={"ansible_port": 2201, "ansible_become_user": "deploy", "ansible_become": "true"}),
    Fault("control_killed", "the control node's process is killed in the middle of a task", KILLED, "", play="long", during=kill),
    Fault("control_killed_terminal", "the same, with a task on a terminal (sudo with requiretty)", KILLED, "", play="long",
          vars={"ansible_user": "ttysudo", "ansible_become": "true"}, during=kill),
    Fault("control_interrupted", "the user presses Ctrl-C in the middle of a task", INTERRUPTED, "", play="long", during=interrupt),
]
