//! ansible.cfg, environment, command line: one table, one precedence.
