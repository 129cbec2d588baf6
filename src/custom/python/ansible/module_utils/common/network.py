"""Netmasks, networks and hardware addresses."""
import re
from socket import inet_ntoa  # noqa: F401

VALID_MASKS = [256 - 2 ** bits for bits in range(8)] + [0]


def is_netmask(val):
    """Says whether it is a netmask of four numbers."""
    parts = str(val).split('.')
    try:
        return len(parts) == 4 and all(int(part) in VALID_MASKS for part in parts)
    except ValueError:
        return False


def is_masklen(val):
    """Says whether it is a length of a netmask."""
    try:
        return 0 <= int(val) <= 32
    except ValueError:
        return False


def to_netmask(val):
    """Gives the netmask of a length."""
    if not is_masklen(val):
        raise ValueError('invalid value for masklen')
    bits = (0xffffffff << 32 - int(val)) & 0xffffffff
    return '.'.join(str(bits >> shift & 255) for shift in (24, 16, 8, 0))


def to_bits(val):
    """Gives a netmask in binary."""
    return ''.join('{:08b}'.format(int(part)).rstrip('0') for part in val.split('.')).ljust(32, '0')


def to_masklen(val):
    """Gives the length of a netmask."""
    if not is_netmask(val):
        raise ValueError('invalid value for netmask: %s' % val)
    return sum('{:b}'.format(int(part)).count('1') for part in val.split('.'))


def to_subnet(addr, mask, dotted_notation=False):
    """Gives the network that an address is in."""
    length = int(mask) if is_masklen(mask) else to_masklen(mask)
    net = to_netmask(length)
    network = '.'.join(str(int(a) & int(m)) for a, m in zip(addr.split('.'), net.split('.')))
    return '%s %s' % (network, net) if dotted_notation else '%s/%s' % (network, length)


def _ipv6_prefix(addr, bits):
    import ipaddress
    number = int(ipaddress.IPv6Address(addr))
    groups = ['{:x}'.format(number >> 112 - 16 * i & 0xffff) for i in range(bits // 16)]
    while groups and groups[-1] == '0':
        groups.pop()
    return ':'.join(groups) + '::'


def to_ipv6_subnet(addr):
    """Gives the first 64 bits of an IPv6 address."""
    return _ipv6_prefix(addr, 64)


def to_ipv6_network(addr):
    """Gives the first 48 bits of an IPv6 address."""
    return _ipv6_prefix(addr, 48)


def is_mac(mac_address):
    """Says whether it is a hardware address."""
    return bool(re.match(r'[0-9a-f]{2}([-:])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$', mac_address, re.IGNORECASE))
