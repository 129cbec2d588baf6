"""Values from the environment."""
import os

from ansible.module_utils.basic import AnsibleModule, env_fallback

os.environ['CUSTOM_A'] = 'from the environment'
os.environ['CUSTOM_N'] = '12'


def main():
    module = AnsibleModule(argument_spec=dict(
        a=dict(fallback=(env_fallback, ['CUSTOM_NONE', 'CUSTOM_A'])),
        n=dict(type='int', fallback=(env_fallback, ['CUSTOM_N'])),
        none=dict(fallback=(env_fallback, ['CUSTOM_NONE'])),
        must=dict(required=True, fallback=(env_fallback, ['CUSTOM_A'])),
        hidden=dict(no_log=True, fallback=(env_fallback, ['CUSTOM_N'])),
    ))
    module.exit_json(params=module.params, text='a 12 b')


if __name__ == '__main__':
    main()
