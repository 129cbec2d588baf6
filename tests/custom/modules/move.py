"""Replaces, backs up and removes files."""
import os
import re

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(work=dict(required=True)))
    work = module.params['work']
    os.makedirs(work, exist_ok=True)
    for name in os.listdir(work):
        if os.path.isfile(os.path.join(work, name)):
            os.unlink(os.path.join(work, name))
    new, old, other = (os.path.join(work, name) for name in ('new', 'old', 'other'))

    def fresh():
        for path, text in ((new, 'new text'), (old, 'old text')):
            with open(path, 'w') as target:
                target.write(text)
        os.chmod(new, 0o600)
        os.chmod(old, 0o604)

    fresh()
    backup = module.backup_local(old)
    with open(backup) as source:
        saved = source.read()
    module.atomic_move(new, old)
    with open(old) as source:
        text = source.read()
    replaced = '%o' % (os.stat(old).st_mode & 0o7777)
    fresh()
    module.atomic_move(new, other)
    created = '%o' % (os.stat(other).st_mode & 0o7777)
    fresh()
    module.atomic_move(new, old, keep_dest_attrs=False)
    own = '%o' % (os.stat(old).st_mode & 0o7777)
    module.add_cleanup_file(other)
    module.do_cleanup_files()
    module.cleanup(backup)
    module.append_to_file(old, ' and more')
    with open(old) as source:
        more = source.read()
    module.preserved_copy(old, other)
    module.exit_json(changed=True, text=text, saved=saved, replaced=replaced, created=created, own=own, more=more,
                     backup=re.sub(r'\d+', '9', os.path.basename(backup)), left=sorted(os.listdir(work)),
                     missing=module.backup_local('/no/such/file'))


if __name__ == '__main__':
    main()
