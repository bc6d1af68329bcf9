"""A .mmdb file of a few networks, written as the format says: a search tree, values, metadata."""

import ipaddress
import struct

UINT16, UINT32, UINT64 = 5, 6, 9
MARK = b"\xab\xcd\xefMaxMind.com"


def mmdb(networks, kind="Test-City"):
    """The file's bytes; `networks`: "1.2.3.0/24" → record. Addresses of both versions."""
    nodes, values, places = [[None, None]], b"", {}
    for network, record in networks.items():
        bits = _bits(network)
        at = 0
        for bit in bits[:-1]:
            if nodes[at][bit] is None:
                nodes[at][bit] = len(nodes)
                nodes.append([None, None])
            at = nodes[at][bit]
        places.setdefault(len(values), None)
        nodes[at][bits[-1]] = ("value", len(values))
        values += encoded(record)
    count = len(nodes)
    tree = b"".join(b"".join(_place(child, count).to_bytes(4) for child in node) for node in nodes)
    about = {
        "binary_format_major_version": (UINT16, 2),
        "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, 1_760_000_000),
        "database_type": kind,
        "description": {"en": "for tests"},
        "ip_version": (UINT16, 6),
        "languages": ["en"],
        "node_count": count,
        "record_size": (UINT16, 32),
    }
    return tree + bytes(16) + values + MARK + encoded(about)


def _place(child, count):
    if child is None:
        return count
    return child if isinstance(child, int) else count + 16 + child[1]


def _bits(network):
    net = ipaddress.ip_network(network)
    number, length = int(net.network_address), net.prefixlen
    if net.version == 4:
        length += 96
    return [number >> (127 - place) & 1 for place in range(length)]


def encoded(value):
    if isinstance(value, dict):
        return _head(7, len(value)) + b"".join(encoded(k) + encoded(v) for k, v in value.items())
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(map(encoded, value))
    if isinstance(value, str):
        raw = value.encode()
        return _head(2, len(raw)) + raw
    if isinstance(value, float):
        return _head(3, 8) + struct.pack(">d", value)
    kind, number = value if isinstance(value, tuple) else (UINT32, value)
    raw = number.to_bytes(8).lstrip(b"\0")
    return _head(kind, len(raw)) + raw


def _head(kind, size):
    assert size < 285
    first, extra = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | first]) + extra if kind < 8 else bytes([first, kind - 7]) + extra
