import requests

import worker


def post(session, r):
    how = {
        "length": lambda: {"data": worker.content(r)},
        "chunked": lambda: {"data": worker.pieces(r)},
        "form": lambda: {"data": r["form"]},
        "empty": lambda: {},
    }[r["how"]]()
    try:
        answer = session.post(r["url"], headers=r["headers"], timeout=30, **how)
        return {"status": answer.status_code, "body": answer.text}
    except requests.RequestException as error:
        return worker.failed(error)


def start(all):
    with requests.Session() as session:
        return [post(session, r) for r in all]


worker.serve("requests " + requests.__version__, start)
