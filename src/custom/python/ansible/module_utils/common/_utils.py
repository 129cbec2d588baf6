"""The old home of get_all_subclasses."""
from ansible.module_utils.common.sys_info import get_all_subclasses  # noqa: F401
