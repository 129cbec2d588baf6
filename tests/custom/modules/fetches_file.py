"""Downloads a file, and asks with open_url and Request."""
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_text
from ansible.module_utils.six.moves.urllib.error import HTTPError
from ansible.module_utils.urls import Request, basic_auth_header, fetch_file, open_url, prepare_multipart


def main():
    module = AnsibleModule(argument_spec=dict(url=dict(required=True), path=dict(default='/echo')))
    base = module.params['url']
    path = fetch_file(module, base + module.params['path'])
    with open(path) as source:
        text = source.read()
    try:
        open_url(base + '/nothing')
        error = None
    except HTTPError as err:
        error = [err.code, to_text(err.read())]
    asker = Request(http_agent='asker', headers={'X-One': '1'})
    kind, body = prepare_multipart({'a': 'b', 'f': {'content': 'text', 'filename': 'n.txt'}})
    boundary = kind.split('"')[1]
    module.exit_json(text=text, name=os.path.basename(path)[:4], error=error, got=asker.get(base + '/echo').read(),
                     posted=asker.post(base + '/echo', data='x').read(), header=basic_auth_header('u', 'p'),
                     form=to_text(body).replace(boundary, 'B'))


if __name__ == '__main__':
    main()
