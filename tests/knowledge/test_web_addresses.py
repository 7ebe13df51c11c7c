"""Which addresses may be fetched: the open web, however an address is written, and nothing else."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.knowledge.web import addresses
from webapp.knowledge.web.addresses import Rules
from webapp.knowledge.web.problems import FetchProblem

INNER = [ip_network(text) for text in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)]


@given(st.sampled_from(INNER).flatmap(lambda network: st.integers(
    int(network.network_address), int(network.broadcast_address)).map(type(network.network_address))))
def test_no_address_of_an_inner_or_special_network_is_public(number):
    assert not addresses.is_public(number)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_hidden_in_an_ipv6_one_is_never_public(number: IPv4Address):
    hidden = int(number)
    ways = ((0, 0), (0xFFFF << 32, 0), (0x64FF9B << 96, 0), (0x2002 << 112, 80), (0x20010000 << 96, 0))
    for beginning, shift in ways:
        assert not addresses.is_public(IPv6Address(beginning | hidden << shift))


@given(st.ip_addresses())
def test_what_is_public_is_global_to_the_standard_library_too(number):
    assert not addresses.is_public(number) or (number.is_global and not number.is_private and not number.is_multicast)


@pytest.mark.parametrize("number", ["93.184.216.34", "1.1.1.1", "223.5.5.5", "2606:4700::1111", "2400:3200::1"])
def test_addresses_of_the_open_internet_are_public(number):
    assert addresses.is_public(ip_address(number))


@given(st.text(max_size=60).map(lambda text: f"http://{text}") | st.text(max_size=60))
def test_whatever_is_written_is_an_address_of_one_form_or_refused(text):
    try:
        read = addresses.read(text)
    except FetchProblem:
        return
    assert addresses.read(str(read)) == read
    assert str(read).isascii() and " " not in str(read) and "@" not in read.authority and "#" not in str(read)


@pytest.mark.parametrize(("written", "read"), [
    ("HTTPS://Example.ORG", "https://example.org/"), ("example.org/a%20b", "https://example.org/a%20b"),
    ("http://example.org:80/x#part", "http://example.org/x"), ("https://example.org:8443/", "https://example.org:8443/"),
    ("https://bücher.example/ü?q=ö", "https://xn--bcher-kva.example/%C3%BC?q=%C3%B6"),
    ("https://文档.中国/页", "https://xn--7dvp7d.xn--fiqs8s/%E9%A1%B5"), ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
])
def test_an_address_is_written_one_way(written, read):
    assert str(addresses.read(written)) == read


@pytest.mark.parametrize(("text", "code"), [
    ("", "malformed"), ("https://", "malformed"), ("ftp://example.org/", "scheme"), ("file:///etc/passwd", "scheme"),
    ("javascript:alert(1)", "malformed"), ("https://me:secret@example.org/", "credentials"),
    ("https://me@example.org/", "credentials"), ("https://example.org:0/", "malformed"),
    ("https://example.org:99999/", "malformed"), ("https://exa mple.org/", "malformed"),
    ("https://example.org\\@127.0.0.1/", "malformed"), ("https://example.org/\r\nHost: inner", "malformed"),
    ("http://[fe80::1%eth0]/", "malformed"), ("https://" + "a" * 1100, "malformed"),
    ("https://example.org/" + "a" * 1100, "too_long"),
])
def test_what_is_no_address_to_fetch_is_refused_for_its_reason(text, code):
    with pytest.raises(FetchProblem) as problem:
        addresses.read(text)
    assert problem.value.code == code


@pytest.mark.parametrize(("text", "code"), [
    ("http://127.0.0.1/", "private"), ("http://[::1]/", "private"), ("http://[::ffff:127.0.0.1]/", "private"),
    ("http://169.254.169.254/latest/meta-data/", "private"), ("http://100.100.100.200/", "private"),
    ("http://168.63.129.16/", "private"), ("http://192.168.1.1/", "private"), ("http://8.8.8.8:6379/", "port"),
])
def test_a_private_number_or_another_port_is_refused_before_anything_is_asked(text, code):
    with pytest.raises(FetchProblem) as problem:
        addresses.check(addresses.read(text), Rules())
    assert problem.value.code == code


def test_what_an_administrator_allows_may_be_fetched_and_nothing_may_once_it_is_off():
    address = addresses.read("http://10.0.0.5:8080/wiki")
    addresses.check(address, Rules(ports=frozenset({8080}), private_hosts=frozenset({"10.0.0.5"})))
    with pytest.raises(FetchProblem) as problem:
        addresses.check(addresses.read("https://example.org/"), Rules(is_on=False))
    assert problem.value.code == "off"
