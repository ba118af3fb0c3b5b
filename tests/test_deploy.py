"""The deployment files name what exists, and their configuration is accepted."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
import yaml

from tests.console import ROOT, run

DEPLOY = ROOT / "deploy"


def test_the_sidecars_configuration_is_accepted(tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes/sidecar.yaml").read_text("utf-8")))
    config_map = next(each for each in documents if each["kind"] == "ConfigMap")
    for name, text in config_map["data"].items():
        (tmp_path / name).write_text(text, "utf-8")
    files = [str(tmp_path / name) for name in config_map["data"]]
    assert run(["check", "--strict", *files]) == (0, "")


def test_the_sidecar_mounts_what_it_defines() -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes/sidecar.yaml").read_text("utf-8")))
    config_map, deployment, service = documents
    spec = deployment["spec"]["template"]["spec"]
    assert spec["volumes"][0]["configMap"]["name"] == config_map["metadata"]["name"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


def test_the_container_file_copies_what_exists() -> None:
    text = (DEPLOY / "container/Containerfile").read_text("utf-8")
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


@pytest.mark.parametrize("key", ["ExecStart", "ExecStartPre"])
def test_the_unit_calls_commands_that_exist(key: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read(DEPLOY / "systemd/penstock.service", "utf-8")
    command = unit["Service"][key].split()[1]
    assert run([command, "--help"])[0] == 0
