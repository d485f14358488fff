"""The vendor's own SDK against a gateway of YonBIP: a token, a page of staff, a call with a token that is not good, a secret that is not good.

yonyou_client.py SERVER APP_KEY SECRET: prints a JSON object.
"""

import json
import sys

from yonbip_open_api_sdk import request_opt, token_opt

server, key, secret = sys.argv[1:]
info = {"app_key": key, "app_secret": secret, "token_url": server}
calls = f"{server}/gateway/yonbip"


def staff(call, credential):
    """The answer to a page of two people."""
    body = json.dumps({"pageIndex": 1, "pageSize": 2})
    return call("post", f"{calls}/digitalModel/staff/listForApi", {}, body, None, credential).json()


said = {}
try:
    token = token_opt.opt_self_token_with_cache(key, secret, server)
except Exception as error:  # The SDK raises nothing more exact.
    print(json.dumps({"refused": str(error)}))
    sys.exit(0)
said["expire"] = token["expire"]
said["staff"] = staff(request_opt.opt_self_app_request_with_cache, info)
said["made_up"] = staff(request_opt.opt_self_app_request_with_access_token, "made-up")
params = {"payPeriods": "2025-11"}
said["pay"] = request_opt.opt_self_app_request_with_cache(
    "get", f"{calls}/hrcloud/payfile/queryPayfileDataByPayPeriod", {}, None, params, info
).json()
print(json.dumps(said))
