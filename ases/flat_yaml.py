"""YAML as people mean it: ``no`` is a text, ``3e-3`` a number, and a name given twice a mistake.

>>> read_yaml("[no, 3e-3]")
['no', 0.003]
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from ases.errors import ParameterError


# YAML 1.2's core schema: PyYAML's own reads `no` as False, `1:30` as 90, and `3e-3` as a text.
class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, name in enumerate(names):
            if name in names[:position]:
                line = node.value[position][0].start_mark.line + 1
                raise ParameterError(f"line {line}: {name} is given twice")
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+0123456789.")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def read_yaml(text: str) -> Any:
    """A YAML text as a value. Raises yaml.YAMLError, or ParameterError for a name given twice."""
    return yaml.load(text, _Loader)


def is_bare(value: Any) -> bool:
    """Whether a text can be written without quotes, in YAML and on a command line, and read back as itself."""
    fits = isinstance(value, str) and re.fullmatch(r"[A-Za-z./~_][\w./~-]*", value)
    return bool(fits) and read_yaml(value) == value
