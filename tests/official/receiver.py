"""A receiver of outgoing events as docs/events.md describes it, made of the official libraries alone.

Takes the secret as its argument, prints its port, answers 204 to an event that both libraries accept, 401 to a signature
that is not right and 400 to a body that is not a CloudEvent.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook, WebhookVerificationError

WANTED = {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "sequence"}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            Webhook(sys.argv[1]).verify(body, headers)
        except WebhookVerificationError as error:
            return self.answer(401, {"error": str(error)})
        try:
            event = from_http_event(HTTPMessage(headers=headers, body=body))
            missing = WANTED - set(event.get_attributes())
            if missing or event.get_data()["revision"] < 1:
                return self.answer(400, {"error": f"missing: {sorted(missing)}"})
        except Exception as error:
            return self.answer(400, {"error": type(error).__name__})
        return self.answer(204, None)

    def answer(self, status, body):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
