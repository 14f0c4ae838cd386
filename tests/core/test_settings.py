from pathlib import Path

import pytest

from formloop.settings import read_settings


def read(tmp_path: Path, **said: str) -> object:
    return read_settings({"FORMLOOP_INSTANCE": str(tmp_path), **said}).private_hosts


def test_addresses_inside_the_house_are_listed_with_their_ports(tmp_path: Path) -> None:
    assert read(tmp_path) == frozenset()
    said = read(tmp_path, FORMLOOP_PRIVATE_HOSTS="10.0.0.5:8443, [fd00::5]:443,")
    assert said == {("10.0.0.5", 8443), ("fd00::5", 443)}


@pytest.mark.parametrize("wrong", ["erp.local:80", "10.0.0.5", "10.0.0.5:https", "10.0.0.0/8:80"])
def test_what_is_no_address_with_a_port_is_told(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="FORMLOOP_PRIVATE_HOSTS"):
        read(tmp_path, FORMLOOP_PRIVATE_HOSTS=wrong)
