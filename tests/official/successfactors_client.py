"""pyodata against a service of SuccessFactors: reads its metadata, lists page by page, a filter, a count, a row by its key, a refusal.

successfactors_client.py SERVER TOKEN: prints a JSON object.
"""

import datetime
import json
import sys

import pyodata
import requests
from pyodata.exceptions import HttpError

server, token = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.headers["Authorization"] = f"Bearer {token}"
service = pyodata.Client(f"{server}/odata/v2", session)

said = {"sets": sorted(one.name for one in service.schema.entity_sets)}
asked = service.entity_sets.User.get_entities().custom("paging", "snapshot").custom("customPageSize", "3")
page = asked.select("userId,lastName,hireDate,lastModifiedDateTime,manager/userId").expand("manager").execute()
ids = [user.userId for user in page]
said["hired"], said["changed"] = page[0].hireDate.isoformat(), page[0].lastModifiedDateTime.isoformat()
while page.next_url:
    page = service.entity_sets.User.get_entities().next_url(page.next_url).execute()
    ids += [user.userId for user in page]
said["ids"] = ids
one = service.entity_sets.User.get_entities().filter("userId eq '2'").execute()
said["name"] = one[0].lastName
counted = service.entity_sets.User.get_entities().top(1).skip(1).count(inline=True).execute()
said["count"] = [len(counted), counted.total_count]
said["by_key"] = service.entity_sets.Candidate.get_entity(3).execute().lastName
job = service.entity_sets.EmpJob.get_entity(
    seqNumber=1, startDate=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), userId="2"
).execute()
said["job"] = [job.jobTitle, job.seqNumber, job.fte]
try:
    service.entity_sets.User.get_entities().filter("nothing eq 'x'").execute()
except HttpError as refusal:
    said["refused"] = refusal.response.status_code
print(json.dumps(said))
