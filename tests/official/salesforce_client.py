"""simple-salesforce against an organisation: logs in by a signed assertion, reads in batches, upserts twice, asks what was deleted.

The client speaks https alone: an adapter of its session sends what goes to Salesforce to a server on loopback instead.

salesforce_client.py SERVER CLIENT_ID USER < PRIVATE_KEY: prints a JSON object.
"""

import datetime
import json
import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed, SalesforceMalformedRequest, SalesforceResourceNotFound

server, client_id, user = sys.argv[1:]
key = sys.stdin.read()


class Loopback(HTTPAdapter):
    def send(self, request, **kwargs):
        url = urlsplit(request.url)
        request.url = f"{server}{url.path}" + (f"?{url.query}" if url.query else "")
        return super().send(request, **kwargs)


session = requests.Session()
session.trust_env = False
session.mount("https://", Loopback())


def connect(consumer):
    return Salesforce(username=user, consumer_key=consumer, privatekey=key, session=session, version="62.0")


said = {}
try:
    connect("another app")
except SalesforceAuthenticationFailed as refusal:
    said["refused"] = refusal.code
org = connect(client_id)
first = org.query("SELECT Id, Subject FROM Case ORDER BY SystemModstamp, Id")
more = org.query_more(first["nextRecordsUrl"], identifier_is_url=True)
said["batches"] = [len(first["records"]), len(more["records"]), first["totalSize"]]
# By the locator alone it asks another address.
locator = first["nextRecordsUrl"].rsplit("/", 1)[1]
said["by_locator"] = len(org.query_more(locator, include_deleted=True)["records"])
live = {row["Id"] for row in org.query_all("SELECT Id FROM Case")["records"]}
every = {row["Id"] for row in org.query_all("SELECT Id, IsDeleted FROM Case", include_deleted=True)["records"]}
said["deleted_by_query"] = sorted(every - live)
now = datetime.datetime.now(datetime.timezone.utc)
deleted = org.Case.deleted(now - datetime.timedelta(days=1), now + datetime.timedelta(minutes=1))
said["deleted"] = [row["id"] for row in deleted["deletedRecords"]]
said["upserts"] = [org.Case.upsert("Renmen_Id__c/key-1", {"Subject": subject, "Priority": "High"}) for subject in ("one", "two")]
for name, call in {
    "no_field": lambda: org.query("SELECT Nothing FROM Case"),
    "no_date": lambda: org.query("SELECT Id FROM Case WHERE SystemModstamp >= '2026-01-01T00:00:00Z'"),
    "no_external_id": lambda: org.Case.upsert("Other__c/1", {"Subject": "x"}),
}.items():
    try:
        call()
    except (SalesforceMalformedRequest, SalesforceResourceNotFound) as refusal:
        said[name] = refusal.content[0]["errorCode"]
print(json.dumps(said))
