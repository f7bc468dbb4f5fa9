import httpx

import worker


def post(client, r):
    how = {
        "length": lambda: {"content": worker.content(r)},
        "chunked": lambda: {"content": worker.pieces(r)},
        "form": lambda: {"data": r["form"]},
        "empty": lambda: {},
    }[r["how"]]()
    try:
        answer = client.post(r["url"], headers=r["headers"], **how)
        return {"status": answer.status_code, "body": answer.text}
    except httpx.HTTPError as error:
        return worker.failed(error)


def start(all):
    with httpx.Client(timeout=30) as client:
        return [post(client, r) for r in all]


worker.serve("httpx " + httpx.__version__, start)
