from __future__ import annotations

import socket

import pytest

from proxy.outbound import BlockedAddress, guarded_socket, may_connect, trusted_socket

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1"]
INSIDE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:a00:1::",
    "::10.0.0.1", "192.0.2.1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.0.1", "100.100.100.200", "fe80::1", "fe80::1%eth0",
    "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "0.0.0.0",
    "::", "224.0.0.1", "ff02::1", "255.255.255.255",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert may_connect(address, is_host_trusted=False)


@pytest.mark.parametrize("address", INSIDE)
def test_inside_addresses_only_for_hosts_that_a_policy_names(address: str) -> None:
    """T-SS-1."""
    assert not may_connect(address, is_host_trusted=False)
    assert may_connect(address, is_host_trusted=True)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_metadata_addresses_never(address: str) -> None:
    """T-SS-1."""
    assert not may_connect(address, is_host_trusted=True)


def test_the_address_that_is_connected_to_decides() -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    trusted_socket(address).close()
    with pytest.raises(BlockedAddress):
        guarded_socket(address)
