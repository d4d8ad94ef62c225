"""The OpenAPI document as a page for people: every route, what it takes, what it answers."""

import re
from collections.abc import Iterable, Iterator
from html import escape

from protocols.openapi.parts import SCHEMAS
from protocols.schemas import Schema

_HEAD = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Budget: operations</title>
  <link rel="icon" href="/page/icon.svg">
  <link rel="stylesheet" href="/page/page.css">
  <link rel="stylesheet" href="/page/docs.css">
</head>
<body>
"""
_REFUSALS = "#/components/responses/"


def html(spec: Schema) -> str:
    """Write the page. It needs no script, and nothing of anybody else."""
    return _HEAD + "\n".join(_body(spec)) + "\n</body>\n</html>\n"


def _body(spec: Schema) -> Iterator[str]:
    info, by_tag = spec["info"], _by_tag(spec["paths"])
    yield f"<header><h1>{escape(info['title'])}</h1>"
    yield f"<p class='quiet'>{escape(info['version'])}</p></header>"
    yield f"<main><p>{escape(info['summary'])}. Everything here is derived from"
    yield "<a href='openapi.json'>openapi.json</a>. A token goes into the header"
    yield "<code>Authorization: Bearer …</code>; roles are read, report, admin.</p>"
    links = "".join(f"<li><a href='#part-{tag}'>{escape(tag)}</a></li>" for tag in by_tag)
    yield f"<nav aria-label='Parts'><ul>{links}</ul></nav>"
    for tag, routes in by_tag.items():
        yield f"<section class='card' id='part-{tag}'><h2>{escape(tag)}</h2>"
        for method, path, route in routes:
            yield from _route(method, path, route, spec)
        yield "</section>"
    yield "<section class='card' id='values'><h2>values</h2>"
    for name, schema in spec["components"]["schemas"].items():
        yield f"<details><summary><code>{name}</code></summary><div id='{name}'>"
        yield _words(schema.get("description", ""))
        yield from _fields(schema)
        yield "</div></details>"
    yield "</section></main>"


def _by_tag(paths: Schema) -> dict[str, list[tuple[str, str, Schema]]]:
    found: dict[str, list[tuple[str, str, Schema]]] = {}
    for path, methods in paths.items():
        for method, route in methods.items():
            found.setdefault(route["tags"][0], []).append((method, path, route))
    return found


def _route(method: str, path: str, route: Schema, spec: Schema) -> Iterator[str]:
    role = route.get("x-role", "anybody" if route.get("security") == [] else "a token")
    yield f"<details><summary><b class='{method}'>{method.upper()}</b>"
    yield f"<code>{escape(path)}</code> <span>{escape(route['summary'])}</span>"
    yield f"<span class='quiet'>{role}</span></summary>"
    yield f"<div id='{route['operationId']}'>{_words(route.get('description', ''))}"
    parameters = route.get("parameters", ())
    if parameters:
        rows = (
            (one["name"], one["in"], one.get("required", False), one["schema"], _about(one))
            for one in parameters
        )
        yield _table("parameter", rows)
    if "requestBody" in route:
        for kind, content in route["requestBody"]["content"].items():
            yield f"<p>Body: {_kind(content['schema'])} <span class='quiet'>{kind}</span></p>"
    for status, answer in route["responses"].items():
        if "$ref" not in answer:
            kinds = (_kind(one.get("schema", {})) for one in answer.get("content", {}).values())
            yield f"<p>{status}: {' or '.join(kinds) or escape(answer['description'])}</p>"
    refused = (
        spec["components"]["responses"][answer["$ref"].removeprefix(_REFUSALS)]["description"]
        for answer in route["responses"].values()
        if "$ref" in answer
    )
    listed = "".join(f"<li>{_marked(words)}</li>" for words in refused)
    yield f"<details><summary>Refusals</summary><ul>{listed}</ul></details></div></details>"


def _fields(schema: Schema) -> Iterator[str]:
    properties = schema.get("properties")
    if not properties:
        yield f"<p>{_kind(schema)}</p>"
        return
    required = schema.get("required", ())
    rows = (
        (name, "", name in required, field, _about(field)) for name, field in properties.items()
    )
    yield _table("field", rows)


def _table(title: str, rows: Iterable[tuple[str, str, bool, Schema, str]]) -> str:
    lines = (
        f"<tr><td><code>{escape(name)}</code> <span class='quiet'>{place}</span></td>"
        f"<td>{'yes' if required else ''}</td><td>{_kind(schema)}</td><td>{_marked(about)}</td>"
        for name, place, required, schema, about in rows
    )
    head = f"<tr><th>{title}</th><th>required</th><th>is</th><th>meaning</th></tr>"
    return f"<div class='scroll'><table>{head}{'</tr>'.join(lines)}</tr></table></div>"


def _about(field: Schema) -> str:
    words: str = field.get("description", "")
    schema = field.get("schema", field)
    default = schema.get("default")
    told = [words] if words else []
    if default not in (None, [], {}):
        told.append(f"default `{default}`")
    if "minimum" in schema and "maximum" in schema:
        told.append(f"{schema['minimum']} to {schema['maximum']}")
    return "; ".join(told)


def _kind(schema: Schema) -> str:
    """What a value is, in a few words."""
    match schema:
        case {"$ref": place}:
            name = escape(str(place).removeprefix(SCHEMAS))
            return f"<a href='#{name}'>{name}</a>"
        case {"anyOf": options} | {"oneOf": options} | {"allOf": options}:
            return " or ".join(dict.fromkeys(_kind(one) for one in options))
        case {"enum": values}:
            return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case _:
            return escape(str(schema.get("type", "anything")))


def _words(text: str) -> str:
    return f"<p>{_marked(text)}</p>" if text else ""


def _marked(text: str) -> str:
    """Names in backticks stand out."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
