"""Chooses a class by the system."""
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.sys_info import (
    get_distribution, get_distribution_codename, get_distribution_version, get_platform_subclass,
)


class Service(object):
    """Any system."""
    platform = 'Generic'
    distribution = None

    def __new__(cls, *args, **kwargs):
        return super(Service, cls).__new__(get_platform_subclass(Service))

    def name(self):
        return 'generic'


class LinuxService(Service):
    """Linux."""
    platform = 'Linux'

    def name(self):
        return 'linux'


class DebianService(LinuxService):
    """Debian."""
    distribution = 'Debian'

    def name(self):
        return 'debian'


def main():
    module = AnsibleModule(argument_spec=dict())
    module.exit_json(name=Service().name(), distribution=get_distribution(), version=get_distribution_version(),
                     codename=get_distribution_codename(), selinux=module.selinux_enabled(),
                     context=module.selinux_context('/etc'), mount=module.find_mount_point('/proc/self'),
                     owner=module.user_and_group('/etc'))


if __name__ == '__main__':
    main()
