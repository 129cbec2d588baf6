"""Other names of arguments, and those that will go."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(
        name=dict(aliases=['title', 'pkg'], deprecated_aliases=[
            dict(name='pkg', version='5.0.0', collection_name='my.things')]),
        old=dict(removed_in_version='9.0.0', removed_from_collection='my.things'),
        older=dict(removed_at_date='2031-01-02', removed_from_collection='my.things'),
        sub=dict(type='dict', options=dict(x=dict(aliases=['xx'], removed_in_version='3', removed_from_collection='a.b'))),
    ))
    module.exit_json(params=module.params, aliases=module.aliases)


if __name__ == '__main__':
    main()
