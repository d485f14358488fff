"""The vendor's own SDK against a server of Galaxy: reads employees in two ways, keeps a voucher, and takes another one through its states.

kingdee_client.py SERVER ACCT USER APP_ID SECRET VOUCHER: prints a JSON object with the outcome of each call.
"""

import json
import sys

from k3cloud_webapi_sdk.main import K3CloudApiSdk

server, acct, user, app_id, secret, voucher = sys.argv[1:]
sdk = K3CloudApiSdk(server)
sdk.InitConfig(acct, user, app_id, secret, server)


def status(answer):
    """What an answer says of the bills: whether it went well, the code, and the ids."""
    found = json.loads(answer)["Result"]["ResponseStatus"]
    return {"good": found["IsSuccess"], "code": found["MsgCode"], "ids": [one["Id"] for one in found["SuccessEntitys"]]}


def rows(form, keys, **more):
    """Rows of a form in both shapes that the vendor has."""
    asked = {"FormId": form, "FieldKeys": keys, "OrderString": "", "TopRowCount": 0, "StartRow": 0, "Limit": 2000, **more}
    return json.loads(sdk.ExecuteBillQuery(asked)), json.loads(sdk.BillQuery(asked))


model = json.loads(voucher)
said = {}
said["cells"], said["objects"] = rows("BD_Empinfo", "FNumber,FName", FilterString="FForbidStatus = 'A'", OrderString="FNumber ASC")
if said["cells"] and isinstance(said["cells"][0][0], dict):
    # A refusal stands in the only cell, with status 200.
    print(json.dumps({"refused": said["cells"][0][0]["Result"]["ResponseStatus"]["MsgCode"]}))
    sys.exit(0)
said["draft"] = status(sdk.Draft("GL_VOUCHER", {"Model": {**model, "FBillNo": "draft-1"}}))
said["unbalanced"] = status(sdk.Save("GL_VOUCHER", {"Model": {**model, "FBillNo": "bad-1", "FEntity": model["FEntity"][:1]}}))
named = {"Numbers": ["saved-1"]}
said["saved"] = status(sdk.Save("GL_VOUCHER", {"Model": {**model, "FBillNo": "saved-1"}}))
said["too_early"] = status(sdk.Audit("GL_VOUCHER", named))
said["submitted"] = status(sdk.Submit("GL_VOUCHER", named))
said["audited"] = status(sdk.Audit("GL_VOUCHER", {"Ids": str(said["saved"]["ids"][0])}))
said["vouchers"], _ = rows("GL_VOUCHER", "FBillNo,FDocumentStatus", OrderString="FVOUCHERID ASC")
print(json.dumps(said))
