"""`python -m function.healthcheck`: exit status 0 while the function answers, for HEALTHCHECK."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8080")), timeout=4)
connection.request("GET", "/health")
sys.exit(connection.getresponse().status != http.HTTPStatus.OK)
