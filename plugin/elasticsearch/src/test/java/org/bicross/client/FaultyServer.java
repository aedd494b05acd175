package org.bicross.client;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** A true HTTP server on a socket, each answer as the test scripts it: any bytes, a reset at any point, or nothing. */
final class FaultyServer implements Closeable {
    /** @param head lower-case header names, and the body as text */
    record Request(String line, Map<String, String> head, String body, int connection) {}

    /** What is done for a request. */
    interface Reply {
        /** False where the connection is over. */
        boolean write(Socket socket) throws IOException;
    }

    final List<Request> requests = new CopyOnWriteArrayList<>();
    private final ServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private final Function<Request, Reply> script;

    FaultyServer(Function<Request, Reply> script) throws IOException {
        this.script = script;
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "faulty-server");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (server.isClosed() == false) {
            try {
                Socket socket = server.accept();
                open.add(socket);
                int number = connections.incrementAndGet();
                daemon(() -> serve(socket, number));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket, int number) {
        try (socket) {
            Request request;
            while ((request = read(socket.getInputStream(), number)) != null) {
                requests.add(request);
                if (script.apply(request).write(socket) == false) {
                    return;
                }
            }
        } catch (IOException gone) {
            // the client hung up, or the test did
        }
    }

    private static Request read(InputStream in, int connection) throws IOException {
        String line = line(in);
        if (line.isEmpty()) {
            return null;
        }
        Map<String, String> head = new ConcurrentHashMap<>();
        for (String header = line(in); header.isEmpty() == false; header = line(in)) {
            int colon = header.indexOf(':');
            head.put(
                    header.substring(0, colon).toLowerCase(java.util.Locale.ROOT),
                    header.substring(colon + 1).strip());
        }
        byte[] body = in.readNBytes(Integer.parseInt(head.getOrDefault("content-length", "0")));
        return new Request(line, head, new String(body, StandardCharsets.UTF_8), connection);
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    int connections() {
        return connections.get();
    }

    /** As a server that was restarted: every connection is reset. */
    void dropConnections() throws IOException {
        for (Socket socket : open) {
            reset(socket);
        }
        open.clear();
    }

    private static boolean reset(Socket socket) throws IOException {
        try {
            socket.setSoLinger(true, 0);
        } catch (SocketException closed) {
            return false;
        }
        socket.close();
        return false;
    }

    static Reply answer(int status, String body, String... headers) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        String head = "HTTP/1.1 " + status + " X\r\nContent-Length: " + bytes.length + "\r\n" + String.join("", headers)
                + "\r\n";
        return socket -> {
            socket.getOutputStream().write((head + body).getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
            return true;
        };
    }

    static Reply resetAtOnce() {
        return FaultyServer::reset;
    }

    /** Promises more than it sends, then resets. */
    static Reply resetMidAnswer(String part) {
        return socket -> {
            String head = "HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n" + part;
            socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
            return reset(socket);
        };
    }

    /** Keeps the connection and says nothing until the client goes. */
    static Reply silence() {
        return socket -> {
            socket.getInputStream().read();
            return false;
        };
    }

    /** Chunks without end. */
    static Reply endless() {
        return socket -> {
            String chunk = "1000\r\n" + "x".repeat(0x1000) + "\r\n";
            socket.getOutputStream()
                    .write("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            while (socket.isClosed() == false) {
                socket.getOutputStream().write(chunk.getBytes(StandardCharsets.UTF_8));
            }
            return false;
        };
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
