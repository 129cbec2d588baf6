//! Hosts and groups: read from YAML, INI, host lists, scripts and directories of these.
