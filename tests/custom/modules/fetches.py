"""Asks a web server with fetch_url."""
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url, url_argument_spec


def main():
    spec = url_argument_spec()
    spec.update(method=dict(), data=dict(), headers=dict(type='dict'), timeout=dict(type='int', default=10),
                follow_redirects=dict())
    module = AnsibleModule(argument_spec=spec)
    if module.params['follow_redirects'] is None:
        del module.params['follow_redirects']
    response, info = fetch_url(module, module.params['url'], data=module.params['data'], method=module.params['method'],
                               headers=module.params['headers'], timeout=module.params['timeout'])
    for key in ('date', 'server'):
        info.pop(key, None)
    module.exit_json(body=response.read() if response else None, info=info)


if __name__ == '__main__':
    main()
