"""Listens with DingTalk's own client (PyPI: dingtalk-stream) to the address in DINGTALK_OPENAPI_ENDPOINT.

Prints one JSON line for each event. The first attempt at an event whose type is `later_once` is answered with an error, so
that it has to come again. Ends after as many events as the first argument says, or after 30 seconds with status 1.
"""

import asyncio
import json
import logging
import os
import sys

import dingtalk_stream
from dingtalk_stream import AckMessage, Credential, DingTalkStreamClient, EventHandler


class Listener(EventHandler):
    def __init__(self, wanted):
        super().__init__()
        self.wanted = wanted
        self.heard = 0
        self.refused = set()
        self.done = asyncio.Event()

    async def process(self, event):
        headers = event.headers
        if headers.event_type == "later_once" and headers.event_id not in self.refused:
            self.refused.add(headers.event_id)
            return AckMessage.STATUS_SYSTEM_EXCEPTION, "later"
        line = {"id": headers.event_id, "type": headers.event_type, "corp": headers.event_corp_id, "data": event.data}
        print(json.dumps(line), flush=True)
        self.heard += 1
        if self.heard >= self.wanted:
            self.done.set()
        return AckMessage.STATUS_OK, "OK"


async def main():
    client_id, client_secret, wanted = sys.argv[1:4]
    client = DingTalkStreamClient(Credential(client_id, client_secret))
    listener = Listener(int(wanted))
    client.register_all_event_handler(listener)
    token = client.get_access_token()
    print(json.dumps({"token": bool(token)}), flush=True)
    running = asyncio.create_task(client.start())
    try:
        await asyncio.wait_for(listener.done.wait(), timeout=30)
    except asyncio.TimeoutError:
        leave(1)
    # The answer to the last event leaves after the handler has returned.
    await asyncio.sleep(0.5)
    leave(1 if running.done() else 0)


def leave(status):
    """The published client has no way to be stopped, and goes on when its task is cancelled."""
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    logging.getLogger("dingtalk_stream.client").setLevel(logging.ERROR)
    asyncio.run(main())
