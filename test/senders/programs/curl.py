"""Runs curl once for each line; several requests are one call with --next."""

import subprocess
import threading
from urllib.parse import quote

import worker

# What stands behind each body in the output.
MARK = "\x1e%{http_code}\x1f"


def arguments(r, piped):
    args = ["-sS", "--max-time", "30", "-w", MARK, r["url"]]
    for name, value in r["headers"].items():
        args += ["-H", f"{name}: {value}"]
    if r.get("expect"):
        args += ["-H", "Expect: 100-continue"]
    if r["how"] == "length":
        args += ["--data-binary", "@" + r["file"]]
    elif r["how"] == "chunked" and piped:
        args += ["-X", "POST", "-T", "-"]
    elif r["how"] == "chunked":
        args += ["-H", "Transfer-Encoding: chunked", "--data-binary", "@" + r["file"]]
    elif r["how"] == "form":
        for name, value in r["form"].items():
            args += ["--data-urlencode", f"{quote(name)}={value}"]
    else:
        args += ["-X", "POST"]
    return args


def feed(pipe, r):
    try:
        for piece in worker.pieces(r):
            pipe.write(piece)
            pipe.flush()
        pipe.close()
    except BrokenPipeError:
        pass  # curl has ended


def start(all):
    piped = len(all) == 1 and all[0]["how"] == "chunked"
    command = ["curl"]
    for r in all:
        command += (["--next"] if len(command) > 1 else []) + arguments(r, piped)
    curl = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    feeder = threading.Thread(target=feed, args=(curl.stdin, all[0])) if piped else None
    if feeder:
        feeder.start()
    answers = []
    for text in curl.stdout.read().decode().split("\x1f")[:-1]:
        body, status = text.split("\x1e")
        answers.append({"status": int(status), "body": body})
    said = curl.stderr.read().decode()
    if feeder:
        feeder.join()
    if curl.wait() != 0:
        answers[-1:] = [{"status": 0, "body": "", "error": f"exit {curl.returncode}: {said}"}]
    return answers + [{"status": 0, "error": "not tried"}] * (len(all) - len(answers))


version = subprocess.run(["curl", "--version"], capture_output=True, check=True, text=True)
worker.serve(" ".join(version.stdout.split()[:2]), start)
