#!/usr/bin/env python3
"""Says where an XML reply and a JSON reply to the same call differ: same_reply.py REPLY.xml REPLY.json

The two must have the same members in the same order: lists are <item> elements, booleans true and false. What tells one call from
another (request id, times that run on) is left out. Exit status 1 and one line when they differ."""
import json
import sys
import xml.etree.ElementTree as ET

MOVING = {"requestId", "elapsedMs", "timestamp"}
NAMESPACE = "{http://ec2.amazonaws.com/doc/2016-11-15/}"


def differ(where, what):
    print(f"{where}: {what}")
    sys.exit(1)


def compare(element, value, where):
    children = list(element)
    if isinstance(value, dict):
        names = [c.tag.removeprefix(NAMESPACE) for c in children]
        if names != list(value):
            differ(where, f"XML has {names}, JSON has {list(value)}")
        for child, (name, member) in zip(children, value.items()):
            if name not in MOVING:
                compare(child, member, f"{where}.{name}")
    elif isinstance(value, list):
        if any(c.tag != NAMESPACE + "item" for c in children) or len(children) != len(value):
            differ(where, f"XML has {len(children)} elements, JSON has a list of {len(value)}")
        for i, (child, member) in enumerate(zip(children, value)):
            compare(child, member, f"{where}[{i}]")
    else:
        text = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
        if children or (element.text or "") != text:
            differ(where, f"XML has {element.text!r}, JSON has {text!r}")


root = ET.parse(sys.argv[1]).getroot()
if not root.tag.startswith(NAMESPACE) or not root.tag.endswith("Response"):
    differ("root", root.tag)
with open(sys.argv[2], encoding="utf-8") as f:
    compare(root, json.load(f), root.tag.removeprefix(NAMESPACE))
