import asyncio

import aiohttp

import worker


async def pieces(r):
    for piece in worker.pieces({**r, "pause": 0}):
        yield piece
        await asyncio.sleep(r.get("pause", 0) / 1000)


async def post(session, r):
    data = {
        "length": lambda: worker.content(r),
        "chunked": lambda: pieces(r),
        "form": lambda: r["form"],
        "empty": lambda: None,
    }[r["how"]]()
    try:
        async with session.post(r["url"], headers=r["headers"], data=data, expect100=r.get("expect", False)) as answer:
            return {"status": answer.status, "body": await answer.text()}
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        return worker.failed(error)


async def session(all):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as client:
        return [await post(client, r) for r in all]


worker.serve("aiohttp " + aiohttp.__version__, lambda all: asyncio.run(session(all)))
