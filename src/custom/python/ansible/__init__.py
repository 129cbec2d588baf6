"""The Python package that users' own modules import on a target."""
__version__ = '2.21.5'
__author__ = 'Ansible, Inc.'
__codename__ = ''
