#!/usr/bin/env bash
# Apache HttpClient 5.2.1 (Debian libhttpclient5-java 5.2.1-1, libhttpcore5-java 5.2.1-1), Java 17.
#
# execute() of a client with default settings answers a 429 or 503 by sleeping for as long as
# Retry-After says, inside the call and without any bound, and then sends the POST once more,
# although POST is not idempotent (RFC 9110 9.2.2). A receiver that says "Retry-After: 3"
# holds the sender's thread for those three seconds, and one that says an hour holds it for
# an hour; whoever answers 503 must name a time that the sender can wait.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
for package in libhttpclient5-java=5.2.1-1 libhttpcore5-java=5.2.1-1 libslf4j-java libcommons-codec-java; do apt-get download -qq "$package" 2>/dev/null; done
for deb in *.deb; do dpkg -x "$deb" .; done
jars=$(find usr/share/java -name '*.jar' | tr '\n' ':')
cat >Post.java <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.StringEntity;

public class Post {
  public static void main(String[] args) throws Exception {
    AtomicInteger posts = new AtomicInteger();
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      exchange.getRequestBody().readAllBytes();
      boolean first = posts.incrementAndGet() == 1;
      if (first) exchange.getResponseHeaders().set("Retry-After", "3");
      exchange.sendResponseHeaders(first ? 503 : 200, -1);
    });
    server.start();
    try (var client = HttpClients.createDefault()) {
      HttpPost post = new HttpPost("http://127.0.0.1:" + server.getAddress().getPort() + "/");
      post.setEntity(new StringEntity("{}"));
      long start = System.nanoTime();
      int status = client.execute(post, response -> response.getCode());
      System.out.println("one execute() made " + posts + " POSTs, took three seconds or more: " + (System.nanoTime() - start >= 3_000_000_000L) + ", and reads " + status);
    }
    server.stop(0);
  }
}
JAVA
got=$(timeout 60 java -cp "$jars" Post.java 2>/dev/null)
want='one execute() made 2 POSTs, took three seconds or more: true, and reads 200'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
