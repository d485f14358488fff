"""Reads one stream of a declarative manifest with airbyte-cdk, and writes one JSON document: MANIFEST STREAM STATE, the configuration on standard input.

With ORIGIN in the environment the manifest is one of a real vendor: it is read from there, without credentials, with a made-up configuration.
"""
import importlib.metadata
import json
import logging
import os
import sys

import yaml
from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer, Type
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver


def elsewhere(node, origin):
    """The same manifest at another address, without what needs an account or the vendor's own code."""
    if isinstance(node, list):
        for one in node:
            elsewhere(one, origin)
    elif isinstance(node, dict):
        node.pop("state_migrations", None)
        if "url_base" in node:
            node["url_base"] = origin
            node["authenticator"] = {"type": "NoAuth"}
        if "retriever" in node:
            node["schema_loader"] = {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}}
        for one in node.values():
            elsewhere(one, origin)


def made_up(name, schema):
    """A value as the importer's first fixtures have it."""
    if "properties" in schema or "oneOf" in schema:
        members = dict(schema.get("properties", {}))
        for choice in schema.get("oneOf", []):
            members.update(choice.get("properties", {}))
        return {name: made_up(name, member) for name, member in members.items()}
    kind = schema.get("type")
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    if kind in ("array", "integer", "number", "boolean"):
        return {"array": ["one"], "boolean": False}.get(kind, 1)
    if schema.get("format") == "date":
        return "2024-01-01"
    if schema.get("format") == "date-time" or "date" in name.lower():
        return "20240101T000000Z" if "{8}T" in schema.get("pattern", "") else "2024-01-01T00:00:00Z"
    return "made-up"


def name_of(stream):
    return stream.get("name") or stream.get("$parameters", {}).get("name")


manifest = ManifestReferenceResolver().preprocess_manifest(yaml.safe_load(open(sys.argv[1])))
stream, state = sys.argv[2], json.loads(sys.argv[3])
# The other streams may use what is not here, and a manifest is refused as a whole.
manifest["streams"] = [one for one in manifest["streams"] if name_of(one) == stream]
manifest["check"] = {"type": "CheckStream", "stream_names": [stream]}
manifest.setdefault("type", "DeclarativeSource")
for part in ("definitions", "schemas"):
    manifest.pop(part, None)
config = json.loads(sys.stdin.read())
if "ORIGIN" in os.environ:
    elsewhere(manifest["streams"], os.environ["ORIGIN"])
    config = made_up("", manifest.get("spec", {}).get("connection_specification", {"properties": {}}))
catalog = ConfiguredAirbyteCatalogSerializer.load({
    "streams": [{
        "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
    }]
})
kept = [AirbyteStateMessageSerializer.load(state)] if state else None
source = ConcurrentDeclarativeSource(catalog=catalog, config=config, state=kept, source_config=manifest)
records, newest = [], None
for message in source.read(logging.getLogger("read"), config, catalog, kept):
    if message.type == Type.RECORD:
        records.append(message.record.data)
    elif message.type == Type.STATE:
        newest = AirbyteStateMessageSerializer.dump(message.state)
    elif message.type in (Type.LOG, Type.TRACE):
        print(message, file=sys.stderr)
version = importlib.metadata.version("airbyte-cdk")
print(json.dumps({"version": version, "records": records, "state": newest}, default=str))
