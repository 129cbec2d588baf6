"""Versions that can be compared."""
import re


class Version(object):
    """What the kinds of version share."""

    def __init__(self, vstring=None):
        self.vstring = vstring
        if vstring:
            self.parse(vstring)

    def __repr__(self):
        return "%s ('%s')" % (self.__class__.__name__, self)

    def _compare(self, other, test):
        if isinstance(other, str):
            other = self.__class__(other)
        if not isinstance(other, self.__class__):
            return NotImplemented
        return test(self._key(), other._key())

    def __eq__(self, other):
        return self._compare(other, lambda a, b: a == b)

    def __lt__(self, other):
        return self._compare(other, lambda a, b: a < b)

    def __le__(self, other):
        return self._compare(other, lambda a, b: a <= b)

    def __gt__(self, other):
        return self._compare(other, lambda a, b: a > b)

    def __ge__(self, other):
        return self._compare(other, lambda a, b: a >= b)


class LooseVersion(Version):
    """A version of any form: its numbers count as numbers and the rest as text."""

    version = ()
    component_re = re.compile(r'(\d+|[a-z]+|\.)')

    def parse(self, vstring):
        """Takes the version apart."""
        self.version = [int(part) if part.isdigit() else part for part in self.component_re.split(vstring)
                        if part and part != '.']

    def _key(self):
        return list(self.version)

    def __str__(self):
        return self.vstring or ''


class StrictVersion(Version):
    """A version of two or three numbers, perhaps with `a` or `b` and a number for what comes before a release."""

    version = prerelease = None
    version_re = re.compile(r'^(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?$', re.ASCII)

    def parse(self, vstring):
        """Takes the version apart."""
        found = self.version_re.match(vstring)
        if not found:
            raise ValueError("invalid version number '%s'" % vstring)
        self.version = int(found.group(1)), int(found.group(2)), int(found.group(3) or 0)
        self.prerelease = (found.group(4), int(found.group(5))) if found.group(4) else None

    def _key(self):
        return self.version or (), self.prerelease or ('release',)

    def __str__(self):
        numbers = self.version or ()
        if numbers and not numbers[2]:
            numbers = numbers[:2]
        return '.'.join(map(str, numbers)) + ('%s%d' % self.prerelease if self.prerelease else '')
