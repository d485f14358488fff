"""Judges assertions that the gateway signed: a SAML one by libxmlsec1, a JWT by PyJWT. Each is judged again with another user in it.

assertion_verifier.py USER < {"key": PEM, "saml": base64, "jwt": text}: prints a JSON object.
"""

import base64
import json
import sys

import jwt
import xmlsec
from cryptography.hazmat.primitives import serialization
from lxml import etree

user = sys.argv[1]
given = json.load(sys.stdin)
private = serialization.load_pem_private_key(given["key"].encode(), None)
public = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def holds(document):
    """Is the signature in the document that of the key?"""
    root = etree.fromstring(document)
    context = xmlsec.SignatureContext()
    context.register_id(root, "ID")
    context.key = xmlsec.Key.from_memory(public, xmlsec.KeyFormat.PEM)
    try:
        context.verify(xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE))
    except xmlsec.Error:
        return False
    return True


said = {}
document = base64.b64decode(given["saml"])
said["saml"] = [holds(document), holds(document.replace(user.encode(), b"another"))]
options = {"verify_aud": False}
said["claims"] = jwt.decode(given["jwt"], public, ["RS256"], options=options)
head, claims, signature = given["jwt"].split(".")
forged = base64.urlsafe_b64encode(json.dumps({**said["claims"], "sub": "another"}).encode()).decode().rstrip("=")
try:
    jwt.decode(f"{head}.{forged}.{signature}", public, ["RS256"], options=options)
except jwt.InvalidSignatureError:
    said["forged"] = "refused"
print(json.dumps(said))
