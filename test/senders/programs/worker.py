"""What the Python programs have in common."""

import json
import sys
import time

PIECE = 64 << 10


def content(request):
    with open(request["file"], "rb") as file:
        return file.read()


def pieces(request):
    """Yields the body as it becomes known."""
    with open(request["file"], "rb") as file:
        while piece := file.read(PIECE):
            yield piece
            time.sleep(request.get("pause", 0) / 1000)


def failed(error):
    return {"status": 0, "body": "", "error": repr(error)}


def serve(version, start):
    """Answers every line; start makes its requests with one client."""
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        answers = start(json.loads(line)["requests"])
        print(json.dumps({"answers": answers}), flush=True)
