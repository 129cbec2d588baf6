"""Arguments that need or exclude each other."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec=dict(
            name=dict(required=True), a=dict(), b=dict(), c=dict(), d=dict(), e=dict(),
            state=dict(choices=['present', 'absent', 'link'], default='present'),
        ),
        mutually_exclusive=[('a', 'b')],
        required_together=[('c', 'd')],
        required_one_of=[('a', 'b', 'c')],
        required_if=[('state', 'absent', ('e',)), ('state', 'link', ('d', 'e'), True)],
        required_by={'e': ('d',)},
    )
    module.exit_json(changed=True, params=module.params)


if __name__ == '__main__':
    main()
