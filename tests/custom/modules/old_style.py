#!/usr/bin/python
# -*- coding: utf-8 -*-
"""Is written as modules were ten years ago."""

DOCUMENTATION = '''
module: old_style
short_description: Old
'''


def main():
    module = AnsibleModule(
        argument_spec=dict(name=dict(required=True), state=dict(default='present', choices=['present', 'absent'])),
        supports_check_mode=True)
    try:
        os.stat('/no/such/file')
    except OSError:
        e = get_exception() if 'get_exception' in globals() else sys.exc_info()[1]
        error = e.errno
    module.exit_json(
        changed=module.boolean('yes'), error=error, name=module.params['name'], pretty=json.loads('{"a": 1}'),
        parts=shlex.split('a "b c"'), base=os.path.basename('/a/b'), found=re.findall('[0-9]', 'a1b2'), there=[
            callable(tempfile.mkdtemp), callable(shutil.copy), callable(time.time), callable(subprocess.Popen),
            callable(pwd.getpwuid), callable(grp.getgrgid), callable(platform.system), callable(hashlib.sha1),
            callable(traceback.format_exc), callable(to_native), callable(jsonify), callable(datetime.datetime.now)
            if 'datetime' in globals() else True])


from ansible.module_utils.basic import *  # noqa

if __name__ == '__main__':
    main()
