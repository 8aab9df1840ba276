"""Signed configurations: what is read is what was signed, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.configuration.document import (
    MAX_CONFIGURATION,
    Configuration,
    ConfigurationError,
    read_signed,
    sign,
)
from campuswatch.configuration.keys import create_keys, private_key, public_key
from campuswatch.configuration.slices import slice_files
from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory

KEY = Ed25519PrivateKey.generate()
EXAMPLE = Path(__file__).parents[2] / "config"

configurations = st.builds(
    Configuration,
    district=st.just("demo"),
    school=st.just("north"),
    agent=st.just("north-1"),
    version=st.integers(1, 2**53 - 1),
    files=st.dictionaries(
        st.sampled_from(["district.yaml", "schools/north.yaml", "profiles/a/b.yaml"]),
        st.text(st.characters(exclude_categories=["Cs"])),
    ),
)


def configuration(**files: str) -> Configuration:
    return Configuration(district="d", school="s", agent="a", version=1, files=files)


@given(configurations)
def test_what_is_signed_is_read(original: Configuration) -> None:
    assert read_signed(sign(original, KEY), KEY.public_key()) == original


@given(configurations, st.data())
def test_no_bit_of_it_can_be_changed(original: Configuration, data: st.DataObject) -> None:
    payload = bytearray(sign(original, KEY))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = read_signed(bytes(payload), KEY.public_key())
    except ConfigurationError:
        return
    # The last digit of base64 has bits that mean nothing.
    assert read == original
    assert place < payload.index(b"\n")


@given(st.binary(max_size=500))
def test_garbage_is_refused(payload: bytes) -> None:
    with pytest.raises(ConfigurationError):
        read_signed(payload, KEY.public_key())


def test_another_key_is_refused() -> None:
    payload = sign(configuration(), Ed25519PrivateKey.generate())
    with pytest.raises(ConfigurationError, match="not the district's"):
        read_signed(payload, KEY.public_key())


def test_what_is_too_large_is_neither_sent_nor_read() -> None:
    with pytest.raises(ConfigurationError, match="expected at most"):
        sign(configuration(**{"district.yaml": "x" * MAX_CONFIGURATION}), KEY)
    with pytest.raises(ConfigurationError, match="expected at most"):
        read_signed(b"x" * (MAX_CONFIGURATION + 1), KEY.public_key())


@pytest.mark.parametrize(
    "name",
    [
        "../district.yaml",
        "/etc/passwd",
        "schools/../../x.yaml",
        "schools/.hidden.yaml",
        "settings.yaml",
        "schools//x.yaml",
        "profiles/x.yaml\n",
    ],
)
def test_no_file_leads_out_of_the_directory(name: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        configuration(**{name: ""})


def test_each_school_of_the_example_reads_back_as_it_was(tmp_path: Path) -> None:
    inventory = load_inventory(EXAMPLE)
    for school in inventory.schools:
        place = tmp_path / school.id
        for name, text in slice_files(inventory, school, EXAMPLE).items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
        read = load_inventory(place)
        assert read.schools == [school]
        assert [device.declared_interval for device in read.schools[0].devices] == [
            device.declared_interval for device in school.devices
        ]
        assert read.district.targets == []
        assert read.district.credentials.keys() <= inventory.district.credentials.keys()


def test_keys_are_made_once_and_only_the_owner_reads_the_private_half(tmp_path: Path) -> None:
    private, public = create_keys(tmp_path / "keys")
    assert private.stat().st_mode & 0o777 == 0o600
    payload = sign(configuration(), private_key(f"file:{private}"))
    assert read_signed(payload, public_key(f"file:{public}")).version == 1
    with pytest.raises(UserError, match="already there"):
        create_keys(tmp_path / "keys")


def test_a_key_of_the_wrong_half_is_named_and_not_shown(tmp_path: Path) -> None:
    private, public = create_keys(tmp_path)
    with pytest.raises(UserError, match="expected an Ed25519 private key"):
        private_key(f"file:{public}")
    with pytest.raises(UserError, match="expected an Ed25519 public key") as caught:
        public_key(f"file:{private}")
    assert "BEGIN" not in str(caught.value)
