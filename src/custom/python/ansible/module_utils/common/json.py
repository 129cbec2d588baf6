"""Writes JSON as modules do."""
import json

from ansible.module_utils.common.text.converters import _plain


class AnsibleJSONEncoder(json.JSONEncoder):
    """Makes lists of sets, and text of dates and bytes."""

    def default(self, o):
        return _plain(o)
