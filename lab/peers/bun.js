// Rooms on Bun's own publish and subscribe (uWebSockets inside), in the words that this project speaks.
import { readFileSync } from "node:fs";

const [port, certificate, key] = process.argv.slice(2);
const tls = certificate && { cert: readFileSync(certificate), key: readFileSync(key) };
let clients = 0;
let messages = 0;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  tls,
  fetch(request, server) {
    if (server.upgrade(request, { data: { id: `c${clients++}` } })) return;
    return new Response("a WebSocket is spoken here\n", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    message(socket, text) {
      const said = JSON.parse(text);
      switch (said.type) {
        case "handshake":
          socket.send(JSON.stringify({ callback: said.callback, client_id: socket.data.id }));
          break;
        case "subscribe":
          socket.subscribe(said.room);
          socket.send(JSON.stringify({ callback: said.callback }));
          break;
        case "publish":
          server.publish(said.room, published(said, socket.data.id));
          break;
      }
    },
  },
});

function published({ room, message }, client_id) {
  const timestamp = Math.floor(Date.now() / 1000);
  return JSON.stringify({ type: "publish", room, message, client_id, id: String(messages++), timestamp });
}
