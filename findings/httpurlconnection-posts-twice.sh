#!/usr/bin/env bash
# Java 17 (OpenJDK 17.0.15): HttpURLConnection beside HttpClient.
#
# A POST that the server took, and whose connection ended before an answer, is sent again by
# HttpURLConnection itself, on a new connection as much as on a kept one, and the caller reads
# the answer to the second. RFC 9110 9.2.2 has a client repeat a POST only where it knows that
# it may. HttpClient, of the same JDK, reports the lost answer. A receiver that goes away in
# the middle of an event has it twice from a sender that tried once and counts no failure. A
# body of setFixedLengthStreamingMode is not repeated, and -Dsun.net.http.retryPost=false ends
# it for all.
set -euo pipefail
dir=$(mktemp -d)
cleanup() { kill ${sink:-} 2>/dev/null || true; rm -rf "$dir"; }
trap cleanup EXIT
cd "$dir"
cat >sink.py <<'PY'
import http.server, threading
lock, taken = threading.Lock(), {}
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            taken[self.path] = taken.get(self.path, 0) + 1
            with open("seen", "a") as seen: seen.write(self.path[1:] + "\n")
            if taken[self.path] == 1: return  # the server goes away before it answers
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
open("port", "w").write(str(server.server_port))
server.serve_forever()
PY
python3 sink.py &
sink=$!
while [ ! -s port ]; do sleep 0.1; done
cat >Post.java <<'JAVA'
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Post {
  interface Sender { int post(URI to) throws Exception; }

  static final String EVENT = "{\"event\":\"paid\"}";

  public static void main(String[] args) {
    send(args[0], "HttpURLConnection", to -> connection(to, false));
    send(args[0], "FixedLength", to -> connection(to, true));
    send(args[0], "HttpClient", to -> HttpClient.newHttpClient().send(HttpRequest.newBuilder(to)
        .POST(HttpRequest.BodyPublishers.ofString(EVENT)).build(), HttpResponse.BodyHandlers.ofString()).statusCode());
  }

  static int connection(URI to, boolean fixedLength) throws Exception {
    HttpURLConnection connection = (HttpURLConnection) to.toURL().openConnection();
    connection.setDoOutput(true);
    if (fixedLength) connection.setFixedLengthStreamingMode(EVENT.length());
    connection.getOutputStream().write(EVENT.getBytes());
    return connection.getResponseCode();
  }

  static void send(String port, String name, Sender sender) {
    String read = "no answer";
    try {
      read = String.valueOf(sender.post(URI.create("http://127.0.0.1:" + port + "/" + name)));
    } catch (Exception e) {
      // The answer is lost, and the sender knows.
    }
    System.out.println(name + " is called once and reads " + read);
  }
}
JAVA
got=$(timeout 60 java Post.java "$(cat port)"; sort seen | uniq -c | sed 's/^ */POSTs: /')
want='HttpURLConnection is called once and reads 200
FixedLength is called once and reads no answer
HttpClient is called once and reads no answer
POSTs: 1 FixedLength
POSTs: 1 HttpClient
POSTs: 2 HttpURLConnection'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
