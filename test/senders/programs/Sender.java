import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.ProtocolException;
import java.net.URI;
import java.net.URL;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.entity.UrlEncodedFormEntity;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.http.message.BasicNameValuePair;
import org.apache.hc.core5.util.VersionInfo;

/** The HTTP clients of Java, chosen by the argument. */
public class Sender {
    static class Request {
        String url;
        Map<String, String> headers;
        String how;
        String file;
        Map<String, String> form;
        int pause;
        boolean expect;

        byte[] content() throws IOException {
            return Files.readAllBytes(Path.of(file));
        }

        /** Reads the body as it becomes known. */
        InputStream pieces() throws IOException {
            return new FilterInputStream(new FileInputStream(file)) {
                private int sinceLast;

                @Override
                public int read(byte[] b, int off, int len) throws IOException {
                    int n = super.read(b, off, len);
                    sinceLast += Math.max(n, 0);
                    if (sinceLast >= 64 << 10) {
                        sinceLast = 0;
                        sleep(pause);
                    }
                    return n;
                }
            };
        }

        String encodedForm() {
            return form.entrySet().stream()
                .map(e -> URLEncoder.encode(e.getKey(), StandardCharsets.UTF_8) + "=" + URLEncoder.encode(e.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        }
    }

    static class Line {
        List<Request> requests;
    }

    static class Answer {
        int status;
        String body = "";
        String error;

        Answer(int status, String body) {
            this.status = status;
            this.body = body;
        }
    }

    interface Client extends AutoCloseable {
        Answer post(Request r) throws Exception;

        @Override
        default void close() throws IOException {}
    }

    /** java.net.http. Over plain HTTP its default is to offer HTTP/2 with every request. */
    static class HttpClientOfJava implements Client {
        final HttpClient client;

        HttpClientOfJava(HttpClient client) {
            this.client = client;
        }

        @Override
        public Answer post(Request r) throws Exception {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(r.url)).POST(body(r)).expectContinue(r.expect);
            r.headers.forEach(request::header);
            if (r.how.equals("form")) {
                request.header("Content-Type", "application/x-www-form-urlencoded");
            }
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(answer.statusCode(), answer.body());
        }

        private static BodyPublisher body(Request r) throws IOException {
            switch (r.how) {
                case "length":
                    return BodyPublishers.ofByteArray(r.content());
                case "chunked":
                    InputStream pieces = r.pieces();
                    return BodyPublishers.ofInputStream(() -> pieces);
                case "form":
                    return BodyPublishers.ofString(r.encodedForm());
                default:
                    return BodyPublishers.noBody();
            }
        }
    }

    static class UrlConnection implements Client {
        @Override
        public Answer post(Request r) throws Exception {
            HttpURLConnection connection = (HttpURLConnection) new URL(r.url).openConnection();
            connection.setRequestMethod("POST");
            connection.setDoOutput(true);
            r.headers.forEach(connection::setRequestProperty);
            if (r.expect) {
                connection.setRequestProperty("Expect", "100-continue");
                connection.setFixedLengthStreamingMode(Files.size(Path.of(r.file))); // it waits in this mode only
            }
            try {
                send(r, connection);
            } catch (ProtocolException e) {
                // The answer is there, and is not 100 Continue.
            }
            int status = connection.getResponseCode();
            try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                return new Answer(status, in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        }

        private static void send(Request r, HttpURLConnection connection) throws IOException {
            if (r.how.equals("chunked")) {
                connection.setChunkedStreamingMode(0);
                try (InputStream pieces = r.pieces(); var out = connection.getOutputStream()) {
                    pieces.transferTo(out);
                }
            } else if (!r.how.equals("empty")) {
                try (var out = connection.getOutputStream()) {
                    out.write(r.how.equals("form") ? r.encodedForm().getBytes(StandardCharsets.US_ASCII) : r.content());
                }
            }
        }
    }

    /** Apache HttpClient 5. By default it would sleep through any Retry-After before it shows 429 or 503. */
    static class Apache5 implements Client {
        final CloseableHttpClient client = HttpClients.custom().disableAutomaticRetries().build();

        @Override
        public Answer post(Request r) throws Exception {
            HttpPost post = new HttpPost(r.url);
            post.setConfig(RequestConfig.custom().setExpectContinueEnabled(r.expect).build());
            r.headers.forEach((name, value) -> {
                if (!name.equals("Content-Type")) {
                    post.setHeader(name, value);
                }
            });
            HttpEntity body = body(r);
            if (body != null) {
                post.setEntity(body);
            }
            return client.execute(post, answer -> new Answer(answer.getCode(), EntityUtils.toString(answer.getEntity())));
        }

        private static HttpEntity body(Request r) throws IOException {
            switch (r.how) {
                case "length":
                    return new ByteArrayEntity(r.content(), ContentType.parse(r.headers.get("Content-Type")));
                case "chunked":
                    return new InputStreamEntity(r.pieces(), -1, ContentType.parse(r.headers.get("Content-Type")));
                case "form":
                    List<BasicNameValuePair> pairs = new ArrayList<>();
                    r.form.forEach((name, value) -> pairs.add(new BasicNameValuePair(name, value)));
                    return new UrlEncodedFormEntity(pairs, StandardCharsets.UTF_8);
                default:
                    return null;
            }
        }

        @Override
        public void close() throws IOException {
            client.close();
        }
    }

    static Client start(String kind) {
        switch (kind) {
            case "httpclient":
                return new HttpClientOfJava(HttpClient.newHttpClient());
            case "httpclient-http1":
                return new HttpClientOfJava(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build());
            case "urlconnection":
                return new UrlConnection();
            case "apache5":
                return new Apache5();
            default:
                throw new IllegalArgumentException(kind);
        }
    }

    static void sleep(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static void main(String[] args) throws Exception {
        Gson gson = new Gson();
        String version = "Java " + Runtime.version();
        if (args[0].equals("apache5")) {
            version = "Apache HttpClient " + VersionInfo.loadVersionInfo("org.apache.hc.client5", Sender.class.getClassLoader()).getRelease() + ", " + version;
        }
        JsonObject hello = new JsonObject();
        hello.addProperty("version", version);
        System.out.println(gson.toJson(hello));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            List<Answer> answers = new ArrayList<>();
            try (Client client = start(args[0])) {
                for (Request r : gson.fromJson(line, Line.class).requests) {
                    Answer answer;
                    try {
                        answer = client.post(r);
                    } catch (Exception e) {
                        answer = new Answer(0, "");
                        answer.error = e.toString();
                    }
                    answers.add(answer);
                }
            }
            System.out.println(gson.toJson(Map.of("answers", answers)));
        }
    }
}
